"""The parts of a build, each against pretended tools: also those of systems that this one is not."""

import shlex
import sys
from pathlib import Path

import pytest

from scripts.releasing import launchers, natives, natives_macos, packages
from scripts.releasing.commands import BuildError, run
from scripts.releasing.runtime import Interpreter, Layout, copy_interpreter, forget_place
from scripts.releasing.source import Source
from scripts.releasing.target import Target

LINUX = Target.of("linux", "x86_64")
MAC = Target.of("macos", "arm64")
WINDOWS = Target.of("windows", "AMD64")


class Tools:
    """Answers commands from a table of beginnings, and remembers what was run."""

    def __init__(self, **answers):
        self.answers, self.ran, self.environments = answers, [], []

    def __call__(self, argv, *, cwd=None, env=None, more_env=None):
        words = [str(word) for word in argv]
        self.ran.append(words)
        self.environments.append(more_env or {})
        answer = self.answers.get(Path(words[0]).name.replace("-", "_"), "")
        answer = answer(words) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("target", "archive"),
    [
        (LINUX, "spacetime-x86_64-unknown-linux-gnu.tar.gz"),
        (Target.of("linux", "aarch64"), "spacetime-aarch64-unknown-linux-gnu.tar.gz"),
        (MAC, "spacetime-aarch64-apple-darwin.tar.gz"),
        (Target.of("macos", "x86_64"), "spacetime-x86_64-apple-darwin.tar.gz"),
        (WINDOWS, "spacetime-x86_64-pc-windows-msvc.zip"),
    ],
)
def test_targets(target, archive):
    assert target.archive_name == archive
    assert target.program("spacetimedb-cli") == (
        "spacetimedb-cli.exe" if target is WINDOWS else "spacetimedb-cli"
    )


def test_a_platform_without_releases():
    with pytest.raises(BuildError, match="no release is made for linux on riscv64"):
        Target.of("linux", "riscv64")


def test_a_failing_tool_is_quoted():
    with pytest.raises(BuildError, match=r"failed with exit code 3:\nfirst\nsecond"):
        run(
            [
                sys.executable,
                "-c",
                "import sys; print('first'); print('second', file=sys.stderr); sys.exit(3)",
            ]
        )


def test_a_missing_tool():
    with pytest.raises(BuildError, match="cannot run no-such-tool: No such file or directory; install it"):
        run(["no-such-tool"])


# --- the interpreter ---


@pytest.fixture
def interpreter(tmp_path):
    stdlib, dynload, prefix = tmp_path / "stdlib", tmp_path / "dynload", tmp_path / "built here"
    for name in (
        "os.py",
        "json/__init__.py",
        "test/test_os.py",
        "site-packages/other.py",
        "config-3.11/Makefile",
    ):
        (stdlib / name).parent.mkdir(parents=True, exist_ok=True)
        (stdlib / name).write_text("x = 1\n")
    (stdlib / "sitecustomize.py").write_text("raise SystemExit('of this machine')\n")
    (stdlib / "_sysconfigdata__linux.py").write_text(f"build_time_vars = {{'prefix': '{prefix}'}}\n")
    dynload.mkdir()
    for name in (
        "_json.cpython-311-x86_64-linux-gnu.so",
        "_tkinter.cpython-311-x86_64-linux-gnu.so",
        "readline.so",
    ):
        (dynload / name).write_bytes(b"\x7fELF")
    library = tmp_path / "libpython3.11.so.1.0"
    library.write_bytes(b"\x7fELF")
    return Interpreter(prefix, stdlib, dynload, tmp_path / "include", library, None, ())


def test_the_interpreter_is_copied_without_what_nobody_imports(interpreter, tmp_path):
    runtime = tmp_path / "runtime"
    copy_interpreter(interpreter, Layout.of(LINUX, (3, 11)), LINUX, runtime)
    found = sorted(path.relative_to(runtime).as_posix() for path in runtime.rglob("*") if path.is_file())
    assert found == [
        "lib/libpython3.11.so.1.0",
        "lib/python3.11/_sysconfigdata__linux.py",
        "lib/python3.11/json/__init__.py",
        "lib/python3.11/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so",
        "lib/python3.11/os.py",
    ]


def test_the_place_where_it_was_built_is_forgotten(interpreter):
    forget_place(interpreter.stdlib, interpreter.prefix)
    text = (interpreter.stdlib / "_sysconfigdata__linux.py").read_text()
    assert text == "build_time_vars = {'prefix': '/install'}\n"


def test_an_interpreter_that_cannot_be_linked_with(tmp_path):
    with pytest.raises(BuildError, match="has no library to link with: install its development files"):
        Interpreter.running(
            {"LIBDIR": str(tmp_path), "LDLIBRARY": "libpython3.so", "LIBPL": "", "LIBRARY": "x.a"}
        )


def test_the_running_interpreter_can_be_copied():
    here = Interpreter.running()
    assert (here.stdlib / "os.py").is_file()
    assert (here.include / "Python.h").is_file()
    assert (here.shared_library or here.static_library).is_file()


# --- launchers ---


def launcher_commands(target, interpreter, tmp_path, **changes):
    tools = Tools()
    (tmp_path / "runtime").mkdir(exist_ok=True)
    layout = Layout.of(target, (3, 11))
    launchers.compile_all(tmp_path, interpreter, layout, target, tools)
    assert len(tools.ran) == 4
    return tools.ran


def test_each_program_runs_its_module(interpreter, tmp_path):
    programs = launcher_commands(LINUX, interpreter, tmp_path)
    modules = [next((word for word in argv if word.startswith("-DMODULE")), None) for argv in programs]
    assert modules == [
        '-DMODULE=L"spacetimedb_update.proxy.main"',
        '-DMODULE=L"spacetimedb_cli.__main__"',
        '-DMODULE=L"spacetimedb_standalone.__main__"',
        None,
    ]
    assert '-DTO_RUNTIME=L"/runtime"' in programs[0]
    assert '-DTO_RUNTIME=L""' in programs[3]
    assert programs[0][-2:] == [
        str(interpreter.shared_library),
        "-Wl,--disable-new-dtags,-rpath,$ORIGIN/runtime/lib",
    ]


def test_an_interpreter_without_a_shared_library_is_linked_in(interpreter, tmp_path):
    static = Interpreter(
        interpreter.prefix,
        interpreter.stdlib,
        interpreter.dynload,
        interpreter.include,
        None,
        tmp_path / "libpython3.11.a",
        ("-ldl",),
    )
    argv = launcher_commands(LINUX, static, tmp_path)[0]
    assert argv[-5:-1] == [str(tmp_path / "libpython3.11.a"), "-ldl", "-lm", "-Wl,-export-dynamic"]


def test_launchers_for_macos(interpreter, tmp_path):
    assert launcher_commands(MAC, interpreter, tmp_path)[3][-1] == "-Wl,-rpath,@loader_path/lib"


def test_launchers_for_windows_load_the_interpreter_late(interpreter, tmp_path):
    argv = launcher_commands(WINDOWS, interpreter, tmp_path)[1]
    assert argv[0] == "cl"
    assert "/DELAYLOAD:libpython3.11.so.1.0" in argv
    assert '/DTO_RUNTIME=L"\\\\runtime"' in argv
    assert f"/Fe{tmp_path / 'spacetimedb-cli.exe'}" in argv


# --- shared libraries ---

LDD = """\
\tlinux-vdso.so.1 (0x00007ffd)
\tlibssl.so.3 => {machine}/libssl.so.3 (0x00007f11)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f10)
\tlibown.so.1 => {runtime}/lib/libown.so.1 (0x00007f12)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f13)
"""


@pytest.fixture
def runtime(tmp_path):
    made = tmp_path / "runtime"
    (made / "lib/python3.11/lib-dynload").mkdir(parents=True)
    (made / "lib/python3.11/lib-dynload/_ssl.so").write_bytes(b"\x7fELF1")
    (made / "lib/python3.11/ssl.py").write_text("")
    (tmp_path / "libssl.so.3").write_bytes(b"\x7fELF2")
    return made


def test_libraries_that_a_system_may_lack_come_along(runtime, tmp_path):
    tools = Tools(ldd=LDD.format(machine=tmp_path, runtime=runtime))
    assert natives.complete(runtime, runtime / "lib", tools) == [tmp_path / "libssl.so.3"]
    assert (runtime / "lib/libssl.so.3").read_bytes() == b"\x7fELF2"
    assert [path.name for path in natives.elf_files(runtime)] == ["libssl.so.3", "_ssl.so"]


def test_a_library_that_is_nowhere(runtime):
    tools = Tools(ldd="\tlibmissing.so.1 => not found\n")
    with pytest.raises(BuildError, match=r"_ssl.so needs libmissing.so.1, which this machine does not have"):
        natives.complete(runtime, runtime / "lib", tools)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "$ORIGIN/../.."),
        (" 0x1d (RUNPATH)  Library runpath: [/home/ann/python/lib]", "$ORIGIN/../.."),
        (" 0x0f (RPATH)  Library rpath: [$ORIGIN/../x.libs:/opt/lib]", "$ORIGIN/../..:$ORIGIN/../x.libs"),
    ],
)
def test_each_file_finds_libraries_from_where_it_is_itself(runtime, before, after):
    tools = Tools(readelf=before)
    file = runtime / "lib/python3.11/lib-dynload/_ssl.so"
    natives.relocate([file], runtime / "lib", Path("patchelf"), tools)
    assert tools.ran[-1] == ["patchelf", "--force-rpath", "--set-rpath", after, str(file)]


def test_the_glibc_that_all_files_need():
    needs = {"a": "Name: GLIBC_2.4  GLIBC_2.34", "b": "GLIBC_2.9 GLIBC_2.2.5 GLIBC_PRIVATE", "c": ""}
    tools = Tools(readelf=lambda words: needs[words[-1]])
    assert natives.needed_glibc([Path("a"), Path("b"), Path("c")], tools) == "2.34"
    assert natives.needed_glibc([Path("c")], tools) == "2.17"


def test_licences_of_libraries_nobody_owns(tmp_path):
    tools = Tools(dpkg_query=BuildError("no path found"))
    assert natives.copy_licences([tmp_path / "libown.so"], tmp_path / "licences", tools) == ["libown.so"]


OTOOL = """\
/x/_ssl.so:
\t/opt/homebrew/libssl.3.dylib (compatibility version 3.0.0, current version 3.0.0)
\t/usr/lib/libSystem.B.dylib (compatibility version 1.0.0, current version 1.0.0)
\t@rpath/own.dylib (compatibility version 1.0.0, current version 1.0.0)
"""


def test_macos_refers_to_copies_and_signs_again(tmp_path):
    libraries = tmp_path / "runtime/lib"
    file = libraries / "python3.11/lib-dynload/_ssl.so"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xcf\xfa\xed\xfe")
    (libraries / "libssl.3.dylib").write_bytes(b"\xcf\xfa\xed\xfe")
    tools = Tools(otool=lambda words: OTOOL if words[-1].endswith("_ssl.so") else "")
    assert natives_macos.mach_files(tmp_path) == [libraries / "libssl.3.dylib", file]
    natives_macos.relocate([file], libraries, tools)
    change = ["-change", "/opt/homebrew/libssl.3.dylib", "@loader_path/../../libssl.3.dylib"]
    assert tools.ran[1:] == [
        ["install_name_tool", *change, str(file)],
        ["codesign", "--force", "--sign", "-", str(file)],
    ]


def test_a_library_that_is_nowhere_on_macos(tmp_path):
    (tmp_path / "_ssl.so").write_bytes(b"\xcf\xfa\xed\xfe")
    with pytest.raises(BuildError, match=r"install what brings /opt/homebrew/libssl.3.dylib"):
        natives_macos.complete(tmp_path, tmp_path / "lib", Tools(otool=OTOOL))


# --- packages ---


def test_every_library_must_be_locked(tmp_path):
    lock = {"typing-extensions": "4.16.0", "rich": "15.0.0"}
    (tmp_path / "typing_extensions-4.16.0-py3-none-any.whl").touch()
    packages.check_locked(tmp_path, lock)
    (tmp_path / "rich-14.0.0-py3-none-any.whl").touch()
    with pytest.raises(BuildError, match=r"rich-14.0.0.* is not what .* names \(rich==15.0.0\)"):
        packages.check_locked(tmp_path, lock)


def test_the_lock_file_is_read_by_normalized_names(tmp_path):
    (tmp_path / "lock").write_text("# comment\nast_serialize==0.13.1\nPyJWT==2.15.1\n")
    assert packages.read_lock(tmp_path / "lock") == {"ast-serialize": "0.13.1", "pyjwt": "2.15.1"}


def test_the_place_of_the_source_is_no_part_of_what_is_compiled(tmp_path):
    tools, place = Tools(), tmp_path / "a folder with blanks"
    packages.build_own_wheel(Source(place, "c0ffee", 1_700_000_000, "2.10.0"), tmp_path, tools)
    (environment,) = tools.environments
    assert shlex.split(environment["CFLAGS"]) == ["-g0", f"-ffile-prefix-map={place}=."]
    assert environment["SOURCE_DATE_EPOCH"] == "1700000000"


def test_what_no_program_reads_is_taken_away(tmp_path):
    keep = ["a/__init__.py", "a/_c.so", "a-1.dist-info/METADATA", "a-1.dist-info/licenses/LICENSE"]
    drop = [
        "a/_c.pyx",
        "a/tests/test_a.py",
        "a-1.dist-info/RECORD",
        "bin/a",
        "a/__pycache__/x.pyc",
        "a/b.pyi",
    ]
    for name in (*keep, *drop):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    packages.trim(tmp_path)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == sorted(
        keep
    )


def test_a_release_lists_what_it_is_made_of(tmp_path):
    (tmp_path / "rich-15.0.0-py3-none-any.whl").write_bytes(b"")
    (tmp_path / "spacetimedb_toolchain-2.10.0-cp311-cp311-linux_x86_64.whl").write_bytes(b"ours")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert packages.listed(tmp_path, "spacetimedb-toolchain") == f"{empty}  rich-15.0.0-py3-none-any.whl\n"
