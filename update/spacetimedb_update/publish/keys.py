"""The private keys that sign releases: ed25519, one PEM file (PKCS#8) for each.

A key ring is a folder of files `{role}-{number}.pem`, readable by their owner only. Keys may be kept
apart: whoever signs needs only the files of that role, and only `threshold` of them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner, Signer  # type: ignore[attr-defined]  # it is documented

from spacetimedb_update.errors import UserError
from spacetimedb_update.publish.policy import Policy

_NAME = re.compile(r"(root|targets|snapshot|timestamp)-(\d+)\.pem")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Signers by role, in the order of their numbers."""

    signers: dict[str, list[Signer]]

    @classmethod
    def create(cls, folder: Path, policy: Policy) -> KeyRing:
        """Make new keys as the policy asks for. Raises `UserError` where keys are already."""
        folder.mkdir(parents=True, exist_ok=True)
        if any(_NAME.fullmatch(path.name) for path in folder.iterdir()):
            raise UserError(f"{folder} holds keys already: choose another folder, keys are never replaced")
        for role, wanted in policy.roles.items():
            for number in range(1, wanted.keys + 1):
                _write(folder / f"{role}-{number}.pem", Ed25519PrivateKey.generate())
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> KeyRing:
        """Read all keys of a folder. Raises `UserError` for a file that is no ed25519 key, or no keys at all."""
        found = [(match, path) for path in folder.glob("*.pem") if (match := _NAME.fullmatch(path.name))]
        if not found:
            raise UserError(
                f"{folder} holds no keys: make some with `scripts/release --make-keys`, or name another folder"
            )
        signers: dict[str, list[Signer]] = {}
        for match, path in sorted(found, key=lambda pair: (pair[0][1], int(pair[0][2]))):
            signers.setdefault(match[1], []).append(_read(path))
        return cls(signers)

    def for_role(self, role: str) -> list[Signer]:
        """Raises `UserError` where there is no key for a role."""
        if not self.signers.get(role):
            raise UserError(f"there is no key for the role {role}: put {role}-1.pem into the key folder")
        return self.signers[role]


def _write(path: Path, key: Ed25519PrivateKey) -> None:
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _read(path: Path) -> Signer:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is no private key in PEM form: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"{path} is no ed25519 key: releases are signed with no other kind")
    return CryptoSigner(key)
