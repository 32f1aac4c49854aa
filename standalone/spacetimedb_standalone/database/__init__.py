"""One database as one thing: its rows, its module, its log of what happened, and who is told of changes.

Synchronous and without sockets: everything here runs on the one thread that owns the engine, except what may
wait, which runs beside it and borrows the engine for its transactions (`waiting_pool`, `loans`). Who talks to
clients (`worker`) calls it; what it needs from outside comes in through ports.
"""
