"""The server's side of a login with Kafka's protocol: SaslHandshake and SaslAuthenticate, PLAIN and SCRAM."""

import struct
from collections.abc import Mapping, Sequence

from scramp import ScramException, ScramMechanism

# Numbers of Kafka's protocol.
API_VERSIONS, _HANDSHAKE, _AUTHENTICATE = 18, 17, 36
_UNSUPPORTED_MECHANISM, _AUTHENTICATION_FAILED = 33, 58


class Login:
    """Of one connection."""

    def __init__(self, users: Mapping[str, str], mechanisms: Sequence[str]) -> None:
        self._users = users
        self._mechanisms = mechanisms
        self._exchange: _Plain | _Scram | None = None

    @property
    def is_over(self) -> bool:
        return self._exchange is not None and self._exchange.is_over

    @property
    def is_accepted(self) -> bool:
        return self._exchange is not None and self._exchange.is_accepted

    def answer(self, request: bytes) -> bytes | None:
        """None: this request is none of a login."""
        api, version, correlation = struct.unpack_from(">hhi", request)
        # The client's name comes first.
        _, body = _text(request[8:])
        if api == _HANDSHAKE:
            answer = self._choose(_text(body)[0])
        elif api == _AUTHENTICATE and self._exchange is not None:
            answer = self._authenticate(body[4:]) + bytes(8 if version else 0)
        else:
            return None
        return struct.pack(">i", correlation) + answer

    def _choose(self, mechanism: str) -> bytes:
        known = mechanism in self._mechanisms
        if known:
            self._exchange = _Plain(self._users) if mechanism == "PLAIN" else _Scram(mechanism, self._users)
        listed = b"".join(struct.pack(">h", len(name)) + name.encode() for name in self._mechanisms)
        return struct.pack(">hi", 0 if known else _UNSUPPORTED_MECHANISM, len(self._mechanisms)) + listed

    def _authenticate(self, said: bytes) -> bytes:
        assert self._exchange is not None
        answer = self._exchange.answer(said)
        if self.is_over and not self.is_accepted:
            reason = b"Authentication failed: Invalid username or password"
            return struct.pack(">hh", _AUTHENTICATION_FAILED, len(reason)) + reason + bytes(4)
        return struct.pack(">hhi", 0, -1, len(answer)) + answer


class _Plain:
    """`authzid NUL user NUL password`."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users
        self.is_over = self.is_accepted = False

    def answer(self, said: bytes) -> bytes:
        _, user, password = said.decode().split("\0")
        self.is_over, self.is_accepted = True, self._users.get(user) == password
        return b""


class _Scram:
    def __init__(self, mechanism: str, users: Mapping[str, str]) -> None:
        scram = ScramMechanism(mechanism)
        self._server = scram.make_server(lambda user: scram.make_auth_info(users[user]))
        self._has_begun = self.is_over = self.is_accepted = False

    def answer(self, said: bytes) -> bytes:
        try:
            if not self._has_begun:
                self._has_begun = True
                self._server.set_client_first(said.decode())
                return self._server.get_server_first().encode()
            self.is_over = True
            self._server.set_client_final(said.decode())
            self.is_accepted = True
            return self._server.get_server_final().encode()
        except (KeyError, ScramException):
            self.is_over = True
            return b""


def _text(data: bytes) -> tuple[str, bytes]:
    """The text at the beginning, and what is behind it."""
    (size,) = struct.unpack_from(">h", data)
    end = 2 + max(0, size)
    return data[2:end].decode(), data[end:]
