"""Messages between a process and its child: a length, then a pickle."""

from __future__ import annotations

import pickle
import struct
from typing import Any, BinaryIO

__all__ = ["STOP", "read_frame", "write_frame"]

STOP = "stop"

_HEADER = struct.Struct("!Q")


def write_frame(stream: BinaryIO, message: Any) -> None:
    """Write one message and flush it."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_HEADER.pack(len(body)))
    stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> Any:
    """Read one message; EOFError once the other side is gone."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise EOFError
    (length,) = _HEADER.unpack(header)
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return pickle.loads(body)
