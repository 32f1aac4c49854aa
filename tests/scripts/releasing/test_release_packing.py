"""An archive is a function of its files and one time; two that differ are told apart member by member."""

import os
import tarfile
import time
import zipfile

import pytest

from scripts.releasing.archive import extract_tar, members, pack
from scripts.releasing.commands import BuildError
from scripts.releasing.compare import differences

EPOCH = 1_700_000_000
LONG = "a/" * 60 + "deep.txt"
FILES = {"b.txt": "two", "a-b": "three", "a/x": "one", "program": "#!", "ü/名": "letters", LONG: "far"}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "folder"
    for name, text in FILES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    (made / "program").chmod(0o700)
    (made / "empty").mkdir()
    return made


@pytest.fixture(params=["tar.gz", "zip"])
def archive(request, tmp_path):
    return tmp_path / f"spacetime.{request.param}"


def packed_twice(folder, archive):
    pack(folder, archive, EPOCH)
    first = archive.read_bytes()
    for path in folder.rglob("*"):  # what must not matter: times, the masks of the builder, when it happens
        os.utime(path, (time.time(), 12345))
        path.chmod(path.stat().st_mode | 0o066)
    pack(folder, archive, EPOCH)
    return first, archive.read_bytes()


def test_the_same_files_pack_to_the_same_bytes(folder, archive):
    first, second = packed_twice(folder, archive)
    assert first == second


def test_another_time_is_another_archive(folder, archive):
    pack(folder, archive, EPOCH)
    first = archive.read_bytes()
    pack(folder, archive, EPOCH + 2)
    assert archive.read_bytes() != first


def test_members_of_a_tar_file(folder, tmp_path):
    pack(folder, tmp_path / "a.tar.gz", EPOCH)
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == sorted(FILES)
        assert all(member.isreg() for member in members), "no folders, no links"
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(EPOCH, 0, 0, "", "")}
        assert {m.name: m.mode for m in members if m.mode != 0o644} == {"program": 0o755}
        assert {m.name: tar.extractfile(m).read().decode() for m in members} == FILES


def test_a_tar_file_is_unpacked_by_any_python_that_builds_releases(folder, tmp_path, monkeypatch):
    monkeypatch.delattr(tarfile, "data_filter", raising=False)  # as before 3.11.4
    pack(folder, tmp_path / "a.tar.gz", EPOCH)
    extract_tar(tmp_path / "a.tar.gz", tmp_path / "unpacked")
    assert [name for name, _ in members(tmp_path / "unpacked")] == [name for name, _ in members(folder)]


def test_members_of_a_zip_file(folder, tmp_path):
    pack(folder, tmp_path / "a.zip", EPOCH)
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        entries = packed.infolist()
        assert [entry.filename for entry in entries] == sorted(FILES)
        assert {entry.date_time for entry in entries} == {time.gmtime(EPOCH)[:6]}
        assert packed.getinfo("program").external_attr >> 16 == 0o100755


def test_links_are_not_packed(folder, archive):
    (folder / "link").symlink_to("b.txt")
    with pytest.raises(BuildError, match="is neither file nor folder"):
        pack(folder, archive, EPOCH)


def test_what_differs_between_two_builds(folder, archive, tmp_path):
    pack(folder, archive, EPOCH)
    other = tmp_path / f"other-{archive.name}"
    other.write_bytes(archive.read_bytes())
    assert differences(archive, other) == []
    (folder / "b.txt").write_text("changed")
    (folder / "a/x").unlink()
    (folder / "new").write_text("")
    (folder / "program").chmod(0o600)
    pack(folder, other, EPOCH)
    assert differences(archive, other) == [
        "a/x: only in the first build",
        "b.txt: other content",
        "new: only in the second build",
        "program: mode 755, then 644" if archive.suffix == ".gz" else "program: mode 100755, then 100644",
    ]


def test_builds_that_differ_in_packing_alone(folder, archive, tmp_path):
    pack(folder, archive, EPOCH)
    other = tmp_path / f"other-{archive.name}"
    pack(folder, other, EPOCH + 2)
    assert differences(archive, other) == ["the members are equal, but not the way they are packed"]
