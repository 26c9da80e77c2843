"""A client for OpenAI-compatible endpoints: timeouts, retries, ``Retry-After``, no redirects, bounded answers."""

import email.utils
import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from pydantic import SecretStr

from aft.config.judge import EndpointConfig
from aft.endpoints.address import AddressRefused, CheckedTransport
from aft.endpoints.pace import Pace

MOST_BYTES: Final = 64 * 2**20
LONGEST_PAUSE_SECONDS: Final = 120.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_WAIT_SLICE_SECONDS: Final = 0.2
_EXCERPT: Final = 300
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})


class EndpointError(ValueError):
    """The endpoint refuses the request; trying again would change nothing."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status it refused with, where it answered."""


class EndpointUnavailable(EndpointError):
    """The endpoint did not answer after all tries; later it may."""


class Interrupted(Exception):
    """``should_stop`` said so while waiting."""


class EndpointClient:
    """One endpoint, shared by many threads.

    Args:
        config: Address, model, limits.
        key: Sent as bearer token; never in an error, a log or a ``repr``.
        should_stop: Asked before and while waiting.
        longest_pause_seconds: Between two tries, also where the endpoint asks for more.
        transport: For tests; by default one that checks every address it connects to.
        sleep: For tests.
        jitter: For tests: a number in [0, 1).
    """

    def __init__(
        self,
        config: EndpointConfig,
        key: SecretStr | None = None,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.config = config
        self._key = key.get_secret_value() if key is not None else ""
        self._should_stop, self._sleep, self._jitter = should_stop, sleep, jitter
        self._longest_pause = longest_pause_seconds
        self.trouble = ""
        """Why a request has to be sent again, and when that is; empty once the endpoint answers."""
        self._pace = Pace(config.requests_per_minute)
        limits = httpx.Limits(max_connections=config.concurrency, max_keepalive_connections=config.concurrency)
        headers = {"Accept": "application/json", "User-Agent": "aft-workbench"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._http = httpx.Client(
            transport=transport if transport is not None else CheckedTransport(limits=limits),
            timeout=httpx.Timeout(config.timeout_seconds, connect=min(20.0, config.timeout_seconds)),
            headers=headers,
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> "EndpointClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send JSON below the base URL and return the JSON object that comes back.

        Raises:
            EndpointError: If the endpoint refuses, redirects, or answers with something else.
            EndpointUnavailable: If it did not answer after all tries.
            Interrupted: If asked to stop while waiting.
        """
        return self._object_from("POST", path, body)

    def get(self, path: str) -> dict[str, Any]:
        """Read a JSON object below the base URL; errors are those of ``post``."""
        return self._object_from("GET", path, None)

    def _object_from(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        short, reason, advice = "", "", ""
        for attempt in range(self.config.max_retries + 1):
            self._wait(self._pace.take())
            try:
                status, headers, content = self._send(method, path, body)
            except AddressRefused as error:
                raise EndpointError(str(error)) from None
            except httpx.TimeoutException:
                short = reason = f"it gave no answer within {self.config.timeout_seconds:g} s"
                advice = "Check that it runs and is not overloaded, or give it more seconds, then try again."
                pause = self._backoff(attempt)
            except httpx.TransportError as error:
                short = "the connection failed"
                reason = f"{short} ({self._redacted(str(error)) or type(error).__name__})"
                advice = "Check that it runs and that its address is right, then try again."
                pause = self._backoff(attempt)
            else:
                if status == 200:
                    self.trouble = ""
                    return self._object(content)
                if status not in _PASSING:
                    raise EndpointError(self._refusal(status, headers, content), status)
                short = f"it answered {status}"
                reason = f"{short}: {self._excerpt(content)}"
                asked = retry_after(headers, time.time())
                advice = "Check that it runs and is not overloaded, then try again."
                if status == 429:
                    wait = "wait" if asked is None else f"wait the {asked:.0f} s that it asks for"
                    advice = f"Send it fewer requests a minute or at a time, or {wait}, then try again."
                pause = self._backoff(attempt) if asked is None else min(asked, self._longest_pause)
                if status in {429, 503}:
                    self._pace.pause(pause)
            if attempt < self.config.max_retries:
                self.trouble = f"{short}; asked again in {pause:.0f} s"
                self._wait(pause)
        times = "once" if self.config.max_retries == 0 else f"{self.config.max_retries + 1} times"
        msg = f"The endpoint {self.config.base_url} failed {times}; at last {reason}. {advice}"
        raise EndpointUnavailable(msg)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, dict[str, str], bytes]:
        with self._http.stream(method, f"{self.config.base_url}/{path}", json=body) as response:
            content = bytearray()
            for block in response.iter_bytes():
                content += block
                if len(content) > MOST_BYTES:
                    msg = (
                        f"The endpoint {self.config.base_url} sent more than {MOST_BYTES // 2**20} MiB for one answer."
                    )
                    raise EndpointError(msg)
            return response.status_code, dict(response.headers), bytes(content)

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            msg = (
                f"The endpoint {self.config.base_url} answered with something that is no JSON object: "
                f"{self._excerpt(content)!r}. Is the address right, up to /v1?"
            )
            raise EndpointError(msg)
        return found

    def _refusal(self, status: int, headers: Mapping[str, str], content: bytes) -> str:
        where = f"The endpoint {self.config.base_url}"
        if 300 <= status < 400:
            target = self._redacted(headers.get("location", "elsewhere"))[:200]
            return f"{where} redirects to {target}, which is not followed. Give the final address as base URL."
        said = self._excerpt(content)
        if status in {401, 403}:
            return f"{where} refuses the key ({status}): {said}. Correct the key."
        if status == 404:
            return f"{where} does not know this address or model '{self.config.model}' (404): {said}. Correct them."
        return f"{where} refuses the request ({status}): {said}."

    def _excerpt(self, content: bytes) -> str:
        text = content[:10_000].decode(errors="replace")
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            error = found.get("error", found.get("detail", found))
            message = error.get("message", error) if isinstance(error, dict) else error
            text = message if isinstance(message, str) else json.dumps(message)
        return self._redacted(" ".join(text.split()))[:_EXCERPT] or "nothing"

    def _redacted(self, text: str) -> str:
        # Some servers quote the key they refuse.
        return text.replace(self._key, "***") if self._key else text

    def _backoff(self, attempt: int) -> float:
        longest = min(self._longest_pause, _FIRST_PAUSE_SECONDS * 2.0**attempt)
        return longest * (0.5 + 0.5 * self._jitter())

    def _wait(self, seconds: float) -> None:
        while True:
            if self._should_stop():
                raise Interrupted
            if seconds <= 0:
                return
            step = min(seconds, _WAIT_SLICE_SECONDS)
            self._sleep(step)
            seconds -= step


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a ``Retry-After`` header asks to wait: a number, or a date; None without a readable one."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except (TypeError, ValueError):
            return None
    return max(0.0, seconds) if seconds < 1e9 else None
