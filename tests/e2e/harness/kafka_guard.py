"""What stands before a broker that is not open to everyone: it speaks TLS, asks for a certificate or for a password (SASL), and
passes on what comes after that. tansu has neither a key for TLS nor users at its start. It can hide partitions too, because tansu
adds none to a topic."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from e2e.harness.kafka_metadata import Cut
from e2e.harness.kafka_sasl import API_VERSIONS, Login

_PATIENCE_S = 10.0
# Of a request before the login, and of anything after it.
_LARGEST_BEFORE, _LARGEST = 1 << 20, 1 << 26
_Reader, _Writer = asyncio.StreamReader, asyncio.StreamWriter


@dataclass
class KafkaGuard:
    """`before` makes it a server. A user or a password may change while it runs; connections that were let in stay."""

    tls: ssl.SSLContext | None = None
    users: dict[str, str] = field(default_factory=dict)
    mechanisms: tuple[str, ...] = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
    # So many of each topic are there; None: all of them. It may change for clients that connect while there is a number.
    visible_partitions: int | None = None

    @contextmanager
    def before(self, broker_port: int, port: int) -> Iterator[None]:
        """Listens at `port`, and passes on to `broker_port`."""
        self._broker_port, self._port = broker_port, port
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="KafkaGuard", daemon=True)
        thread.start()
        self.open()
        try:
            yield
        finally:
            self.shut()
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def open(self) -> None:
        starting = asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self.tls)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(_PATIENCE_S)

    def shut(self) -> None:
        """Hangs up and refuses connections, as a broker does that stops. `open` is its start."""
        asyncio.run_coroutine_threadsafe(_end(self._server), self._loop).result(_PATIENCE_S)

    async def _serve(self, client: _Reader, to_client: _Writer) -> None:
        try:
            broker, to_broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
            try:
                if not self.users or await self._lets_in(client, to_client, broker, to_broker):
                    await asyncio.gather(*self._directions(client, to_client, broker, to_broker))
            finally:
                to_broker.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one of them has hung up, or this server has
        finally:
            to_client.close()

    def _directions(
        self, client: _Reader, to_client: _Writer, broker: _Reader, to_broker: _Writer
    ) -> tuple[Coroutine[None, None, None], ...]:
        if self.visible_partitions is None:
            return _pass_on(client, to_broker), _pass_on(broker, to_client)
        cut = Cut()

        def asked(request: bytes) -> bytes:
            cut.asks(request)
            return request

        def answered(answer: bytes) -> bytes:
            return cut.answer(answer, self.visible_partitions)

        return _pass_on_frames(client, to_broker, asked), _pass_on_frames(broker, to_client, answered)

    async def _lets_in(self, client: _Reader, to_client: _Writer, broker: _Reader, to_broker: _Writer) -> bool:
        """Whether the client says who it is, and nothing else before. The broker answers which versions it has."""
        login = Login(self.users, self.mechanisms)
        while not login.is_over:
            request = await _frame(client)
            answer = login.answer(request)
            if answer is None:
                if int.from_bytes(request[:2]) != API_VERSIONS:
                    return False
                await _send(to_broker, request)
                answer = await _frame(broker)
            await _send(to_client, answer)
        return login.is_accepted


async def _end(server: asyncio.Server) -> None:
    server.close()
    connections = asyncio.all_tasks() - {asyncio.current_task()}
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


async def _frame(stream: _Reader, largest: int = _LARGEST_BEFORE) -> bytes:
    size = int.from_bytes(await stream.readexactly(4))
    if size > largest:
        raise OSError("this is not Kafka's protocol")
    return await stream.readexactly(size)


async def _send(target: _Writer, frame: bytes) -> None:
    target.write(len(frame).to_bytes(4) + frame)
    await target.drain()


async def _pass_on_frames(source: _Reader, target: _Writer, change: Callable[[bytes], bytes]) -> None:
    try:
        while True:
            await _send(target, change(await _frame(source, _LARGEST)))
    finally:
        target.close()


async def _pass_on(source: _Reader, target: _Writer) -> None:
    while some := await source.read(1 << 16):
        target.write(some)
        await target.drain()
    target.close()
