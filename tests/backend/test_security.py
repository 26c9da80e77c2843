"""What stands before every request."""

import subprocess
import sys
from pathlib import Path

import pytest

from backend.db.session import transaction
from backend.security import check_bind
from backend.services import access
from backend.settings import Settings
from tests.backend.client import client

pytestmark = pytest.mark.usefixtures("data_directory")


def test_the_web_process_never_imports_torch() -> None:
    code = (
        "import sys, backend.app; backend.app.create_app();"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_foreign_host_name_is_refused() -> None:
    with client() as web:
        answer = web.get("/api/v1/system", headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "evil.example" in answer.json()["detail"]


def test_a_page_elsewhere_cannot_change_anything() -> None:
    with client() as web:
        answer = web.post("/api/v1/demo", headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
        same_host_other_port = web.post("/api/v1/demo", headers={"Origin": "http://127.0.0.1:9999"})
        assert same_host_other_port.status_code == 403


def test_answers_forbid_scripts_of_others() -> None:
    with client() as web:
        headers = web.get("/health").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"].split("script-src")[1].split(";")[0]
    assert headers["x-content-type-options"] == "nosniff"


def test_a_one_time_link_opens_one_session() -> None:
    with transaction() as session:
        token = access.create_link(session)
    with client(require_login=True) as web:
        assert web.get("/api/v1/system").status_code == 401
        answer = web.get("/login", params={"token": token}, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert web.get("/api/v1/system").status_code == 200
    with client(require_login=True) as other:
        again = other.get("/login", params={"token": token}, follow_redirects=False)
        assert again.headers["location"] == "/expired"
        assert other.get("/api/v1/system").status_code == 401


def test_only_hashes_of_secrets_are_stored(data_directory: Path) -> None:
    with transaction() as session:
        token = access.create_link(session)
        cookie = access.redeem(session, token)
    assert cookie is not None
    stored = b"".join(place.read_bytes() for place in data_directory.glob("workbench.sqlite3*"))
    assert token.encode() not in stored
    assert cookie.encode() not in stored


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_a_wide_bind_without_authentication_is_refused_with_the_reason(host: str) -> None:
    reason = check_bind(Settings(host=host))
    assert reason is not None
    assert host in reason
    assert "AFT_BEHIND_PROXY_AUTH" in reason
    assert check_bind(Settings(host=host, behind_proxy_auth=True)) is None


def test_a_body_that_is_too_large_is_refused() -> None:
    with client() as web:
        answer = web.post("/api/v1/experiments/plan", content=b"x" * (8 * 2**20 + 1))
    assert answer.status_code == 413


def test_a_file_outside_the_pages_cannot_be_read() -> None:
    with client() as web:
        for path in ("/../pyproject.toml", "/..%2f..%2fpyproject.toml", "/assets/../../../pyproject.toml"):
            assert "aft-workbench" not in web.get(path).text


def test_an_unknown_api_address_is_a_problem() -> None:
    with client() as web:
        answer = web.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.json()["title"]
