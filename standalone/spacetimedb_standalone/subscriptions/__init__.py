"""Subscriptions: query sets of clients, kept up to date by the changes of committed transactions."""

from .encoder import V2_BROTLI, V2_GZIP, V2_PLAIN, Encoder
from .service import Subscriptions
from .sets import Connection

__all__ = ["V2_BROTLI", "V2_GZIP", "V2_PLAIN", "Connection", "Encoder", "Subscriptions"]
