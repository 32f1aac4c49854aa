# Sourced by the scripts beside it: a virtual environment in .venv that holds the project and what it needs,
# made on first use and brought up to date when the project's build files or the engine's sources changed.
#
#   want_environment [EXTRA]    afterwards $python is its interpreter; EXTRA is e.g. `dev`
#
# PYTHON names the interpreter to start from (3.11 or newer); STDB_COMPILED as in setup.py.

root=$(cd "$(dirname "$0")/.." && pwd)
venv=${STDB_VENV:-$root/.venv}
python=$venv/bin/python

say() { printf '%s\n' "$*" >&2; }

find_python() {
  for candidate in ${PYTHON:-} python3.14 python3.13 python3.12 python3.11 python3 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  say "Python 3.11 or newer is needed; install it, or name it: PYTHON=/path/to/python $0"
  exit 1
}

fingerprint() { # of all that an installation depends on
  cat "$root/pyproject.toml" "$root/setup.py" "$root/scripts/requirements.lock" "$root"/engine/spacetimedb_engine/*.p* |
    cksum
  echo "compiled=${STDB_COMPILED:-auto} compiler=$(command -v cc || command -v gcc || command -v clang || echo none)"
}

want_environment() {
  extra=${1:-}
  if [ ! -x "$python" ]; then
    base=$(find_python)
    say "making a virtual environment (first run only) ..."
    "$base" -m venv "$venv" || {
      say "the virtual environment could not be made; on Debian and Ubuntu: apt install python3-venv"
      exit 1
    }
  fi
  now="$(fingerprint)"
  mark=$venv/installed${extra:+-$extra}
  if [ "$(cat "$mark" 2>/dev/null)" != "$now" ]; then
    say "installing the project and what it needs ..."
    rm -f "$venv"/installed*
    "$python" -m pip install --quiet --disable-pip-version-check --constraint "$root/scripts/requirements.lock" \
      --editable "$root${extra:+[$extra]}" || {
      say "the installation failed; the lines above tell why"
      exit 1
    }
    printf '%s\n' "$now" >"$mark"
    [ -z "$extra" ] || printf '%s\n' "$now" >"$venv/installed"
  fi
}
