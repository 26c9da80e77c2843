"""The server's address: its socket, how it is written, whether somebody answers."""

import errno
import socket
import urllib.error
import urllib.request

from backend.cli.output import fail

_READY_TIMEOUT_SECONDS = 0.2
_PORTS_TRIED = 50


def listen(host: str, port: int) -> socket.socket:
    """The server's socket. The supervisor owns it, so that a restarted server loses no connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by accepted connections; asyncio would set it itself only where it knows the socket's family.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            fail(f"Port {port} is in use by another program. Start with --port {_free_port(host, port)}, or stop it.")
        fail(f"{host}:{port} cannot be bound ({error.strerror}). Choose another --host or --port.")
    return listener


def address_of(host: str, port: int) -> str:
    """What to type into a browser on this machine."""
    if host in {"0.0.0.0", "::", ""}:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answers(url: str) -> bool:
    """Whether a GET succeeds at once."""
    try:
        # The socket accepts before the server is there; the time-out says that it is not yet.
        with urllib.request.urlopen(url, timeout=_READY_TIMEOUT_SECONDS) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port(host: str, taken: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(taken + 1, min(taken + _PORTS_TRIED, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    return 0
