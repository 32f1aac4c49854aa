"""How each client wants to be spoken to: its protocol's encoder, in the compression it asked for."""

from __future__ import annotations

from spacetimedb_engine import Connection
from spacetimedb_standalone.subscriptions import V1, V2_BROTLI, V2_GZIP, V2_PLAIN, v1_encoder
from spacetimedb_standalone.subscriptions import Connection as Watcher
from spacetimedb_standalone.subscriptions.encoder import V2
from spacetimedb_standalone.wire.envelope import Compression
from spacetimedb_standalone.worker.client_socket import client_of

V1_TEXT = 0
"""The number of the text protocol."""
_V2 = {Compression.NONE: V2_PLAIN, Compression.GZIP: V2_GZIP, Compression.BROTLI: V2_BROTLI}


def v2_encoder_of(watcher: Watcher) -> V2:
    """For clients of protocols v2 and v3."""
    assert isinstance(watcher, Connection)
    return _V2[client_of(watcher).terms.compression]


def v1_encoder_of(watcher: Watcher) -> V1:
    """For clients of protocol v1, in either form."""
    assert isinstance(watcher, Connection)
    terms = client_of(watcher).terms
    return v1_encoder(
        is_text=watcher.protocol == V1_TEXT, compression=terms.compression, is_light=terms.light
    )
