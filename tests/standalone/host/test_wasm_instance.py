"""Modules come to life, are called, misbehave and are replaced: real ones, and small ones of WebAssembly text."""

import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import wasmtime

from spacetimedb_engine import Store
from spacetimedb_lib.identity import Identity
from spacetimedb_lib.moduledef import ModuleDef, decode
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.program import Program, ProgramKind
from spacetimedb_standalone.host.interface import LogRecord, ModuleError, Outcome, Status
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.host.wasm.limits import WasmLimits
from spacetimedb_standalone.host.wasm.program import WasmModule
from spacetimedb_standalone.host.wasm.runtime import WasmRuntime

MODULES = Path(__file__).parents[2] / "modules"
IDENTITY, CALLER, CONNECTION = bytes(range(32)), bytes([7]) * 32, bytes([9]) * 16
NOW = 1_700_000_000_000_000


class Services:
    """A database as far as a module sees it, over a datastore."""

    def __init__(self, datastore: Datastore) -> None:
        self.datastore = datastore
        self.records: list[LogRecord] = []
        self.now = 0.0
        self.times: list[str] = []

    def table_id(self, name: str) -> int | None:
        table = self.datastore.schema.table(name)
        return None if table is None else table.id

    def index_id(self, name: str) -> int | None:
        index = self.datastore.schema.index(name)
        return None if index is None else index.id

    def log(self, record: LogRecord) -> None:
        self.records.append(record)

    def monotonic(self) -> float:
        return self.now

    def jwt(self, connection_id: bytes) -> str | None:
        return None

    def env(self, key: str) -> str | None:
        return None

    def row_written(self, table_id: int, row: bytes, inserted: bool) -> int:
        return 0

    def schedule_now(self, function: str, args: bytes) -> None:
        self.times.append(f"{function} {args!r}")

    def start_tx(self) -> int:
        self.datastore.begin()
        return NOW

    def commit_tx(self) -> None:
        self.datastore.commit()

    def abort_tx(self) -> None:
        self.datastore.rollback()

    def sleep_until(self, wake: int) -> int:
        return max(wake, NOW)

    def http(self, request: bytes, body: bytes, in_transaction: bool) -> list[bytes] | int:
        return -17 if in_transaction else [b"", b""]


class World:
    """The module that misbehaves on request, published."""

    def __init__(self, runtime: WasmRuntime, name: str = "hostile") -> None:
        self.datastore = Datastore.in_memory()
        self.services = Services(self.datastore)
        program = (MODULES / f"{name}.wasm").read_bytes()
        self.module = WasmModule.compile(program, None, runtime)
        self.instance = self.start()
        self.definition: ModuleDef = decode(self.instance.description)
        self.datastore.init_program(
            Program(ProgramKind.WASM, bytes(32), program),
            self.definition,
            database_identity=Identity(IDENTITY),
            owner=Identity(CALLER),
            system_log=lambda level, text: None,
            rule_target=lambda sql: 0,
            run_init=None,
        )

    def start(self, may_wait: bool = False) -> WasmInstance:
        store: Store = self.datastore.store
        return WasmInstance(self.module, store, self.services, IDENTITY, may_wait=may_wait)

    def call(self, name: str, args: bytes = b"") -> Outcome:
        """A reducer in a transaction of its own; a dead instance is replaced."""
        reducer = next(r for r in self.definition.reducers.values() if r.name == name)
        self.datastore.begin()
        outcome = self.instance.call_reducer(reducer.id, name, CALLER, CONNECTION, NOW, args)
        if outcome.status is Status.OK:
            self.datastore.commit()
        else:
            self.datastore.rollback()
        if self.instance.dead:
            self.instance.close()
            self.instance = self.start()
        return outcome

    def procedure(self, name: str, args: bytes = b"") -> Outcome:
        procedure = next(p for p in self.definition.procedures.values() if p.name == name)
        instance = self.start(may_wait=True)
        outcome = instance.call_procedure(procedure.id, name, CALLER, CONNECTION, NOW, args)
        if self.datastore.store.in_transaction:
            self.datastore.rollback()
        instance.close()
        return outcome

    def count(self, table: str) -> int:
        found = self.services.table_id(table)
        assert found is not None
        return self.datastore.store.count(found)

    @property
    def messages(self) -> list[str]:
        return [record.message for record in self.services.records]


@pytest.fixture(scope="module")
def runtime() -> Iterator[WasmRuntime]:
    runtime = WasmRuntime(WasmLimits(memory_bytes=64 << 20, call_seconds=1.0))
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def world(runtime: WasmRuntime) -> World:
    return World(runtime)


@pytest.fixture(autouse=True)
def works_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a reducer did, the next call works, and nothing of a failed one has stayed."""
    yield
    if "world" in request.fixturenames:
        world: World = request.getfixturevalue("world")
        before = world.count("witness")
        assert world.call("ok").status is Status.OK
        assert world.count("witness") == before + 1
        world.services.records.clear()


# ---- misbehaving


@pytest.mark.parametrize(
    ("reducer", "args", "reason"),
    [
        ("panic_plain", b"\4\0\0\0boom", "unreachable"),
        ("unwrap_none", b"", "unreachable"),
        ("out_of_bounds", b"\x63\0\0\0", "unreachable"),
        ("divide", b"\0\0\0\0", "unreachable"),
        ("trap_unreachable", b"", "unreachable"),
        ("read_wild", b"", "out of bounds memory access"),
        ("recurse_forever", b"", "out of bounds memory access"),
        ("raw_bad_pointer", b"", "out of bounds pointer passed to a spacetime function"),
        ("raw_bad_out_pointer", b"", "out of bounds pointer passed to a spacetime function"),
        ("raw_bad_text", b"", "invalid utf8 passed to a spacetime function"),
        ("raw_sleep_in_reducer", b"", "procedure_sleep_until is only available in async instances"),
    ],
)
def test_traps(world: World, reducer: str, args: bytes, reason: str) -> None:
    before = world.count("witness")
    outcome = world.call(reducer, args)
    assert outcome.status is Status.TRAPPED
    assert outcome.text.startswith("error while executing at wasm backtrace:")
    assert reason in outcome.text
    assert world.count("witness") == before


@pytest.mark.parametrize(
    "reducer",
    [
        "spin_forever",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("spin_on_host", "log_forever", "insert_forever")
        ),
    ],
)
def test_endless_calls_end(world: World, reducer: str) -> None:
    before, began = world.count("witness"), time.monotonic()
    assert world.call(reducer).status is Status.EXHAUSTED
    assert time.monotonic() - began < 60
    assert world.count("witness") == before


@pytest.mark.parametrize(
    ("reducer", "args"), [("allocate_forever", b""), ("allocate", struct.pack("<I", 100))]
)
def test_memory_has_a_limit(world: World, reducer: str, args: bytes) -> None:
    before = world.count("witness")
    assert world.call(reducer, args).status is Status.TRAPPED
    assert world.count("witness") == before
    assert world.instance.guest.memory_size < 4 << 20, "the replacement begins small"


def test_memory_within_the_limit(world: World) -> None:
    assert world.call("allocate", struct.pack("<I", 20)).status is Status.OK
    assert world.messages == ["allocated 20971520 bytes"]


def test_errors_of_the_module_are_no_traps(world: World) -> None:
    instance = world.instance
    assert world.call("write_then_fail", struct.pack("<I", 3)) == Outcome(Status.FAILED, "gave up after 3")
    assert world.call("long_error", struct.pack("<I", 100_000)).text == "e" * 100_000
    assert world.instance is instance


def test_a_panic_is_logged_with_its_stack(world: World) -> None:
    world.call("panic_plain", b"\4\0\0\0boom")
    [record] = world.services.records
    assert (record.level, record.message, record.function) == (101, "boom", "panic_plain")
    assert record.filename == "src/lib.rs"
    assert record.line_number is not None
    assert len(record.trace) >= 3


def test_lines_with_bad_levels_and_bytes(world: World) -> None:
    world.call("raw_bad_log")
    assert [(record.level, record.message) for record in world.services.records] == [
        (77, "level 77"),
        (2, "x\ufffdy"),
    ]


def test_big_rows_and_arguments(world: World) -> None:
    assert world.call("big_row", struct.pack("<II", 1_000_000, 1 << 20)).status is Status.OK
    assert world.call("many_rows", struct.pack("<II", 300, 200)).status is Status.OK
    assert world.call("check_blobs").status is Status.OK
    assert world.call("swallow", struct.pack("<I", 1 << 20) + bytes(1 << 20)).status is Status.OK
    assert world.messages == [f"301 blobs, {(1 << 20) + 300 * 200} bytes", "swallowed 1048576"]
    assert world.call("clear_blobs").status is Status.OK


def test_rows_change_under_an_iterator(world: World) -> None:
    for _ in range(3):
        world.call("ok")
    assert world.call("insert_while_iterating", struct.pack("<I", 3)).status is Status.OK
    assert world.call("delete_while_iterating").status is Status.OK
    assert world.messages[0] == "made 3"
    assert re.fullmatch(r"deleted \d+, left 0", world.messages[1])


def test_leaked_handles(world: World) -> None:
    assert world.call("leak_iterators", struct.pack("<I", 300)).status is Status.OK
    assert world.instance.guest.iters.live == 0
    assert world.call("leak_timers", struct.pack("<I", 1000)).status is Status.OK


@pytest.mark.parametrize(
    ("reducer", "args", "lines"),
    [
        ("raw_unknown_table_name", b"", ["table_id_from_name -> 4", "index_id_from_name -> 5"]),
        ("raw_bad_table_id", struct.pack("<IB", 9999, 0), ["datastore_table_row_count -> 4"]),
        ("raw_bad_table_id", struct.pack("<IB", 9999, 1), ["datastore_table_scan_bsatn -> 4"]),
        ("raw_bad_table_id", struct.pack("<IB", 9999, 2), ["datastore_insert_bsatn -> 4"]),
        ("raw_bad_table_id", struct.pack("<IB", 9999, 3), ["datastore_update_bsatn -> 4"]),
        ("raw_bad_table_id", struct.pack("<IB", 9999, 4), ["datastore_delete_all_by_eq_bsatn -> 4"]),
        ("raw_bad_table_id", struct.pack("<IB", 9999, 5), ["datastore_clear -> 4"]),
        (
            "raw_bad_index_id",
            struct.pack("<I", 9999),
            [
                "datastore_index_scan_point_bsatn -> 5",
                "datastore_index_scan_range_bsatn -> 5",
                "datastore_delete_by_index_scan_point_bsatn -> 5",
                "datastore_delete_by_index_scan_range_bsatn -> 5",
            ],
        ),
        ("raw_bad_row", b"\0", ["row -> 3"]),
        ("raw_bad_row", b"\2", ["row -> 3"]),
        ("raw_bad_row", b"\3", ["row -> 5"]),
        ("raw_bad_row", b"\4", ["row -> 15"]),
        (
            "raw_bad_iterator",
            struct.pack("<I", 99),
            ["row_iter_bsatn_advance -> 6", "row_iter_bsatn_close -> 6"],
        ),
        ("raw_close_twice", b"", ["scan -> 0", "close -> 0", "close again -> 6", "advance -> 6"]),
        (
            "raw_bad_bytes",
            struct.pack("<I", 99),
            ["bytes_source_read -> 8", "bytes_source_remaining_length -> 8", "bytes_sink_write -> 8"],
        ),
        ("raw_bad_timer", struct.pack("<I", 999_999), ["console_timer_end -> 7"]),
        (
            "raw_procedure_calls",
            b"",
            ["procedure_start_mut_tx -> 17", "procedure_commit_mut_tx -> 18", "procedure_abort_mut_tx -> 18"],
        ),
    ],
)
def test_bad_calls_of_host_functions_get_error_numbers(
    world: World, reducer: str, args: bytes, lines: list[str]
) -> None:
    assert world.call(reducer, args).status is Status.OK
    assert world.messages == lines


def test_host_functions_under_their_old_names(world: World) -> None:
    world.call("many_rows", struct.pack("<II", 3, 4))
    assert world.call("raw_old_names").status is Status.OK
    assert world.messages == [
        "datastore_btree_scan_bsatn -> 0",
        "row_iter_bsatn_advance -> -1, 36 bytes",
        "datastore_delete_by_btree_scan_bsatn -> 0",
        "3 gone",
    ]


# ---- procedures


def test_procedures_give_values_and_open_transactions(world: World) -> None:
    assert world.procedure("procedure_big_result", struct.pack("<I", 5)).value == b"\5\0\0\0" + b"\7" * 5
    assert world.procedure("procedure_nested_tx").status is Status.OK
    assert world.procedure("procedure_leave_tx_open").status is Status.OK
    assert world.procedure("procedure_read_outside_tx").status is Status.OK
    assert world.messages == [
        "procedure_start_mut_tx -> 17",
        "procedure_commit_mut_tx -> 18",
        "procedure_abort_mut_tx -> 18",
        "procedure_start_mut_tx -> 0",
        "table_id_from_name -> 2",
        "datastore_table_row_count -> 2",
    ]


def test_procedures_that_fail(world: World) -> None:
    before = world.count("witness")
    assert world.procedure("procedure_panic_in_tx").status is Status.TRAPPED
    assert world.procedure("procedure_spin_forever").status is Status.EXHAUSTED
    assert world.count("witness") == before


def test_sleeping_is_not_running(world: World) -> None:
    world.services.sleep_until = lambda wake: time.sleep(0.5) or wake  # type: ignore[method-assign, func-returns-value]
    assert world.procedure("procedure_sleep_long").status is Status.OK


# ---- views


def test_a_view_gives_rows_and_says_what_it_read(world: World) -> None:
    [view] = world.definition.views.values()
    world.datastore.begin()
    outcome = world.instance.call_view(view.id, "moody", CALLER, b"")
    world.datastore.rollback()
    assert (outcome.status, outcome.rows) == (Status.OK, bytes(4))
    assert outcome.reads[0].whole_table
    assert outcome.reads[0].id == world.services.table_id("witness")


# ---- another real module


def test_the_transfer_benchmark(runtime: WasmRuntime) -> None:
    bank = World(runtime, "keynote")
    assert bank.call("seed", struct.pack("<Iq", 10, 100)).status is Status.OK
    assert bank.count("accounts") == 10
    assert bank.call("transfer", struct.pack("<IIq", 1, 2, 30)).status is Status.OK
    for args, text in (
        ((1, 1, 5), "same_account"),
        ((1, 2, 0), "non_positive_amount"),
        ((1, 99, 5), "account_missing"),
        ((1, 2, 71), "insufficient_funds"),
    ):
        assert bank.call("transfer", struct.pack("<IIq", *args)) == Outcome(Status.FAILED, text)
    table = bank.services.table_id("accounts")
    assert table is not None
    rows = dict(struct.unpack("<Iq", row) for row in bank.datastore.store.scan(table))
    assert (rows[1], rows[2], sum(rows.values())) == (70, 130, 1000)


# ---- coming to life

HEAD = '(import "spacetime_10.0" "bytes_sink_write" (func $write (param i32 i32 i32) (result i32)))'
REDUCER = '(func (export "__call_reducer__") (param i32 i64 i64 i64 i64 i64 i64 i64 i32 i32) (result i32) i32.const 0)'
SAY = """(memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
 (func $say (param i32) (i32.store8 (i32.add (i32.const 1024) (global.get $n)) (local.get 0))
  (global.set $n (i32.add (global.get $n) (i32.const 1))))
 (func (export "__describe_module__") (param i32)
  (i32.store (i32.const 16) (global.get $n)) (drop (call $write (local.get 0) (i32.const 1024) (i32.const 16))))"""


def start(runtime: WasmRuntime, *parts: str) -> WasmInstance:
    program = bytes(wasmtime.wat2wasm(f"(module {HEAD} {' '.join(parts)})"))
    services = Services(Datastore.in_memory())
    return WasmInstance(WasmModule.compile(program, None, runtime), Store(), services, IDENTITY)


def test_initializers_run_in_order(runtime: WasmRuntime) -> None:
    def says(name: str, letter: str) -> str:
        return f'(func (export "{name}") (call $say (i32.const {ord(letter)})))'

    instance = start(
        runtime,
        SAY,
        REDUCER,
        says("__preinit__20_b", "3"),
        says("__preinit__10", "2"),
        says("_initialize", "1"),
        says("__preinit__20_a", "x"),
        '(func (export "__setup__") (param i32) (result i32) (call $say (i32.const 52)) (i32.const 0))',
        "(func $begin (call $say (i32.const 48))) (start $begin)",
    )
    assert instance.description == b"012x34"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (
            ('(import "env" "abort" (func))', SAY, REDUCER),
            "the module imports `abort` from `env`, which this server does not have",
        ),
        (
            ('(import "spacetime_10.0" "datastore_clear" (func (param i32 i32) (result i32)))', SAY, REDUCER),
            "the module imports `datastore_clear` from `spacetime_10.0`, which this server does not have",
        ),
        (
            ('(import "spacetime_10.0" "identity" (func (param i64)))', SAY, REDUCER),
            "the module could not be instantiated: incompatible import type for `spacetime_10.0::identity`",
        ),
        (
            (SAY, REDUCER, "(func $begin unreachable) (start $begin)"),
            "the module could not be instantiated: ",
        ),
        (
            (SAY, REDUCER, '(func (export "__preinit__1") unreachable)'),
            'wasm trap while calling "__preinit__1": ',
        ),
        (
            (SAY, REDUCER, '(func (export "_initialize") (loop br 0))'),
            'wasm trap while calling "_initialize": ',
        ),
        (
            (
                SAY,
                REDUCER,
                '(data (i32.const 4) "no luck") (func (export "__setup__") (param i32) (result i32)'
                " (i32.store (i32.const 16) (i32.const 7))"
                " (drop (call $write (local.get 0) (i32.const 4) (i32.const 16))) (i32.const 1))",
            ),
            "setup function returned an error: no luck",
        ),
        (
            (SAY.replace('(memory (export "memory") 1)', '(memory (export "memory") 2000)'), REDUCER),
            "the module could not be instantiated: ",
        ),
    ],
)
def test_what_does_not_come_to_life(runtime: WasmRuntime, parts: tuple[str, ...], text: str) -> None:
    with pytest.raises(ModuleError) as failed:
        start(runtime, *parts)
    assert str(failed.value).startswith(text)
    assert "\n" not in str(failed.value)


def test_a_function_that_the_module_does_not_export(runtime: WasmRuntime) -> None:
    with pytest.raises(ModuleError, match='there should be a function called "__call_view__"'):
        start(runtime, SAY, REDUCER).call_view(0, "v", CALLER, b"")


def test_an_instance_that_is_gone_is_not_called(runtime: WasmRuntime) -> None:
    instance = start(runtime, SAY, REDUCER)
    instance.close()
    assert instance.dead
    with pytest.raises(RuntimeError, match="start another"):
        instance.call_reducer(0, "r", CALLER, CONNECTION, NOW, b"")
