"""The key files: made when both are missing, never guessed when one is."""

import stat
from pathlib import Path

import pytest

from spacetimedb_standalone.config.readers import ConfigError
from spacetimedb_standalone.config.settings import CertificateAuthority
from spacetimedb_standalone.tokens.keys import KeyFiles, choose_key_files, load_or_create_keys


def files(directory: Path) -> KeyFiles:
    return KeyFiles(directory / "id_ecdsa", directory / "id_ecdsa.pub")


def test_a_pair_is_made_once_and_then_read(tmp_path: Path) -> None:
    made = load_or_create_keys(files(tmp_path / "new"))
    again = load_or_create_keys(files(tmp_path / "new"))
    assert made.public_pem == again.public_pem == (tmp_path / "new" / "id_ecdsa.pub").read_bytes()
    assert made.public_pem.startswith(b"-----BEGIN PUBLIC KEY-----")
    private = tmp_path / "new" / "id_ecdsa"
    assert private.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [
        ("id_ecdsa.pub", "Unable to read public key for JWT token verification"),
        ("id_ecdsa", "Unable to read private key for JWT token signing"),
    ],
)
def test_one_file_alone_is_an_error_and_stays_alone(tmp_path: Path, missing: str, complaint: str) -> None:
    load_or_create_keys(files(tmp_path))
    (tmp_path / missing).unlink()
    with pytest.raises(ConfigError, match=complaint):
        load_or_create_keys(files(tmp_path))
    assert not (tmp_path / missing).exists()


def test_a_file_that_holds_no_key_is_an_error(tmp_path: Path) -> None:
    load_or_create_keys(files(tmp_path))
    (tmp_path / "id_ecdsa").write_text("no key")
    with pytest.raises(ConfigError, match=r"Unable to read private key .*holds no usable key"):
        load_or_create_keys(files(tmp_path))


def test_two_halves_of_different_pairs_are_an_error(tmp_path: Path) -> None:
    load_or_create_keys(files(tmp_path / "a"))
    load_or_create_keys(files(tmp_path / "b"))
    mixed = KeyFiles(tmp_path / "a" / "id_ecdsa", tmp_path / "b" / "id_ecdsa.pub")
    with pytest.raises(ConfigError, match="is not the public key of"):
        load_or_create_keys(mixed)


def test_options_come_before_settings_before_the_directory(tmp_path: Path) -> None:
    explicit, configured = KeyFiles(Path("a"), Path("b")), CertificateAuthority(Path("c"), Path("d"))
    assert choose_key_files(explicit, configured, tmp_path) == explicit
    assert choose_key_files(None, configured, tmp_path) == KeyFiles(Path("c"), Path("d"))
    assert choose_key_files(None, CertificateAuthority(), tmp_path) == files(tmp_path)
    with pytest.raises(ConfigError, match=r"cannot omit --jwt-\{pub,priv\}-key-path"):
        choose_key_files(None, CertificateAuthority(), None)
