"""Watching a set of queries: one line of JSON for every update, until something ends it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from spacetimedb_cli.errors import PeerError
from spacetimedb_cli.subscribe.messages import Applied, Refused, TableChange, read_payload, subscribe_message
from spacetimedb_cli.terminal import Terminal
from spacetimedb_lib.sats.bsatn import codec
from spacetimedb_lib.sats.errors import SatsError
from spacetimedb_lib.sats.json_write import Style, json_writer
from spacetimedb_lib.sats.types import Product


class Wire(Protocol):
    """What is needed of a connection (`subscribe.socket.Socket`)."""

    def send(self, message: bytes) -> None: ...
    def receive(self, seconds: float | None) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: after this many updates, after this many seconds. None is never."""

    updates: int | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Watcher:
    """Shows what happens to rows of the types given, by table."""

    terminal: Terminal
    row_types: Mapping[str, Product]
    limits: Limits
    show_initial: bool = False
    clock: Callable[[], float] = time.monotonic
    _printers: dict[str, Callable[[bytes], str]] = field(default_factory=dict)

    def run(self, wire: Wire, queries: list[str]) -> None:
        """Returns when the wanted updates came, or time was up and nobody had counted on a number.

        Raises `PeerError` when the server refuses the queries, or too few updates came.
        """
        end = None if self.limits.seconds is None else self.clock() + self.limits.seconds
        wire.send(subscribe_message(queries))
        received = 0
        while received != self.limits.updates:
            try:
                payload = wire.receive(None if end is None else max(0.0, end - self.clock()))
            except TimeoutError:
                self.terminal.err(f"timed out after {self.limits.seconds}s")
                return self._fell_short(f"timed out after {self.limits.seconds}s", received)
            if payload is None:
                if self.limits.updates is None:
                    self.terminal.err("disconnected by server")
                return self._fell_short("closed", received)
            received += self._show_all(payload, received)
        return None

    def _show_all(self, payload: bytes, received: int) -> int:
        """Shows the messages of a payload as far as they are wanted; returns how many updates it showed."""
        shown = 0
        for message in read_payload(payload):
            if isinstance(message, Refused):
                raise PeerError(f"encountered error in initial subscribe: {message.reason}")
            if isinstance(message, Applied):
                if self.show_initial:
                    self.terminal.out(self._line(message.changes))
            elif received + shown != self.limits.updates:
                self.terminal.out(self._line(message.changes))
                shown += 1
        return shown

    def _fell_short(self, how: str, received: int) -> None:
        if self.limits.updates is not None:
            raise PeerError(f"subscription {how} after receiving {received}/{self.limits.updates} updates")

    def _line(self, changes: tuple[TableChange, ...]) -> str:
        """`{"table":{"deletes":[…],"inserts":[…]}}`: all changes of a table together."""
        tables: dict[str, tuple[list[str], list[str]]] = {}
        for change in changes:
            deletes, inserts = tables.setdefault(change.table, ([], []))
            deletes += self._rows(change.table, change.deletes)
            inserts += self._rows(change.table, change.inserts)
        entries = (
            f'{json.dumps(name)}:{{"deletes":[{",".join(deletes)}],"inserts":[{",".join(inserts)}]}}'
            for name, (deletes, inserts) in tables.items()
        )
        return f"{{{','.join(entries)}}}"

    def _rows(self, table: str, rows: list[bytes]) -> list[str]:
        if table not in self._printers:
            if table not in self.row_types:
                raise PeerError(f"the server sent rows of `{table}`, which its schema does not have")
            self._printers[table] = _row_printer(self.row_types[table])
        try:
            return [self._printers[table](row) for row in rows]
        except SatsError as error:
            raise PeerError(
                f"the server sent a row of `{table}` that does not fit its type: {error}"
            ) from None


def _row_printer(row_type: Product) -> Callable[[bytes], str]:
    """The function from a row in BSATN to its JSON, with names for fields and variants."""
    decode, write = codec(row_type).decode_exact, json_writer(row_type, style=Style.TYPED)
    return lambda row: write(decode(row))
