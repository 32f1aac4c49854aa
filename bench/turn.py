"""What one transaction costs in the engine alone: from the bytes of a WebSocket frame to the reply's frame and the
record in the log, without sockets, disk or other processes.

    python -m bench.turn [--accounts N] [--connections N] [--depth N] [--rounds N] [--watch]

The module is the transfer benchmark (`keynote.wasm`); time is that of the process (user and system), the best round.
"""

import argparse
import gc
import random
import struct
import time
from pathlib import Path

from spacetimedb_engine import Connection, Store, Turn, is_compiled
from spacetimedb_standalone.host.interface import LogRecord
from spacetimedb_standalone.host.wasm.instance import WasmInstance
from spacetimedb_standalone.host.wasm.limits import WasmLimits
from spacetimedb_standalone.host.wasm.program import WasmModule
from spacetimedb_standalone.host.wasm.runtime import WasmRuntime

MODULE = Path(__file__).parent.parent / "tests" / "modules" / "keynote.wasm"
TABLE, INDEX, UNIQUE, HASH = 4096, 1, True, 1
U32, I64 = b"\x0b", b"\x0c"
NAMELESS = b"\x01"
SEED, TRANSFER = (b"seed", 0), (b"transfer", 1)
NOW = 1_700_000_000_000_000
BALANCE = 1_000_000


def product(*types: bytes) -> bytes:
    """BSATN of a product type whose elements have no names."""
    return b"\x02" + struct.pack("<I", len(types)) + b"".join(NAMELESS + kind for kind in types)


class Services:
    """The little that this module asks of its database."""

    def table_id(self, name: str) -> int:
        return TABLE

    def index_id(self, name: str) -> int:
        return INDEX

    def log(self, record: LogRecord) -> None:
        print(record.message)

    def monotonic(self) -> float:
        return time.monotonic()


class Host:
    """Nothing but calls is expected."""

    def on_commit(self, conn: Connection, request_id: int, offset: int) -> bytes | None:
        return None

    def on_failure(
        self, conn: Connection, request: int, reducer: int, status: int, text: bytes, at: int
    ) -> None:
        raise AssertionError(f"call {request} failed: {status} {text.decode()}")


def frame(payload: bytes, mask: bytes) -> bytes:
    """A masked client frame of fewer than 126 bytes."""
    padded = mask * (len(payload) // 4 + 1)
    return (
        bytes([0x82, 0x80 | len(payload)])
        + mask
        + bytes(a ^ b for a, b in zip(payload, padded, strict=False))
    )


def call(request_id: int, name: bytes, args: bytes) -> bytes:
    """A v2 CallReducer."""
    return struct.pack("<BIBI", 3, request_id, 0, len(name)) + name + struct.pack("<I", len(args)) + args


def transfers(count: int, accounts: int, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    frames = []
    for number in range(count):
        payer, payee = chance.sample(range(accounts), 2)
        message = call(number, b"transfer", struct.pack("<IIq", payer, payee, 1))
        frames.append(frame(message, chance.randbytes(4)))
    return frames


def loaded(accounts: int, runtime: WasmRuntime) -> tuple[Store, Turn, WasmInstance]:
    """A store with the accounts, and a turn over the module."""
    store = Store()
    store.create_table(TABLE, product(U32, I64), 0)
    store.create_index(INDEX, TABLE, HASH, UNIQUE, [0])
    module = WasmModule.compile(MODULE.read_bytes(), None, runtime)
    instance = WasmInstance(module, store, Services(), bytes(32))  # type: ignore[arg-type]
    turn = Turn(store, Host())  # type: ignore[arg-type]
    turn.guest = instance.guest
    turn.set_reducers([(*SEED, product(U32, I64), 2), (*TRANSFER, product(U32, U32, I64), 2)])
    outcome = turn.call(SEED[1], SEED[0], bytes(32), bytes(16), NOW, struct.pack("<Iq", accounts, BALANCE))
    assert outcome.status == 0, outcome.text
    store.take_log()
    return store, turn, instance


def batches(
    frames: list[bytes], connections: list[Connection], depth: int
) -> list[list[tuple[Connection, bytes]]]:
    """Turns in which every connection brought `depth` frames."""
    step = len(connections) * depth
    return [
        [
            (conn, b"".join(frames[at + k * depth : at + (k + 1) * depth]))
            for k, conn in enumerate(connections)
        ]
        for at in range(0, len(frames) - step + 1, step)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--depth", type=int, default=40, help="frames of a connection in one turn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--transactions", type=int, default=25_600, help="in a round")
    parser.add_argument("--watch", action="store_true", help="somebody watches the table")
    options = parser.parse_args()
    runtime = WasmRuntime(WasmLimits.of_this_machine())
    store, turn, _instance = loaded(options.accounts, runtime)
    store.watch(TABLE, options.watch)
    connections = [turn.open(bytes([k]) * 32, bytes([k]) * 16, 2, False) for k in range(options.connections)]
    frames = transfers(options.transactions, options.accounts, 1)
    turns = batches(frames, connections, options.depth)
    done = sum(len(batch) for batch in turns) * options.depth
    gc.freeze()
    best, log, replies = 1e9, 0, 0
    for _ in range(options.rounds):
        began = time.process_time()
        for batch in turns:
            replies = sum(len(conn.take()) for conn in turn.run(batch, NOW))
            log = len(store.take_log())
        best = min(best, time.process_time() - began)
    total = sum(struct.unpack_from("<q", row, 4)[0] for row in store.scan(TABLE))
    assert total == options.accounts * BALANCE, "money was made or lost"
    form = "compiled" if is_compiled() else "uncompiled"
    print(
        f"{form}: {best / done * 1e6:.3f} us per transaction, {options.connections} x {options.depth}, ",
        end="",
    )
    print(f"{replies} bytes of replies and {log} of log in a turn, {store.memory_in_use()} bytes in memory")
    runtime.close()


if __name__ == "__main__":
    main()
