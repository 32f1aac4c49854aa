"""What a view returns: rows, or a query that gives them. Public module ABI, old and new form."""

from spacetimedb_standalone.host.interface import Read, Status, ViewOutcome

OLD_FORM, USER_ERROR, NEW_FORM = 0, 1, 2
ROW_DATA, RAW_SQL = 0, 1


def outcome(code: int, data: bytes, reads: tuple[Read, ...]) -> ViewOutcome:
    """From the returned code and what the sink holds."""
    if code == USER_ERROR:
        return ViewOutcome(Status.FAILED, data.decode(errors="replace"), reads=reads)
    if code == OLD_FORM:
        return ViewOutcome(Status.OK, rows=data, reads=reads)
    if code != NEW_FORM:
        return ViewOutcome(Status.BAD_CODE, "unknown return code", reads=reads)
    if data[:1] == bytes([ROW_DATA]):
        return ViewOutcome(Status.OK, rows=data[1:], reads=reads)
    length = int.from_bytes(data[1:5], "little")
    if data[:1] != bytes([RAW_SQL]) or len(data) < 5 + length:
        return ViewOutcome(Status.BAD_CODE, "the view's result has no readable header", reads=reads)
    try:
        return ViewOutcome(Status.OK, sql=data[5 : 5 + length].decode(), reads=reads)
    except UnicodeDecodeError:
        return ViewOutcome(Status.BAD_CODE, "the view's query is not UTF-8", reads=reads)
