"""What stands before every request: Host and Origin checks, the session cookie, headers, body caps.

A page of another site can reach a server on loopback from the user's browser (DNS rebinding, MLflow
CVE-2025-14279), so a loopback bind alone protects nothing.
"""

import time
from typing import Final
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.db.session import reading
from backend.errors import AppError, Forbidden, TooLarge, Unauthenticated
from backend.services import access
from backend.settings import Settings

COOKIE: Final = "aft_session"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_JSON_BYTES: Final = 8 * 2**20
SESSION_CACHE_SECONDS: Final = 30.0
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def check_bind(settings: Settings) -> str | None:
    """Why this server must not start, or None.

    Beyond loopback every neighbour on the network could start runs, so an authenticating proxy is required.
    """
    if settings.host in LOOPBACK or settings.behind_proxy_auth:
        return None
    return (
        f"AFT_HOST is {settings.host}, which other machines can reach, and nothing authenticates them. "
        "Bind to 127.0.0.1 and use an SSH tunnel, or put an authenticating proxy in front and set "
        "AFT_BEHIND_PROXY_AUTH=1 and AFT_ALLOWED_HOSTS to the name users type."
    )


class Guard:
    """ASGI middleware with every check above, in the cheapest order."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.hosts = LOOPBACK | {name.strip() for name in settings.allowed_hosts.split(",") if name.strip()}
        self._seen: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_origin(scope, headers)
            await self._check_session(scope, headers)
            receive = self._capped(scope, headers, receive)
        except AppError as error:
            response = JSONResponse(error.problem(), error.status, media_type="application/problem+json")
            await response(scope, receive, self._with_headers(send))
            return
        await self.app(scope, receive, self._with_headers(send))

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        if _hostname(host) not in self.hosts:
            raise Forbidden(
                f"The Host header {host[:100]!r} is not one of this server's names.",
                remedy="Open the address that `aft up` printed, or add the name to AFT_ALLOWED_HOSTS.",
            )
        origin = headers.get("origin")
        if scope["method"] in SAFE_METHODS or origin is None:
            return
        if urlsplit(origin).netloc != host:
            raise Forbidden(
                f"A page of {origin[:100]!r} tried to change something here.",
                remedy="Use the pages of this server; other sites may not send requests to it.",
            )

    async def _check_session(self, scope: Scope, headers: Headers) -> None:
        path: str = scope["path"]
        if not self.settings.require_login or not path.startswith("/api/") or path == "/api/v1/openapi.json":
            return
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        now = time.monotonic()
        if cookie and self._seen.get(cookie, 0.0) > now:
            return
        if not cookie or not await to_thread.run_sync(_signed_in, cookie):
            raise Unauthenticated(
                "This browser has no session here.",
                remedy="Open the link that `aft up` printed, or make a new one with `aft login-link`.",
            )
        if len(self._seen) > 1000:
            self._seen.clear()
        self._seen[cookie] = now + SESSION_CACHE_SECONDS

    def _capped(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        if scope["path"] == "/api/v1/uploads":  # streamed to disk under its own cap
            return receive
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_JSON_BYTES:
            raise TooLarge(
                f"The request's body is {length[:20]} bytes; at most {MAX_JSON_BYTES} are taken.",
                remedy="Upload files through Data sets.",
            )
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_JSON_BYTES:
                raise TooLarge(f"The request's body is longer than {MAX_JSON_BYTES} bytes.")
            return message

        return counted

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        return sending


def _hostname(host: str) -> str:
    if host.startswith("["):
        return host.split("]", 1)[0] + "]"
    return host.rsplit(":", 1)[0] if ":" in host else host


def _signed_in(cookie: str) -> bool:
    with reading() as session:
        return access.is_signed_in(session, cookie)
