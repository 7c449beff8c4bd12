"""Free TCP ports on loopback, chosen by the operating system at run time."""

import socket


def free_ports(count: int) -> list[int]:
    """`count` different ports that nothing listens on. All are held open until the last is found, so none repeats."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
