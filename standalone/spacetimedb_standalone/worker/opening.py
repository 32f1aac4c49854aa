"""Putting a worker's parts together: datastore, engine turn, module, routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from spacetimedb_engine import EngineError, Turn
from spacetimedb_lib.moduledef import ModuleDefDecodeError, ValidationErrors
from spacetimedb_standalone.commitlog import LogError
from spacetimedb_standalone.config.settings import WasmSettings
from spacetimedb_standalone.database.database import Database, InitFailed
from spacetimedb_standalone.database.handlers import Handlers
from spacetimedb_standalone.database.lifecycle import disconnect_all
from spacetimedb_standalone.database.procedures import Procedures
from spacetimedb_standalone.database.program import ProgramLoader
from spacetimedb_standalone.database.scheduler import Scheduler
from spacetimedb_standalone.database.services import DatabaseServices
from spacetimedb_standalone.database.updates import Updates
from spacetimedb_standalone.database.waiting_pool import WaitingPool
from spacetimedb_standalone.datastore.datastore import Datastore
from spacetimedb_standalone.datastore.errors import InitError, StorageError
from spacetimedb_standalone.datastore.program import ProgramKind
from spacetimedb_standalone.host.interface import ModuleError
from spacetimedb_standalone.host.wasm.limits import ADDRESSABLE, WasmLimits, default_memory
from spacetimedb_standalone.host.wasm.runtime import WasmRuntime
from spacetimedb_standalone.module_logs import ModuleLog
from spacetimedb_standalone.outgoing.http import OutgoingHttp
from spacetimedb_standalone.ports.clock import Clock, SystemClock
from spacetimedb_standalone.ports.disk_files import DiskFiles
from spacetimedb_standalone.ports.files import Files
from spacetimedb_standalone.supervisor.boot import WorkerBoot
from spacetimedb_standalone.worker.calls import CallRoutes
from spacetimedb_standalone.worker.clients import Clients
from spacetimedb_standalone.worker.dialect_v1 import DialectV1
from spacetimedb_standalone.worker.dialect_v2 import DialectV2
from spacetimedb_standalone.worker.encoders import v2_encoder_of
from spacetimedb_standalone.worker.engine_post import EnginePost
from spacetimedb_standalone.worker.handler_routes import HandlerRoutes
from spacetimedb_standalone.worker.http_app import Routes
from spacetimedb_standalone.worker.log_routes import LogRoutes
from spacetimedb_standalone.worker.loop_turn import LoopTurn
from spacetimedb_standalone.worker.program_routes import ProgramRoutes
from spacetimedb_standalone.worker.schedule_timer import ScheduleTimer
from spacetimedb_standalone.worker.snapshots import Snapshots
from spacetimedb_standalone.worker.stats import StatsRoute
from spacetimedb_standalone.worker.waiting import DurableWait

KINDS = {"Wasm": ProgramKind.WASM, "Js": ProgramKind.JS}


class OpenError(Exception):
    """The database could not be opened or created; `status` is the HTTP status for who asked for it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Opened:
    """A database that is ready, and what drives it."""

    database: Database
    pool: WaitingPool
    post: EnginePost
    timer: ScheduleTimer
    snapshots: Snapshots
    routes: Routes

    def close(self) -> None:
        """Nothing runs any more afterwards, and what was committed is durable."""
        self.timer.stop()
        self.snapshots.stop()
        self.pool.close()
        self.post.close()
        self.database.close()


def open_database(boot: WorkerBoot, clients: Clients, on_fault: Callable[[], None]) -> Opened:
    """Open the replica, or create it; afterwards the module runs and left-over connections are gone.

    Raises OpenError. What was written before that is rolled back: a failed creation leaves an empty log.
    """
    clock, files, loop = SystemClock(), DiskFiles(), asyncio.get_running_loop()
    known = boot.replica_dir.exists() and not boot.create
    try:
        datastore = _open_datastore(boot, files, clock, loop)
    except StorageError as error:
        raise OpenError(500, str(error)) from error
    try:
        logs = _open_logs(boot, files, clock)
    except OSError as error:
        datastore.close()
        raise OpenError(500, f"the module's log cannot be opened: {error}") from error
    turn = Turn(datastore.store, clients)
    services = DatabaseServices(datastore, logs, clock)
    runtime = WasmRuntime(_limits(boot.config.wasm))
    loader = ProgramLoader(boot.database_identity, boot.cache_dir, runtime)
    database = Database(datastore, turn, services, logs, clock, loader, v2_encoder_of)
    loop_turn = LoopTurn(loop, turn, datastore, clock, on_fault)
    post = EnginePost(loop, loop_turn.flush, on_fault)
    pool = WaitingPool(
        database,
        services,
        size=boot.config.wasm.pool_size(),
        post=post,
        outgoing=OutgoingHttp(enabled=boot.config.module_http.enabled),
        durable=DurableWait(loop, datastore.log),
        clock=clock,
    )
    database.on_replaced = pool.forget
    procedures = Procedures(database, pool, clock)
    scheduler = Scheduler(database, clock, procedures.start_unheard)
    services.on_row_written = scheduler.row_written
    services.on_schedule_now = lambda function, args: post(partial(scheduler.run_now, function, args))
    clients.database, clients.turn = database, loop_turn
    v1 = DialectV1(database, procedures, clock)
    clients.dialects = {0: v1, 1: v1} | {n: DialectV2(database, procedures, n) for n in (2, 3)}
    timer = ScheduleTimer(loop, scheduler, loop_turn, clock)
    try:
        _start_module(boot, database, known)
    except OpenError:
        post.close()
        database.close()
        raise
    scheduler.rebuild()
    updates = Updates(database, scheduler)
    snapshots = Snapshots(loop, datastore, boot.config.snapshots, clock)
    routes = Routes(
        calls=CallRoutes(database, loop_turn, clock, procedures),
        handlers=HandlerRoutes(database, Handlers(database, pool, clock)),
        programs=ProgramRoutes(database, updates, clients),
        logs=LogRoutes(logs),
        stats=StatsRoute(database, clients, snapshots.figures, boot.replica_dir),
    )
    return Opened(database, pool, post, timer, snapshots, routes)


def _open_datastore(
    boot: WorkerBoot, files: Files, clock: Clock, loop: asyncio.AbstractEventLoop
) -> Datastore:
    if boot.in_memory:
        return Datastore.in_memory()
    return Datastore.open(boot.replica_dir, files, clock, options=boot.config.commitlog, loop=loop)


def _open_logs(boot: WorkerBoot, files: Files, clock: Clock) -> ModuleLog:
    if boot.in_memory:
        return ModuleLog.in_memory(clock)
    return ModuleLog.open(boot.replica_dir / "module_logs", files, clock)


def _start_module(boot: WorkerBoot, database: Database, known: bool) -> None:
    """The stored program, or for an empty datastore the one that is to initialize it; nobody is connected then.

    A database is registered when its first transaction is on the disk, so one that is `known` to the server and has a
    directory has lost that. (One that was in memory so far has no directory.)
    """
    try:
        if database.datastore.initialized:
            database.datastore.require(boot.database_identity, boot.owner_identity)
            database.open()
        elif known and not boot.in_memory:
            raise OpenError(
                500,
                f"the log in {boot.replica_dir} has lost all its transactions: restore that directory from a backup, or "
                "begin anew with `spacetime publish --delete-data`",
            )
        else:
            kind, program = KINDS[boot.host_type], boot.program_path.read_bytes()
            database.create(kind, program, boot.database_identity, boot.owner_identity)
        disconnect_all(database)
    except (InitFailed, InitError) as error:
        raise OpenError(400, f"Failed to create or update the database: {error}") from error
    except (ModuleError, ModuleDefDecodeError, ValidationErrors, StorageError, EngineError) as error:
        raise OpenError(500, str(error)) from error
    except LogError as error:
        raise OpenError(500, f"the log cannot be written: {error}") from error
    except OSError as error:
        raise OpenError(500, f"the program could not be read: {error}") from error


def _limits(settings: WasmSettings) -> WasmLimits:
    memory = settings.memory_limit_mb << 20 or default_memory()
    return WasmLimits(memory_bytes=min(memory, ADDRESSABLE), call_seconds=settings.call_timeout)
