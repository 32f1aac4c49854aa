"""The boot record survives its journey to the worker."""

import json
from pathlib import Path

from spacetimedb_lib.identity import Identity
from spacetimedb_standalone.config.settings import (
    CertificateAuthority,
    LogSettings,
    ServerConfig,
    WebSocketSettings,
)
from spacetimedb_standalone.supervisor.boot import WorkerBoot


def test_what_comes_out_is_what_went_in() -> None:
    config = ServerConfig(
        certificate_authority=CertificateAuthority(Path("/a"), Path("/b")),
        logs=LogSettings("info", ("x=debug", "y=warn")),
        websocket=WebSocketSettings(ping_interval=1.5),
    )
    boot = WorkerBoot(
        replica_id=7,
        replica_dir=Path("/d/replicas/7"),
        database_identity=Identity.from_claims("a", "db"),
        owner_identity=Identity.from_claims("a", "owner"),
        host_type="Wasm",
        program_path=Path("/d/program"),
        program_hash=bytes(range(32)),
        create=True,
        in_memory=False,
        http_path=Path("/tmp/x"),
        cache_dir=Path("/d/cache"),
        node="127.0.0.1:3000",
        log_file=None,
        config=config,
    )
    assert WorkerBoot.from_message(json.loads(json.dumps(boot.to_message()))) == boot
