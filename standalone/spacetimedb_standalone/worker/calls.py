"""Calls and SQL over HTTP: each is a connection of its own, for as long as the request lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from aiohttp import web

from spacetimedb_engine import Status
from spacetimedb_standalone.database.caller import Caller
from spacetimedb_standalone.database.database import Database
from spacetimedb_standalone.database.functions import (
    ArgumentsError,
    LifecycleError,
    UnknownFunctionError,
    arguments_from_json,
    find_procedure,
    find_reducer,
)
from spacetimedb_standalone.database.lifecycle import Refusal, RefusedFor, connect, disconnect
from spacetimedb_standalone.database.procedures import (
    NO_BUDGET,
    ProcedureResult,
    Procedures,
    value_as_json,
)
from spacetimedb_standalone.database.statements import execute
from spacetimedb_standalone.ports.clock import Clock
from spacetimedb_standalone.sql import SqlError
from spacetimedb_standalone.worker.loop_turn import LoopTurn
from spacetimedb_standalone.worker.requests import caller_of
from spacetimedb_standalone.worker.waiting import outcome_of

REDUCER_FAILED = 530
"""The status of a reducer that said no or trapped."""
NO_BUDGET_TO_CONNECT = "Insufficient energy balance to run `client_connected` reducer"


class CallRoutes:
    def __init__(self, database: Database, turn: LoopTurn, clock: Clock, procedures: Procedures) -> None:
        self._database, self._turn, self._clock, self._procedures = database, turn, clock, procedures

    async def call(self, request: web.Request) -> web.Response:
        caller, name = caller_of(request), request.match_info["function"]
        text = (await request.read()).decode()
        reducers_only = request.query.get("kind") == "reducer"
        with self._connected(caller) as refusal:
            return _refused(refusal) if refusal else await self._call(caller, name, text, reducers_only)

    async def sql(self, request: web.Request) -> web.Response:
        caller = caller_of(request)
        text = (await request.read()).decode()
        with self._connected(caller) as refusal:
            answer = _refused(refusal) if refusal else self._sql(caller, text)
        if answer.status == 200 and request.query.get("confirmed", "true") == "true":
            await self._database.datastore.log.wait(self._database.datastore.read_offset())
        return answer

    @contextmanager
    def _connected(self, caller: Caller) -> Iterator[Refusal | None]:
        """Between this request's connect and disconnect; subscribers hear of all that happened."""
        try:
            refusal = connect(self._database, caller)
            try:
                yield refusal
            finally:
                if refusal is None:
                    disconnect(self._database, caller.identity, caller.connection_id)
        finally:
            self._turn.flush()

    async def _call(self, caller: Caller, name: str, text: str, reducers_only: bool) -> web.Response:
        database = self._database
        try:
            reducer = find_reducer(database, name, caller.is_owner)
            args = arguments_from_json(database, reducer, text)
        except (LifecycleError, ArgumentsError) as error:
            return web.Response(status=400, text=error.chain)
        except UnknownFunctionError as error:
            if reducers_only:
                return web.Response(status=404, text=str(error))
            return await self._call_procedure(caller, name, text)
        called = database.call(reducer, caller, args, json=text)
        headers = {"spacetime-energy-used": "0", "spacetime-execution-duration-micros": str(called.micros)}
        if called.status is Status.OK:
            return web.Response(text="", headers=headers)
        if called.status is Status.EXHAUSTED:
            return web.Response(status=402, text="Module energy budget exhausted.", headers=headers)
        return web.Response(status=REDUCER_FAILED, text=called.text, headers=headers)

    async def _call_procedure(self, caller: Caller, name: str, text: str) -> web.Response:
        try:
            procedure = find_procedure(self._database, name, caller.is_owner)
            args = arguments_from_json(self._database, procedure, text)
        except ArgumentsError as error:
            return web.Response(status=400, text=error.chain)
        except UnknownFunctionError as error:
            return web.Response(status=404, text=str(error))
        self._turn.flush()  # others hear of the connection now, not when the procedure is over
        result: ProcedureResult = await outcome_of(partial(self._procedures.start, procedure, caller, args))
        await self._database.datastore.log.wait(result.offset)
        if result.status is not Status.OK:
            return web.Response(status=402 if result.text == NO_BUDGET else 500, text=result.text)
        headers = {"spacetime-execution-duration-micros": str(result.micros)}
        value = value_as_json(procedure, result.value)
        return web.Response(body=value.encode(), content_type="application/json", headers=headers)

    def _sql(self, caller: Caller, text: str) -> web.Response:
        began = self._clock.monotonic()
        try:
            result = execute(self._database, caller, text)
        except SqlError as error:
            return web.Response(status=400, text=str(error))
        micros = int((self._clock.monotonic() - began) * 1_000_000)
        headers = {"spacetime-execution-duration-micros": str(micros)}
        return web.Response(body=result.json(micros), content_type="application/json", headers=headers)


def _refused(refusal: Refusal) -> web.Response:
    if refusal.reason is RefusedFor.EXHAUSTED:
        return web.Response(status=503, text=NO_BUDGET_TO_CONNECT)
    return web.Response(status=403, text=refusal.text)
