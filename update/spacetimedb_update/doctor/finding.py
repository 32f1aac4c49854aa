"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend` is a command, or where there is none, what to do."""

    check: str
    status: Status
    text: str
    mend: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, "status": self.status, "message": self.text, "mend": self.mend or None}

    def lines(self) -> list[str]:
        mark = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}[self.status]
        return [f"{mark}  {self.check}: {self.text}", *([f"         -> {self.mend}"] if self.mend else [])]
