"""Completions for bash, zsh, fish and PowerShell: small scripts that know the commands and start nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spacetimedb_update.installation.site import Site

COMMANDS = (
    *("publish", "delete", "logs", "call", "describe", "dev", "sql", "mcp", "rename", "generate", "list"),
    *(
        "login",
        "logout",
        "init",
        "build",
        "server",
        "subscribe",
        "start",
        "doctor",
        "replay",
        "repair",
        "import-data",
        "lock",
        "unlock",
        "version",
        "help",
    ),
)
"""What the command line knows, in the order of its help."""

SUBCOMMANDS: Mapping[str, tuple[str, ...]] = {
    "version": (
        *("list", "use", "upgrade", "install", "uninstall", "link", "rollback", "verify", "gc", "doctor"),
        "bundle",
    ),
    "server": ("list", "set-default", "add", "remove", "fingerprint", "ping", "edit", "clear"),
    "login": ("show",),
}

NEEDS_INSTALLED = ("use", "uninstall", "verify")
"""Commands of `version` whose argument is an installed version."""


def bash(site: Site) -> str:
    cases = "\n".join(f"    {name}) words='{' '.join(words)}' ;;" for name, words in SUBCOMMANDS.items())
    return f"""# Completions of the command `spacetime` for bash
_spacetime() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} words=''
  if [ "$COMP_CWORD" -eq 1 ]; then words='{" ".join(COMMANDS)}'
  elif [ "$COMP_CWORD" -eq 2 ]; then case ${{COMP_WORDS[1]}} in
{cases}
  esac
  elif [ "$COMP_CWORD" -eq 3 ] && [ "${{COMP_WORDS[1]}}" = version ]; then case ${{COMP_WORDS[2]}} in
    {"|".join(NEEDS_INSTALLED)}) words=$(command ls {_quoted(site.bin_dir)} 2>/dev/null) ;;
  esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _spacetime spacetime
"""


def zsh(site: Site) -> str:
    cases = "\n".join(f"    {name}) compadd -- {' '.join(words)} ;;" for name, words in SUBCOMMANDS.items())
    return f"""#compdef spacetime
# Completions of the command `spacetime` for zsh
if (( CURRENT == 2 )); then compadd -- {" ".join(COMMANDS)}
elif (( CURRENT == 3 )); then case $words[2] in
{cases}
    *) _files ;;
  esac
elif (( CURRENT == 4 )) && [[ $words[2] == version ]]; then case $words[3] in
    {"|".join(NEEDS_INSTALLED)}) compadd -- $(command ls {_quoted(site.bin_dir)} 2>/dev/null) ;;
    *) _files ;;
  esac
else _files
fi
"""


def fish(site: Site) -> str:
    lines = ["# Completions of the command `spacetime` for fish"]
    lines.append(f"complete -c spacetime -n __fish_use_subcommand -a '{' '.join(COMMANDS)}'")
    for name, words in SUBCOMMANDS.items():
        seen = f"__fish_seen_subcommand_from {name}; and not __fish_seen_subcommand_from {' '.join(words)}"
        lines.append(f"complete -c spacetime -n '{seen}' -a '{' '.join(words)}'")
    versions = f"(command ls {_quoted(site.bin_dir)} 2>/dev/null)"
    needs = (
        f"__fish_seen_subcommand_from version; and __fish_seen_subcommand_from {' '.join(NEEDS_INSTALLED)}"
    )
    lines.append(f'complete -c spacetime -f -n "{needs}" -a "{versions}"')
    return "\n".join(lines) + "\n"


def powershell(site: Site) -> str:
    tables = "\n".join(
        f"    '{name}' = @({', '.join(repr(word) for word in words)})" for name, words in SUBCOMMANDS.items()
    )
    return f"""# Completions of the command `spacetime` for PowerShell
Register-ArgumentCompleter -Native -CommandName spacetime -ScriptBlock {{
  param($word, $ast, $position)
  $commands = @({", ".join(repr(name) for name in COMMANDS)})
  $below = @{{
{tables}
  }}
  $given = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object {{ $_.ToString() }})
  if ($word) {{ $given = @($given | Select-Object -SkipLast 1) }}
  $words = if ($given.Count -eq 0) {{ $commands }} elseif ($given.Count -eq 1) {{ $below[$given[0]] }}
  $words | Where-Object {{ $_ -like "$word*" }} | ForEach-Object {{
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }}
}}
"""


def _quoted(path: Path) -> str:
    text = str(path.absolute()).replace("'", "'\\''")
    return f"'{text}'"


def completion_files(site: Site, env: Mapping[str, str], home: Path | None, in_root: bool) -> dict[Path, str]:
    """The scripts and where each goes: below the root if there is one, else where the shells look."""
    if site.windows or in_root or home is None:
        folder = site.command.parent / "completions"
        scripts = {"spacetime.ps1": powershell(site)}
        if not site.windows:
            scripts |= {"spacetime.bash": bash(site), "_spacetime": zsh(site), "spacetime.fish": fish(site)}
        return {folder / name: text for name, text in sorted(scripts.items())}
    data = _xdg(env, "XDG_DATA_HOME", home / ".local" / "share")
    config = _xdg(env, "XDG_CONFIG_HOME", home / ".config")
    return {
        data / "bash-completion" / "completions" / "spacetime": bash(site),
        data / "zsh" / "site-functions" / "_spacetime": zsh(site),
        config / "fish" / "completions" / "spacetime.fish": fish(site),
    }


def _xdg(env: Mapping[str, str], variable: str, fallback: Path) -> Path:
    value = Path(env.get(variable, ""))
    return value if value.is_absolute() else fallback
