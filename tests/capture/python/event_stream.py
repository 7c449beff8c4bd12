"""Amazon's event stream encoding (`application/vnd.amazon.eventstream`), in which Bedrock streams.

A message: total length, length of the headers, CRC-32 of those two; headers; payload; CRC-32 of all before. A header:
length of its name, name, type 7 (string), length of its value, value.
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html shows the layout.
"""

import json
import struct
import zlib

from capture.python.model_api import ANSWERS, Answer

_CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def from_file(name: str) -> Answer:
    """From a list of `{"event": name, "payload": …}` in `capture/answers/`."""
    events = json.loads((ANSWERS / name).read_text())
    return Answer(b"".join(_message(each["event"], each["payload"]) for each in events), _CONTENT_TYPE)


def _message(event: str, payload: dict) -> bytes:
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (":event-type", event),
            (":content-type", "application/json"),
            (":message-type", "event"),
        )
    )
    content = json.dumps(payload).encode()
    # 16 bytes: two lengths and two checksums.
    lengths = struct.pack(">II", 16 + len(headers) + len(content), len(headers))
    message = lengths + _checksum(lengths) + headers + content
    return message + _checksum(message)


def _header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + struct.pack(">BH", _STRING, len(value)) + value.encode()


def _checksum(content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content))
