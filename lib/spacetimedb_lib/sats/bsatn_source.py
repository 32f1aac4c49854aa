"""Generated Python functions: their text, and the objects that they name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Source:
    """Collects functions and constants; `build` compiles them all into one namespace.

    Nothing of a type's own text (names of fields or variants) ever goes into code, only numbers do.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._namespace = dict(names)
        self._functions: list[str] = []
        self._count = 0
        self._constants: dict[tuple[str, Any], str] = {}

    def fresh(self, prefix: str) -> str:
        """A name not used before."""
        self._count += 1
        return f"{prefix}{self._count}"

    def constant(self, prefix: str, value: Any, key: Any = None) -> str:
        """The name of a constant; values with the same prefix and key share one."""
        key = (prefix, value if key is None else key)
        if key not in self._constants:
            name = self._constants[key] = self.fresh(prefix)
            self._namespace[name] = value
        return self._constants[key]

    def add(self, head: str, lines: list[str]) -> None:
        """Add a function: its `def` line without the colon, and the lines of its body."""
        self._functions.append("\n".join([f"{head}:", *(f"    {line}" for line in lines)]))

    def add_statement(self, line: str) -> None:
        """Add a statement at module level; it may name functions that were added before."""
        self._functions.append(line)

    @property
    def text(self) -> str:
        return "\n\n".join(self._functions) + "\n"

    def build(self) -> dict[str, Any]:
        exec(compile(self.text, "<bsatn codec>", "exec"), self._namespace)
        return self._namespace
