"""What a peer did to break the WebSocket protocol, as sentences. A `FrameReader` names them by index."""

UNREADABLE_CLOSE = 6
NOT_UTF8 = 7
FAULTS = (
    "",
    "the client sent a frame that is not masked",
    "the client sent a frame with reserved bits or of a reserved kind",
    "the client sent a control frame that is fragmented or larger than 125 bytes",
    "the client sent a continuation of nothing, or a new message inside another",
    "the client sent a message of more than 33554432 bytes",
    "the client sent a close frame that cannot be read",
    "the client sent a text message that is not UTF-8",
)
