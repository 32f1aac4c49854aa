"""The settings of a server: what `config.toml` may say, as frozen values with their defaults.

Unknown keys and tables are ignored, as the public server does, so that a file of another version still loads.
A known key with a value of the wrong kind is an error that names the key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from spacetimedb_standalone.config.readers import (
    KEY,
    READ,
    ConfigError,
    boolean,
    duration,
    fraction,
    level,
    long_duration,
    number,
    path,
    positive,
    strings,
)


def _key(name: str, read: Any, default: Any, *aliases: str) -> Any:
    """A field that the file calls `name` (or one of `aliases`) and `read` takes in."""
    return field(default=default, metadata={KEY: (name, *aliases), READ: read})


def _cores() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class WebSocketSettings:
    """Durations are seconds."""

    ping_interval: float = _key("ping-interval", duration, 15.0)
    idle_timeout: float = _key("idle-timeout", duration, 30.0)
    close_handshake_timeout: float = _key("close-handshake-timeout", duration, 0.25)
    incoming_queue_length: int = _key("incoming-queue-length", positive, 16384)


@dataclass(frozen=True, slots=True)
class CommitLogSettings:
    log_format_version: int = _key("log-format-version", number, 1)
    max_segment_size: int = _key("max-segment-size", positive, 1 << 30)
    offset_index_interval_bytes: int = _key(
        "offset-index-interval-bytes", positive, 4096, "offset-interval-bytes"
    )
    offset_index_require_segment_fsync: bool = _key(
        "offset-index-require-segment-fsync", boolean, True, "offset-index-require-fsync"
    )
    preallocate_segments: bool = _key("preallocate-segments", boolean, False)
    write_buffer_size: int = _key("write-buffer-size", positive, 131072)
    retention: bool = _key("retention", boolean, True)
    """Whether segments go whose transactions are all in the second newest snapshot."""
    compress_segments: bool = _key("compress-segments", boolean, True)


@dataclass(frozen=True, slots=True)
class SnapshotSettings:
    """When snapshots are taken: by whichever limit comes first; 0 turns one off. `every` is seconds."""

    enabled: bool = _key("enabled", boolean, True)
    every_bytes: int = _key("every-bytes", number, 1 << 28)
    every_transactions: int = _key("every-transactions", number, 1_000_000)
    every: float = _key("every", long_duration, 3600.0)


@dataclass(frozen=True, slots=True)
class WasmSettings:
    """`procedure_instance_pool_size` is per database; 0 stands for the number of cores.

    `call_timeout` is what one call may take, in seconds; `memory_limit_mb` what one instance may hold, 0
    standing for half of the machine's memory, at most the 4 GiB that a module can address.
    """

    procedure_instance_pool_size: int = _key("procedure-instance-pool-size", positive, 0)
    call_timeout: float = _key("call-timeout", duration, 60.0)
    memory_limit_mb: int = _key("memory-limit-mb", number, 0)

    def pool_size(self) -> int:
        return self.procedure_instance_pool_size or _cores()


@dataclass(frozen=True, slots=True)
class JsSettings:
    """For JavaScript modules; `procedure_instance_pool_size` as for wasm."""

    procedure_instance_pool_size: int = _key("procedure-instance-pool-size", positive, 0)

    def pool_size(self) -> int:
        return self.procedure_instance_pool_size or _cores()


@dataclass(frozen=True, slots=True)
class JsHeapSettings:
    """When a JavaScript heap is looked at and given up; 0 turns a check off."""

    heap_check_request_interval: int = _key("heap-check-request-interval", number, 4096)
    heap_check_time_interval: float = _key("heap-check-time-interval", long_duration, 5.0)
    heap_gc_trigger_fraction: float = _key("heap-gc-trigger-fraction", fraction, 0.67)
    heap_retire_fraction: float = _key("heap-retire-fraction", fraction, 0.75)
    heap_limit_mb: int = _key("heap-limit-mb", number, 1024)


@dataclass(frozen=True, slots=True)
class ModuleHttpSettings:
    """Whether procedures and handlers may send HTTP requests."""

    enabled: bool = _key("enabled", boolean, True)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The server's own log: a level for everything, and `target=level` directives that override it."""

    level: str = _key("level", level, "error")
    directives: tuple[str, ...] = _key("directives", strings, ())


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """Where the token keys are; the file gives both or none."""

    jwt_priv_key_path: Path | None = field(default=None, metadata={KEY: ("jwt-priv-key-path",), READ: path})
    jwt_pub_key_path: Path | None = field(default=None, metadata={KEY: ("jwt-pub-key-path",), READ: path})


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Everything `config.toml` can say."""

    certificate_authority: CertificateAuthority = field(default_factory=CertificateAuthority)
    logs: LogSettings = field(default_factory=LogSettings)
    module_http: ModuleHttpSettings = field(default_factory=ModuleHttpSettings)
    wasm: WasmSettings = field(default_factory=WasmSettings)
    v8: JsSettings = field(default_factory=JsSettings)
    v8_heap_policy: JsHeapSettings = field(default_factory=JsHeapSettings)
    commitlog: CommitLogSettings = field(default_factory=CommitLogSettings)
    snapshots: SnapshotSettings = field(default_factory=SnapshotSettings)
    websocket: WebSocketSettings = field(default_factory=WebSocketSettings)


_SECTIONS: Final[dict[str, type[Any]]] = {
    "certificate_authority": CertificateAuthority,
    "logs": LogSettings,
    "module_http": ModuleHttpSettings,
    "wasm": WasmSettings,
    "v8": JsSettings,
    "v8_heap_policy": JsHeapSettings,
    "commitlog": CommitLogSettings,
    "snapshots": SnapshotSettings,
    "websocket": WebSocketSettings,
}


def read_config(document: Mapping[str, Any]) -> ServerConfig:
    """The settings in a parsed `config.toml`. Raises `ConfigError` naming the key that is wrong."""
    sections = {}
    for attribute, section in _SECTIONS.items():
        title = attribute.replace("_", "-")
        sections[attribute] = _read_section(section, title, document.get(title, {}))
    config = ServerConfig(**sections)
    _check_certificate_authority(document, config.certificate_authority)
    return config


def _read_section(section: type[Any], title: str, table: Any) -> Any:
    if not isinstance(table, Mapping):
        raise ConfigError(f"`{title}` must be a table, as in `[{title}]`")
    values = {}
    for item in fields(section):
        given = [name for name in item.metadata[KEY] if name in table]
        if len(given) > 1:
            raise ConfigError(f"`{title}.{given[0]}` is given twice, the second time as `{given[1]}`")
        if given:
            try:
                values[item.name] = item.metadata[READ](table[given[0]])
            except ConfigError as error:
                raise ConfigError(f"`{title}.{given[0]}`: {error}") from error
    return section(**values)


def _check_certificate_authority(document: Mapping[str, Any], keys: CertificateAuthority) -> None:
    if "certificate-authority" in document and None in (keys.jwt_priv_key_path, keys.jwt_pub_key_path):
        missing = "jwt-priv-key-path" if keys.jwt_priv_key_path is None else "jwt-pub-key-path"
        raise ConfigError(f"`certificate-authority` needs `{missing}` as well")
