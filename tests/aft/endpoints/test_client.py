"""The client against a server that misbehaves."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from aft.config.judge import EndpointConfig
from aft.endpoints import EndpointClient, EndpointError, EndpointUnavailable, Interrupted, Pace
from aft.endpoints.client import retry_after
from tests.stub_endpoint import Answer, Asked, stub_endpoint

KEY = "sk-very-secret-123"


class Naps:
    """Sleeping that takes no time and is remembered."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def client(url: str, naps: Naps | None = None, **settings: Any) -> EndpointClient:
    config = EndpointConfig(base_url=url, model="m", **settings)
    return EndpointClient(config, SecretStr(KEY), sleep=naps or Naps(), jitter=lambda: 1.0)


def test_answer_comes_back_and_the_key_is_sent() -> None:
    with stub_endpoint(lambda asked, number: Answer({"choices": []})) as stub, client(stub.url + "/") as ours:
        assert ours.post("chat/completions", {"model": "m"}) == {"choices": []}
    (asked,) = stub.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body == {"model": "m"}


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(status: int) -> None:
    def answer(asked: Asked, number: int) -> Answer:
        return Answer({"error": {"message": "busy"}}, status) if number < 2 else Answer({"ok": 1})

    naps = Naps()
    with stub_endpoint(answer) as stub, client(stub.url, naps) as ours:
        assert ours.post("x", {}) == {"ok": 1}
    assert len(stub.asked) == 3
    assert sum(naps.seconds) >= 1.4


def test_retry_after_is_heeded() -> None:
    def answer(asked: Asked, number: int) -> Answer:
        return Answer({}, 429, {"Retry-After": "7"}) if number == 0 else Answer({"ok": 1})

    naps = Naps()
    with stub_endpoint(answer) as stub, client(stub.url, naps) as ours:
        ours.post("x", {})
    assert sum(naps.seconds) >= 7


def test_a_rate_limit_says_what_to_change_and_how_long_it_lasts() -> None:
    troubles: list[str] = []
    limited = Answer({"error": {"message": "quota exceeded"}}, 429, {"Retry-After": "3600"})
    with stub_endpoint(lambda asked, number: limited) as stub:
        ours = EndpointClient(
            EndpointConfig(base_url=stub.url, model="m", max_retries=1),
            sleep=lambda seconds: troubles.append(ours.trouble),
            longest_pause_seconds=10.0,
        )
        with ours, pytest.raises(EndpointUnavailable, match=r"429: quota exceeded\. Send it fewer .* wait the 3600 s"):
            ours.post("x", {})
    assert set(troubles) == {"it answered 429; asked again in 10 s"}


def test_trouble_is_over_once_it_answers() -> None:
    naps = Naps()
    with (
        stub_endpoint(lambda asked, number: Answer({}, 503) if number == 0 else Answer({})) as stub,
        client(stub.url, naps) as ours,
    ):
        ours.post("x", {})
    assert ours.trouble == ""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-3", 0.0), ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0), ("soon", None), ("", None)],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, now=100.0) == seconds


@pytest.mark.parametrize(
    ("status", "says"), [(400, "refuses the request"), (401, "refuses the key"), (404, "does not know")]
)
def test_refusals_are_final_and_do_not_tell_the_key(status: int, says: str) -> None:
    quoting = Answer({"error": {"message": f"bad key {KEY}"}}, status)
    with (
        stub_endpoint(lambda asked, number: quoting) as stub,
        client(stub.url) as ours,
        pytest.raises(EndpointError, match=says) as caught,
    ):
        ours.post("x", {})
    assert KEY not in str(caught.value)
    assert "bad key ***" in str(caught.value)
    assert not isinstance(caught.value, EndpointUnavailable)
    assert len(stub.asked) == 1


def test_redirects_are_not_followed() -> None:
    elsewhere = Answer({}, 307, {"Location": "http://169.254.169.254/latest/meta-data"})
    with (
        stub_endpoint(lambda asked, number: elsewhere) as stub,
        client(stub.url) as ours,
        pytest.raises(EndpointError, match=r"redirects to http://169\.254"),
    ):
        ours.post("x", {})
    assert len(stub.asked) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"", b"[" * 100_000])
def test_no_json_object_is_an_error(body: bytes) -> None:
    with (
        stub_endpoint(lambda asked, number: Answer(body)) as stub,
        client(stub.url) as ours,
        pytest.raises(EndpointError, match="no JSON object"),
    ):
        ours.post("x", {})


def test_silence_ends_in_unavailable() -> None:
    with (
        stub_endpoint(lambda asked, number: Answer(hang=True)) as stub,
        client(stub.url, timeout_seconds=0.1, max_retries=1) as ours,
        pytest.raises(EndpointUnavailable, match=r"failed 2 times; at last it gave no answer within 0\.1 s"),
    ):
        ours.post("x", {})
    assert len(stub.asked) == 2


def test_nobody_there_ends_in_unavailable() -> None:
    with stub_endpoint(lambda asked, number: Answer({})) as stub:
        url = stub.url
    with client(url, max_retries=1) as ours, pytest.raises(EndpointUnavailable, match="connection failed"):
        ours.post("x", {})


def test_stop_is_heard_while_waiting() -> None:
    looks = iter([False, False, False, True])
    config = EndpointConfig(base_url="http://127.0.0.1:1", model="m")
    with EndpointClient(config, sleep=Naps(), should_stop=lambda: next(looks)) as ours, pytest.raises(Interrupted):
        ours.post("x", {})


def test_endless_answers_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aft.endpoints.client.MOST_BYTES", 1000)
    with (
        stub_endpoint(lambda asked, number: Answer(b" " * 5000)) as stub,
        client(stub.url) as ours,
        pytest.raises(EndpointError, match="sent more than"),
    ):
        ours.post("x", {})


def test_pace_spreads_requests_and_pauses_all() -> None:
    now = 100.0
    pace = Pace(requests_per_minute=30.0, clock=lambda: now)
    assert [pace.take() for _ in range(3)] == [0, 2, 4]
    pace.pause(60.0)
    assert pace.take() == 60
    assert Pace(clock=lambda: now).take() == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://x/v1", "no http or https"),
        ("127.0.0.1:8000", "no http or https"),
        ("http://user:pass@x/v1", "user name or password"),
        ("http://x/v1?key=1", "query or fragment"),
        ("http://x:99999/v1", "cannot be read"),
    ],
)
def test_unusable_base_urls_are_refused(url: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        EndpointConfig(base_url=url, model="m")


def test_budget_in_dollars_needs_prices() -> None:
    with pytest.raises(ValidationError, match="prices are not known"):
        EndpointConfig(base_url="http://x/v1", model="m", budget_usd=5)
