#!/bin/sh
# Installs SpacetimeDB for the current user:
#
#   curl -sSf <where releases are>/install.sh | sh
#   curl -sSf <where releases are>/install.sh | sh -s -- --yes --root-dir DIR --version VERSION
#
# A release repository publishes this script with the SHA-256 of each of its archives filled in. One archive is
# downloaded, compared with that, and only then unpacked; the installer inside checks everything once more against
# signed metadata before it installs. SPACETIME_DOWNLOAD_ROOT (or SPACETIME_UPDATE_RELEASES_URL) names a mirror: the
# base URL of a copy of the repository, or a folder.
#
# Everything is in functions, so that half a script does nothing.
set -u

# One line a release and platform, the newest release first: VERSION TARGET SHA256 GLIBC (`-` where there is none).
known_releases() {
  cat <<'END'
@RELEASES@
END
}

published_at='@BASE@'

usage() {
  cat <<'END'
Install the SpacetimeDB CLI

Usage: spacetime-install [OPTIONS]

Options:
      --root-dir <ROOT_DIR>  Keep everything in this directory
      --version <VERSION>    Install this version instead of the newest
      --modify-path          Put the directory of the command on PATH in your shell's start-up file
      --no-completions       Write no completions for shells
  -y, --yes                  Do not ask
  -h, --help                 Print help
END
}

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "Error: $*"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# --- which machine this is ---

find_target() { # sets $target and, on Linux, $glibc
  system=$(uname -s) || fail 'this system does not say what it is (uname -s)'
  machine=$(uname -m) || fail 'this system does not say what it is (uname -m)'
  instead='install from source with pip instead'
  case $machine in
    x86_64 | amd64 | x64) processor=x86_64 ;;
    aarch64 | arm64) processor=aarch64 ;;
    i?86 | x86 | armv* | arm | mips | mipsel | ppc | riscv32)
      fail "there are no releases for 32-bit systems ($machine): $instead"
      ;;
    *) fail "there are no releases for $machine processors: $instead" ;;
  esac
  case $system in
    Linux) find_linux ;;
    Darwin)
      # a shell under Rosetta takes the machine for the older kind
      if [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ]; then processor=aarch64; fi
      target=$processor-apple-darwin
      ;;
    MINGW* | MSYS* | CYGWIN* | Windows_NT)
      fail 'this script does not install on Windows: run install.ps1 in PowerShell'
      ;;
    *) fail "there are no releases for $system: $instead" ;;
  esac
}

find_linux() {
  if [ "$(getconf LONG_BIT 2>/dev/null)" = 32 ]; then
    fail "there are no releases for 32-bit systems, and this one runs 32-bit programs: $instead"
  fi
  case $(ldd --version 2>&1) in
    *musl*) fail "there are no releases for musl systems such as Alpine: use a glibc system, or $instead" ;;
  esac
  glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || glibc=$(ldd --version 2>/dev/null | sed -n 1p)
  glibc=$(printf '%s\n' "$glibc" | sed -n 's/^.*[^0-9]\([0-9][0-9]*\.[0-9][0-9]*\)[^0-9]*$/\1/p')
  target=$processor-unknown-linux-gnu
}

older() { # older A B: is version A (two numbers) before B?
  [ "${1%%.*}" -lt "${2%%.*}" ] && return 0
  [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${1#*.}" -lt "${2#*.}" ]
}

# --- which archive ---

find_release() { # sets $version, $sha256
  table=$(known_releases)
  case $table in
    @*) fail 'this copy of install.sh knows no releases: take the one that a release repository publishes' ;;
  esac
  line=$(printf '%s\n' "$table" | awk -v wanted="$version" -v target="$target" \
    '$2 == target && (wanted == "" ? $1 !~ /-/ : $1 == wanted) { print; exit }')
  if [ -z "$line" ]; then
    versions=$(printf '%s\n' "$table" | awk -v target="$target" '$2 == target { printf " %s", $1 }')
    [ -n "$versions" ] || fail "there are no releases for $target: install from source with pip instead"
    fail "there is no release${version:+ $version} for $target; there are:$versions"
  fi
  # shellcheck disable=SC2086  # four words
  set -- $line
  version=$1 sha256=$3
  if [ "$4" != - ] && [ -n "${glibc:-}" ] && older "$glibc" "$4"; then
    fail "this system has glibc $glibc, release $version needs $4 or newer: upgrade the system, or $instead"
  fi
}

find_base() { # sets $base, without a slash at its end
  named=${SPACETIME_UPDATE_RELEASES_URL:-${SPACETIME_DOWNLOAD_ROOT:-}}
  base=${named:-$published_at}
  base=${base%%[, ]*://*} # the first of several; a folder may have commas and blanks
  base=${base%/}
  [ -n "$base" ] || fail 'set SPACETIME_DOWNLOAD_ROOT to the base URL of a release repository'
}

# --- getting it ---

check_tools() {
  for tool in awk cat cut mkdir mktemp rm sed tar uname; do
    has "$tool" || fail "the command $tool is missing: install it and run this again"
  done
  case $base in
    http://* | https://*)
      has curl || has wget || fail 'neither curl nor wget is here: install one of them and run this again'
      ;;
  esac
  has sha256sum || has shasum || has openssl ||
    fail 'nothing here computes a SHA-256 (sha256sum, shasum or openssl): install one and run this again'
}

fetch() { # fetch URL FILE
  case $1 in
    http://* | https://*)
      if has curl; then
        curl --fail --silent --show-error --location --retry 3 --output "$2" "$1"
      else
        wget --quiet -O "$2" "$1"
      fi
      ;;
    file://*) cp "${1#file://}" "$2" ;;
    *) cp "$1" "$2" ;;
  esac
}

digest() { # digest FILE
  if has sha256sum; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  else
    openssl dgst -sha256 <"$1" | sed 's/^.*[= ]//'
  fi
}

# --- running the installer in it ---

run_installer() { # run_installer FOLDER ARCHIVE OPTIONS...
  folder=$1 archive=$2
  shift 2
  said=$("$folder/runtime/python" -c pass 2>&1) ||
    fail "the downloaded programs do not run here ($said): let TMPDIR name a folder on a disk that allows programs"
  [ -n "$named" ] || export SPACETIME_DOWNLOAD_ROOT="$base"
  SPACETIMEDB_UPDATE_MULTICALL_APPLET=spacetime-install \
    "$folder/spacetimedb-update" --version "$version" --archive "$archive" "$@"
}

with_answers() { # run a command that asks: the answers come from the terminal, for this script may be standard input
  if [ -t 0 ]; then
    "$@"
  elif (: </dev/tty) 2>/dev/null; then
    "$@" </dev/tty
  else
    fail 'there is no terminal to ask on: run this again with --yes'
  fi
}

install() { # install ASKS OPTIONS...
  asks=$1
  shift
  find_base
  check_tools
  find_target
  find_release
  folder=$(mktemp -d) || fail 'no temporary folder can be made: let TMPDIR name one that can be written'
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf '$(printf '%s' "$folder" | sed "s/'/'\\\\''/g")'" EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  name=spacetime-$target.tar.gz
  url=$base/targets/$version/$name
  say "Downloading installer..."
  fetch "$url" "$folder/$name" ||
    fail "$url could not be downloaded: check the network, or let SPACETIME_DOWNLOAD_ROOT name a mirror"
  found=$(digest "$folder/$name")
  [ "$found" = "$sha256" ] ||
    fail "$url is not what was released (SHA-256 $found, expected $sha256): nothing was installed; try another mirror"
  mkdir "$folder/unpacked"
  tar -xzf "$folder/$name" -C "$folder/unpacked" ||
    fail "the release could not be unpacked: see that gzip is installed and $folder has room"
  if [ "$asks" = 1 ]; then
    with_answers run_installer "$folder/unpacked" "$folder/$name" "$@"
  else
    run_installer "$folder/unpacked" "$folder/$name" "$@" </dev/null
  fi
}

wrong() { # wrong arguments
  say "Error: $*"
  usage >&2
  exit 2
}

main() {
  version='' asks=1 expects=''
  for argument in "$@"; do # what is left of "$@" in the end goes to the installer
    shift
    case $expects in
      --root-dir) expects='' && set -- "$@" --root-dir "$argument" && continue ;;
      --version) expects='' version=$argument && continue ;;
    esac
    case $argument in
      -h | --help) usage && exit 0 ;;
      -y | --yes) asks=0 && set -- "$@" --yes ;;
      --modify-path | --no-completions) set -- "$@" "$argument" ;;
      --root-dir | --version) expects=$argument ;;
      --root-dir=*) set -- "$@" --root-dir "${argument#*=}" ;;
      --version=*) version=${argument#*=} ;;
      *) wrong "unexpected argument '$argument'" ;;
    esac
  done
  [ -z "$expects" ] || wrong "a value is required for '$expects' but none was supplied"
  install "$asks" "$@"
}

main "$@"
