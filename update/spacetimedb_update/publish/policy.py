"""How many keys sign for each role, how many of them are needed, and how long a signature is good."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from spacetimedb_update.errors import UserError

ROLES = ("root", "targets", "snapshot", "timestamp")


@dataclass(frozen=True, slots=True)
class RolePolicy:
    """`threshold` of `keys` keys must sign; what they sign expires after `days`."""

    keys: int
    threshold: int
    days: float

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=self.days)


MOST_DAYS = 36_500


def _default() -> dict[str, RolePolicy]:
    return {
        "root": RolePolicy(3, 2, 365),
        "targets": RolePolicy(2, 1, 365),
        "snapshot": RolePolicy(1, 1, 90),
        "timestamp": RolePolicy(1, 1, 7),
    }


@dataclass(frozen=True, slots=True)
class Policy:
    roles: Mapping[str, RolePolicy] = field(default_factory=_default)

    def __getitem__(self, role: str) -> RolePolicy:
        return self.roles[role]

    @classmethod
    def default(cls) -> Policy:
        """Two of three for the root, and short-lived timestamps."""
        return cls()

    @classmethod
    def from_toml(cls, text: str) -> Policy:
        """A table for each role that differs from the default: `[root]` with `keys`, `threshold`, `days`.

        Raises `UserError` for anything else, and for a threshold that no signing could reach.
        """
        roles = _default()
        try:
            for role, table in tomllib.loads(text).items():
                if role not in ROLES:
                    raise UserError(f"the policy has a table [{role}]: there are {', '.join(ROLES)}")
                known = roles[role]
                roles[role] = RolePolicy(
                    int(table.get("keys", known.keys)),
                    int(table.get("threshold", known.threshold)),
                    float(table.get("days", known.days)),
                )
        except (AttributeError, ValueError, TypeError, OverflowError) as error:
            raise UserError(f"the policy cannot be read: {error}") from None
        for role, policy in roles.items():
            if not 1 <= policy.threshold <= policy.keys or not 0 < policy.days <= MOST_DAYS:
                raise UserError(
                    f"the policy for [{role}] cannot be met: 1 <= threshold <= keys, and 0 < days <= {MOST_DAYS}"
                )
        return cls(roles)
