"""A broker whose topics have fewer partitions than they do: Kafka's Metadata answers, cut on their way to one client."""

import struct

from e2e.harness.kafka_sasl import API_VERSIONS

_METADATA = 3
# The newest version without compact arrays. The client is told that the broker has no newer one.
_VERSION = 4


class Cut:
    """Of one connection."""

    def __init__(self) -> None:
        # The request that each answer is to: its number in the protocol and its version, by correlation id.
        self._asked: dict[bytes, tuple[int, int]] = {}

    def asks(self, request: bytes) -> None:
        self._asked[request[4:8]] = struct.unpack_from(">hh", request)

    def answer(self, answer: bytes, visible: int | None) -> bytes:
        """What the client gets to see of it: `visible` partitions of each topic, and all without a number."""
        api, version = self._asked.pop(answer[:4])
        if api == API_VERSIONS:
            return _with_old_metadata(answer, compact=version >= 3)
        if api == _METADATA and visible is not None:
            assert version <= _VERSION
            return _with_partitions(answer, visible)
        return answer


def _with_old_metadata(answer: bytes, *, compact: bool) -> bytes:
    # The correlation id and an error come first.
    read, changed = _Reader(answer, 6), bytearray(answer)
    count, size = (read.varint() - 1, 7) if compact else (read.number(), 6)
    for at in range(read.at, read.at + count * size, size):
        api, oldest, newest = struct.unpack_from(">hhh", answer, at)
        if api == _METADATA:
            assert oldest <= _VERSION
            struct.pack_into(">h", changed, at + 4, min(newest, _VERSION))
    return bytes(changed)


def _with_partitions(answer: bytes, visible: int) -> bytes:
    # The correlation id and how long the client is throttled come first.
    read = _Reader(answer, 8)
    for _ in range(read.number()):
        read.skip(4).text().skip(4).text()
    read.text().skip(4)
    cut, done = bytearray(), 0
    for _ in range(read.number()):
        read.skip(2).text().skip(1)
        cut += answer[done : read.at]
        partitions = []
        for _ in range(read.number()):
            begin = read.at
            index = read.skip(2).number()
            read.skip(4)
            for _replicas in ("all", "in sync"):
                read.skip(4 * read.number())
            if index < visible:
                partitions.append(answer[begin : read.at])
        cut += struct.pack(">i", len(partitions)) + b"".join(partitions)
        done = read.at
    return bytes(cut + answer[done:])


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def skip(self, size: int) -> "_Reader":
        self.at += size
        return self

    def text(self) -> "_Reader":
        (size,) = struct.unpack_from(">h", self._data, self.at)
        return self.skip(2 + max(0, size))

    def number(self) -> int:
        (number,) = struct.unpack_from(">i", self._data, self.at)
        self.at += 4
        return number

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._data[self.at]
            self.at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
