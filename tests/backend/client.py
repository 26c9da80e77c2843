"""A client of the application in this process, for endpoint tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi.testclient import TestClient

from backend.app import create_app
from backend.settings import get_settings

ORIGIN = "http://127.0.0.1"


@contextmanager
def client(*, require_login: bool = False, running: bool = False) -> Iterator[TestClient]:
    """The application as a browser on this machine sees it.

    Args:
        require_login: Whether requests need the session's cookie.
        running: Start what runs beside the requests too: the dispatcher and the live stream.
    """
    app = create_app(get_settings().model_copy(update={"require_login": require_login}))
    web = TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN}, raise_server_exceptions=False)
    if running:
        with web:
            yield web
    else:
        yield web
