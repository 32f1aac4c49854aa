"""Subscriptions: query sets of clients, kept up to date by the changes of committed transactions."""

from .encoder import V2_BROTLI, V2_GZIP, V2_PLAIN, Cause, Encoder
from .encoder_v1 import V1, v1_encoder
from .requests_v1 import RequestsV1
from .service import Subscriptions
from .sets import Connection

__all__ = [
    "V1",
    "V2_BROTLI",
    "V2_GZIP",
    "V2_PLAIN",
    "Cause",
    "Connection",
    "Encoder",
    "RequestsV1",
    "Subscriptions",
    "v1_encoder",
]
