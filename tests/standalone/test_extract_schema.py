"""`extract-schema`: the definition of a module on standard output, and nothing else there."""

import json
from pathlib import Path

import pytest

from spacetimedb_standalone.__main__ import main

CHAT = Path(__file__).parents[2] / "templates" / "chat-rust" / "chat.wasm"


def test_a_module_describes_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["extract-schema", str(CHAT)]) == 0
    printed = capsys.readouterr()
    sections = {next(iter(section)): section for section in json.loads(printed.out)["sections"]}
    tables = [table["source_name"] for table in sections["Tables"]["Tables"]]
    assert "message" in tables
    assert not printed.out.endswith("\n")


def test_the_kind_can_be_given_where_the_name_does_not_say_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "module").write_bytes(CHAT.read_bytes())
    assert main(["extract-schema", str(tmp_path / "module")]) == 1
    assert "--host-type not provided but cannot deduce from file extension" in capsys.readouterr().err
    assert main(["extract-schema", str(tmp_path / "module"), "--host-type", "wasm"]) == 0


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.wasm", b"", "failed to parse WebAssembly module: "),
        ("text.wasm", b"this is no module", "failed to parse WebAssembly module: "),
        ("bare.wasm", bytes.fromhex("0061736d01000000"), "unable to determine ABI of module"),
        ("script.js", b"export {}", "this server runs WebAssembly modules only"),
    ],
)
def test_what_is_no_module_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, complaint: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["extract-schema", str(tmp_path / name)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"Error: {complaint}")


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["extract-schema", str(tmp_path / "none.wasm")]) == 1
    assert capsys.readouterr().err == f"Error: {tmp_path / 'none.wasm'}: No such file or directory\n"
