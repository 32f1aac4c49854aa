"""Archives that nobody vouches for: what is refused, and that nothing of it is left.

The archives here are signed, so that they get as far as the unpacker: somebody with the keys made a
mistake, or worse.
"""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile

import pytest

from spacetimedb_update.archive.members import BadArchive, Gate, Member, check_link, clean_path
from spacetimedb_update.archive.program_format import built_for, suits
from spacetimedb_update.archive.tar import open_tar
from spacetimedb_update.archive.unpack import unpack
from spacetimedb_update.ports.files import RealFiles
from spacetimedb_update.releases.file_list import FileList, ListedFile

from .world import LINUX, WINDOWS, link_entry, release_files, tar_gz

CONTENT = b"#!/bin/sh\n"


def listed(data: bytes = CONTENT, executable: bool = True) -> ListedFile:
    import hashlib

    return ListedFile(hashlib.sha256(data).hexdigest(), len(data), executable)


@pytest.fixture
def try_archive(tmp_path):
    """Unpack bytes against a list; gives what lies outside of the destination afterwards, as well."""

    def attempt(data: bytes, files: dict[str, ListedFile], name: str = "a.tar.gz") -> None:
        (tmp_path / name).write_bytes(data)
        wanted = FileList("2.10.0", LINUX, files)
        unpack(RealFiles(), tmp_path / name, tmp_path / "deep" / "staging", wanted, fold_case=False)

    return attempt


def test_what_is_listed_is_unpacked(try_archive, tmp_path):
    data = tar_gz({"cli": CONTENT, "lib/x": CONTENT, "lib/y": link_entry("lib/y", "x")})
    try_archive(data, {"cli": listed(), "lib/x": listed(), "lib/y": ListedFile(link="x")})
    assert (tmp_path / "deep/staging/lib/y").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "a/../../evil",
        "/etc/evil",
        "..",
        "a\\..\\evil",
        "C:evil",
        "C:/evil",
        "a/\x01",
        "",
        "con",
        "a/nul.txt",
        "trailing. ",
        "x" * 600,
    ],
)
def test_names_that_lead_outside_or_are_not_portable(path):
    with pytest.raises(BadArchive):
        clean_path(path)


@pytest.mark.parametrize("path", ["../evil", "/tmp/stdb-evil", "a/../../evil"])
def test_such_members_write_nothing(try_archive, tmp_path, path):
    with pytest.raises(BadArchive):
        try_archive(tar_gz({path: CONTENT}), {path: listed()})
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../evil", "../..", "x/../../..", "", "C:\\x"])
def test_links_that_lead_outside(target):
    with pytest.raises(BadArchive):
        check_link("lib/link", target)


def test_links_within_are_fine():
    check_link("lib/deep/link", "../other")
    check_link("link", "lib/x")


def test_nothing_is_written_through_a_link(try_archive, tmp_path):
    data = tar_gz({"lib": link_entry("lib", "."), "lib/x": CONTENT})
    with pytest.raises(BadArchive, match="lies below a link"):
        try_archive(data, {"lib": ListedFile(link="."), "lib/x": listed()})


def test_nothing_is_there_twice(try_archive):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for _ in range(2):
            info = tarfile.TarInfo("cli")
            info.size = len(CONTENT)
            archive.addfile(info, io.BytesIO(CONTENT))
    with pytest.raises(BadArchive, match="twice"):
        try_archive(packed.getvalue(), {"cli": listed(), "lib/x": listed()})


def test_where_case_does_not_count_it_counts_as_twice():
    gate = Gate(fold_case=True)
    gate.admit(Member("Lib/x", "file"))
    with pytest.raises(BadArchive, match="twice"):
        gate.admit(Member("lib/X", "file"))


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_hard_links_and_devices(try_archive, kind):
    info = tarfile.TarInfo("odd")
    info.type, info.linkname = kind, "cli"
    with pytest.raises(BadArchive, match="neither a file"):
        try_archive(tar_gz({"cli": CONTENT, "odd": info}), {"cli": listed(), "odd": listed()})


def test_a_file_that_is_not_listed_is_not_written(try_archive, tmp_path):
    with pytest.raises(BadArchive, match="not on the signed list"):
        try_archive(tar_gz({"cli": CONTENT, "more": CONTENT}), {"cli": listed(), "lib/x": listed()})
    assert not list(tmp_path.rglob("more"))


def test_a_listed_file_that_is_not_there(try_archive):
    with pytest.raises(BadArchive, match="standalone is missing"):
        try_archive(tar_gz({"cli": CONTENT}), {"cli": listed(), "standalone": listed()})


def test_other_content_of_the_same_size(try_archive):
    with pytest.raises(BadArchive, match="other content"):
        try_archive(tar_gz({"cli": b"#!/bin/zh\n"}), {"cli": listed()})


def test_a_program_that_is_not_executable(try_archive):
    with pytest.raises(BadArchive, match="not executable"):
        try_archive(tar_gz({"cli": b"MZ"}), {"cli": listed(b"MZ")})


def test_an_archive_cut_off_at_any_byte(try_archive):
    whole = tar_gz({"cli": CONTENT, "lib/x": bytes(3000)})
    files = {"cli": listed(), "lib/x": listed(bytes(3000), executable=False)}
    for end in range(0, len(whole) - 8, 5):  # the last eight bytes are gzip's own check of what went before
        with pytest.raises(BadArchive):
            try_archive(whole[:end], files)
        _clear(try_archive)


def _clear(try_archive):
    import shutil

    staging = try_archive.__closure__[0].cell_contents / "deep"
    shutil.rmtree(staging, ignore_errors=True)


def test_an_archive_that_expands_without_end(try_archive, tmp_path):
    """A gigabyte of zeros in a megabyte: given up long before it is written."""
    info = tarfile.TarInfo("cli")
    info.size = 1 << 30
    head = info.tobuf(tarfile.PAX_FORMAT)
    packed = gzip.compress(head + bytes(64 << 20), 1)
    with pytest.raises(BadArchive):
        try_archive(packed, {"cli": listed()})
    assert sum(path.stat().st_size for path in (tmp_path / "deep").rglob("*")) < 1 << 20


def test_a_header_that_expands_without_end():
    """An extended header with a length of its own, which a reader might load into memory."""
    info = tarfile.TarInfo("cli")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    packed = gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(16 << 20), 1)
    with pytest.raises(BadArchive), open_tar(io.BytesIO(packed), 1 << 40) as reader:
        list(reader.members())


def test_more_entries_than_there_should_be(try_archive):
    folders = {}
    for number in range(100):
        info = tarfile.TarInfo(f"folder{number}")
        info.type = tarfile.DIRTYPE
        folders[f"folder{number}"] = info
    with pytest.raises(BadArchive, match="more than the 2 entries"):
        try_archive(tar_gz({**folders, "cli": CONTENT}), {"cli": listed()})


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4", bytes(1000), gzip.compress(b"hello", mtime=0), b"\x1f\x8b" + bytes(100)]
)
def test_what_is_no_archive(try_archive, data):
    with pytest.raises(BadArchive):
        try_archive(data, {"cli": listed()})


# --- zip ---


def zipped(entries: dict[str, bytes], mode: int = 0o100755) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return packed.getvalue()


def test_a_zip_is_unpacked_likewise(try_archive, tmp_path):
    try_archive(zipped({"cli.exe": CONTENT}), {"cli.exe": listed()}, "a.zip")
    assert (tmp_path / "deep/staging/cli.exe").read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
def test_a_zip_cannot_lead_outside(try_archive, tmp_path, name):
    with pytest.raises(BadArchive):
        try_archive(zipped({name: CONTENT}), {name: listed()}, "a.zip")
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_in_a_zip(try_archive):
    with pytest.raises(BadArchive, match="neither a file nor a folder"):
        try_archive(
            zipped({"cli.exe": b"/etc/passwd"}, 0o120777), {"cli.exe": listed(b"/etc/passwd")}, "a.zip"
        )


def test_a_zip_that_was_cut_off(try_archive):
    with pytest.raises(BadArchive):
        try_archive(zipped({"cli.exe": CONTENT})[:-30], {"cli.exe": listed()}, "a.zip")


# --- for another machine ---


def elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, machine) + bytes(40)


def mach_o(machine: int) -> bytes:
    return struct.pack("<II", 0xFEEDFACF, machine) + bytes(60)


def pe(machine: int) -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", machine)


@pytest.mark.parametrize(
    ("head", "name", "target"),
    [
        (elf(0x3E), "x86_64-linux", LINUX),
        (elf(0xB7), "aarch64-linux", "aarch64-unknown-linux-gnu"),
        (mach_o(0x0100000C), "aarch64-apple", "aarch64-apple-darwin"),
        (pe(0x8664), "x86_64-windows", WINDOWS),
    ],
)
def test_programs_say_what_they_are_built_for(head, name, target):
    assert built_for(head) == name
    assert suits(head, target)
    assert not suits(head, "riscv64gc-unknown-linux-gnu")


def test_scripts_suit_every_machine():
    assert suits(b"#!/bin/sh\n", LINUX)


def test_a_release_with_programs_of_another_machine_is_not_installed(tool, tmp_path):
    from .world import BASE, Publisher

    publisher = Publisher.create(tmp_path / "odd")
    publisher.release("2.10.0", tar_gz({**release_files("2.10.0"), "spacetimedb-cli": elf(0xB7)}))
    tool.anchor = publisher.anchor
    tool.net.files.clear()
    tool.net.serve(BASE, publisher.files())
    outcome = tool("install", "2.10.0")
    assert outcome.exit == 1
    assert "was built for another machine than this (x86_64-unknown-linux-gnu)" in outcome.err
    assert not (tool.bin / "2.10.0").exists()
    assert tool.leftovers() == []


def test_an_archive_published_for_another_target_is_not_installed(tool, tmp_path):
    from .world import BASE, Publisher

    publisher = Publisher.create(tmp_path / "odd")
    publisher.release("2.10.0", target="aarch64-apple-darwin")
    tool.anchor = publisher.anchor
    tool.net.files.clear()
    tool.net.serve(BASE, publisher.files())
    outcome = tool("install", "2.10.0")
    assert "no prebuilt binaries available for the detected OS and architecture" in outcome.err
    outcome = tool("install", "2.10.0", "--artifact-name", "spacetime-aarch64-apple-darwin.tar.gz")
    assert outcome.exit == 1
    assert "is for aarch64-apple-darwin, this machine is x86_64-unknown-linux-gnu" in outcome.err
