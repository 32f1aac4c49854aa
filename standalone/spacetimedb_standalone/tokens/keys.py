"""The key pair that signs and verifies this server's tokens: ECDSA over P-256, kept as two PEM files.

The private key is PKCS#8, readable by its owner only; the public one SubjectPublicKeyInfo. Neither file
there: a pair is made. One of them there: an error, because guessing could invalidate everybody's tokens.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spacetimedb_paths.atomic import write_atomically
from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.settings import CertificateAuthority

PRIVATE_KEY_NAME = "id_ecdsa"
PUBLIC_KEY_NAME = "id_ecdsa.pub"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    private: Path
    public: Path


@dataclass(frozen=True, slots=True, repr=False)
class KeyPair:
    """`public_pem` is the public key file byte for byte, as clients are given it."""

    private: ec.EllipticCurvePrivateKey
    public: ec.EllipticCurvePublicKey
    public_pem: bytes


def choose_key_files(
    explicit: KeyFiles | None, configured: CertificateAuthority, directory: Path | None
) -> KeyFiles:
    """Options before `config.toml` before the key directory. Raises `ConfigError` if none says where."""
    if explicit is not None:
        return explicit
    if configured.jwt_priv_key_path is not None and configured.jwt_pub_key_path is not None:
        return KeyFiles(configured.jwt_priv_key_path, configured.jwt_pub_key_path)
    if directory is not None:
        return KeyFiles(directory / PRIVATE_KEY_NAME, directory / PUBLIC_KEY_NAME)
    raise ConfigError(
        "cannot omit --jwt-{pub,priv}-key-path when those options are not specified in config.toml"
    )


def load_or_create_keys(files: KeyFiles) -> KeyPair:
    """Raises `ConfigError` if just one file is there or one holds no key of the kind."""
    found = files.private.exists(), files.public.exists()
    if not any(found):
        _create(files)
    public = _read_public(files.public)
    private = _read_private(files.private)
    if private.public_key() != public[0]:
        raise ConfigError(
            f"{files.public} is not the public key of {files.private}: restore the pair, or remove both "
            "files to get a new one (which makes all tokens issued so far invalid)"
        )
    return KeyPair(private, public[0], public[1])


def _create(files: KeyFiles) -> None:
    """The public key first: a crash in between leaves what the next start reports, not a second pair."""
    private = ec.generate_private_key(ec.SECP256R1())
    public_pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private_pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_atomically(files.public, public_pem)
    write_atomically(files.private, private_pem)


def _read_public(path: Path) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    with _unreadable("Unable to read public key for JWT token verification", path):
        pem = path.read_bytes()
        key = serialization.load_pem_public_key(pem)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("not an ECDSA P-256 key")
        return key, pem


def _read_private(path: Path) -> ec.EllipticCurvePrivateKey:
    with _unreadable("Unable to read private key for JWT token signing", path):
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("not an ECDSA P-256 key")
        return key


@contextlib.contextmanager
def _unreadable(text: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{text}: {path}: {os.strerror(error.errno or 0)}") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{text}: {path} holds no usable key ({error})") from error
