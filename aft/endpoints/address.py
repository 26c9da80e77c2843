"""Where requests may go: never to link-local or metadata addresses, whatever the name resolves to.

The check is made on the address that is connected to, not on an earlier look-up: a name that resolves
to something else the second time (DNS rebinding) gets no second time.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx

Resolver = Callable[[str, int], Sequence[str]]

_METADATA: Final = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",  # AWS, Azure, Google
        "fd00:ec2::254",  # AWS over IPv6
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's host
    )
)


class AddressRefused(ValueError):
    """The address is none that a request may go to."""


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a host name.

    Raises:
        AddressRefused: If the name is not known.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"The host {host[:200]!r} cannot be found ({error}). Correct the base URL."
        raise AddressRefused(msg) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check_address(host: str, port: int, resolver: Resolver = resolve) -> list[str]:
    """Return the addresses to connect to, in the resolver's order.

    Loopback and private addresses are allowed: an inference server of one's own lives there.

    Raises:
        AddressRefused: If the host resolves to a link-local, metadata, multicast or unspecified address.
    """
    addresses = [host] if _is_literal(host) else list(resolver(host, port))
    for address in addresses:
        reason = _refused(ipaddress.ip_address(address.partition("%")[0]))
        if reason is not None:
            msg = f"The host {host[:200]!r} is at {address}, {reason}; no requests go there. Correct the base URL."
            raise AddressRefused(msg)
    if not addresses:
        raise AddressRefused(f"The host {host[:200]!r} has no address. Correct the base URL.")
    return addresses


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return _refused(inner)
    if address in _METADATA:
        return "a cloud's metadata address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if address.is_unspecified:
        return "no address of a machine"
    return None


class CheckedTransport(httpx.HTTPTransport):
    """Connects to the very address that was checked; the name stays in ``Host`` and in the TLS handshake."""

    def __init__(self, resolver: Resolver = resolve, **options: Any) -> None:
        super().__init__(**options)
        self._resolver = resolver

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            AddressRefused: If it would go where none may go.
        """
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        extensions = dict(request.extensions)
        if not _is_literal(host):
            extensions["sni_hostname"] = host
        failure: httpx.ConnectError | None = None
        for address in check_address(host, port, self._resolver):
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address.partition("%")[0]),
                headers=request.headers,  # has Host already, from the original address
                stream=request.stream,
                extensions=extensions,
            )
            try:
                return super().handle_request(pinned)
            except httpx.ConnectError as error:
                failure = error  # a name may have several addresses, such as ::1 and 127.0.0.1
        assert failure is not None
        raise failure
