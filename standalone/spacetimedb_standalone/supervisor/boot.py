"""What a worker process is told before anything else: which database it is, where its files are, the
settings.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.config.settings import ServerConfig


@dataclass(frozen=True, slots=True)
class WorkerBoot:
    """The order to serve one replica.

    With `create` the replica is new: the worker initialises it and has it on disk before it says it is
    ready. The program is the one to initialise with; a database that has a log gets its program from there.
    `http_path` is the Unix socket to serve HTTP on; `node` names the server in metrics.
    """

    replica_id: int
    replica_dir: Path
    database_identity: Identity
    owner_identity: Identity
    host_type: str
    program_path: Path
    program_hash: bytes
    create: bool
    in_memory: bool
    http_path: Path
    cache_dir: Path
    node: str
    log_file: Path | None
    config: ServerConfig

    def to_message(self) -> dict[str, Any]:
        """The first message of the worker's channel."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {"op": "open", **{name: _plain(value) for name, value in values.items()}}

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> WorkerBoot:
        """The reverse of `to_message`."""
        return cls(
            replica_id=message["replica_id"],
            replica_dir=Path(message["replica_dir"]),
            database_identity=Identity.from_hex(message["database_identity"]),
            owner_identity=Identity.from_hex(message["owner_identity"]),
            host_type=message["host_type"],
            program_path=Path(message["program_path"]),
            program_hash=bytes.fromhex(message["program_hash"]),
            create=message["create"],
            in_memory=message["in_memory"],
            http_path=Path(message["http_path"]),
            cache_dir=Path(message["cache_dir"]),
            node=message["node"],
            log_file=None if message["log_file"] is None else Path(message["log_file"]),
            config=_config(message["config"]),
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Identity):
        return value.hex()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, ServerConfig):
        return {
            section: {name: _plain(item) for name, item in settings.items()}
            for section, settings in asdict(value).items()
        }
    return value


def _config(sections: dict[str, dict[str, Any]]) -> ServerConfig:
    hints = get_type_hints(ServerConfig)
    return ServerConfig(**{name: _section(hints[name], values) for name, values in sections.items()})


def _section(kind: type[Any], values: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    return kind(**{item.name: _restored(hints[item.name], values[item.name]) for item in fields(kind)})


def _restored(hint: Any, value: Any) -> Any:
    if hint == Path | None and value is not None:
        return Path(value)
    return tuple(value) if isinstance(value, list) else value
