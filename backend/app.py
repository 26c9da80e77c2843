"""The web application. It never imports torch."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from aft.version import VERSION
from backend import api
from backend.db.session import transaction
from backend.errors import AppError, StorageFull, telling
from backend.live import Broadcaster
from backend.security import COOKIE, Guard, check_bind
from backend.services import access, builtin
from backend.services.dispatch import Dispatcher
from backend.settings import Settings, get_settings

logger = logging.getLogger(__name__)
FRONTEND = Path(__file__).resolve().parents[1] / "frontend" / "dist"
PROBLEM = "application/problem+json"


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application: API, live stream, dispatcher thread and the built frontend.

    Raises:
        RuntimeError: If the bind address is reachable from outside and nobody authenticates.
    """
    settings = settings or get_settings()
    reason = check_bind(settings)
    if reason:
        raise RuntimeError(reason)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with transaction() as session:
            builtin.ensure(session)
        app.state.broadcaster = Broadcaster()
        await app.state.broadcaster.start()
        dispatcher = Dispatcher()
        dispatcher.start()
        yield
        dispatcher.stop()
        await app.state.broadcaster.stop()

    app = FastAPI(
        title="AFT Workbench",
        version=VERSION,
        description="Alignment experiments on reasoning models: data sets, candidate COTs, ratings, runs, charts.",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in api.routers():
        app.include_router(router, prefix="/api/v1")
    _handle_errors(app)
    _serve_pages(app)
    # Added last, so it sees a request first.
    app.add_middleware(GZipMiddleware, minimum_size=2048)
    app.add_middleware(Guard, settings=settings)
    return app


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(AppError)
    def on_app_error(_request: Request, error: AppError) -> JSONResponse:
        return JSONResponse(error.problem(), error.status, media_type=PROBLEM)

    @app.exception_handler(RequestValidationError)
    def on_malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(validation_problem(list(error.errors())), 422, media_type=PROBLEM)

    @app.exception_handler(HTTPException)
    def on_http(_request: Request, error: HTTPException) -> JSONResponse:
        body = {"type": "about:blank", "title": str(error.detail), "status": error.status_code}
        body |= {"detail": str(error.detail), "remedy": "", "errors": []}
        return JSONResponse(body, error.status_code, media_type=PROBLEM, headers=error.headers)

    @app.exception_handler(OperationalError)
    def on_database(_request: Request, error: OperationalError) -> JSONResponse:
        logger.error("database error: %s", error.orig)
        if "disk is full" in str(error.orig) or "No space left" in str(error.orig):
            full = StorageFull("The database cannot grow.", remedy="Free space on the data directory's disk.")
            return JSONResponse(full.problem(), full.status, media_type=PROBLEM)
        body = AppError("The database did not answer.", remedy="Try again; `aft doctor` says what is wrong.").problem()
        return JSONResponse(body | {"status": 503}, 503, media_type=PROBLEM)


def validation_problem(errors: list[Any]) -> dict[str, Any]:
    """Pydantic's findings as a problem with one message per field."""
    items = []
    for error in telling(errors):
        where = [str(part) for part in error["loc"] if part not in {"body", "query", "path"}]
        message = str(error["msg"]).removeprefix("Value error, ")
        given = error.get("input")
        secret = any(word in (where[-1] if where else "") for word in ("key", "token", "password"))
        if not secret and isinstance(given, str | int | float) and str(given)[:80] not in message:
            message = f"{message} (given: {str(given)[:80]!r})"
        items.append({"field": ".".join(where), "message": message})
    detail = "; ".join(f"{item['field'] or 'body'}: {item['message']}" for item in items[:5])
    return {
        "type": "about:blank",
        "title": "Some values cannot be used",
        "status": 422,
        "detail": detail,
        "remedy": "Correct the fields named.",
        "errors": items,
    }


def _serve_pages(app: FastAPI) -> None:
    @app.get("/health", include_in_schema=False)
    def health() -> dict[str, str]:
        return {"status": "ok", "version": VERSION}

    @app.get("/ready", include_in_schema=False)
    def ready() -> dict[str, str]:
        with transaction():
            return {"status": "ready"}

    @app.get("/login", include_in_schema=False)
    def login(token: str = "") -> Response:
        with transaction() as session:
            cookie = access.redeem(session, token)
        if cookie is None:
            return RedirectResponse("/expired", status_code=303)
        response = RedirectResponse("/", status_code=303)
        lifetime = int(access.SESSION_LIFETIME.total_seconds())
        response.set_cookie(COOKIE, cookie, max_age=lifetime, httponly=True, samesite="strict", path="/")
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        """A built file, or the single page for every other address."""
        if path.startswith("api/"):
            raise HTTPException(404, f"There is nothing at /{path}.")
        place = (FRONTEND / path).resolve()
        if path and place.is_file() and place.is_relative_to(FRONTEND):
            # Vite puts a content hash into every name below assets/.
            cache = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
            return FileResponse(place, headers={"Cache-Control": cache})
        index = FRONTEND / "index.html"
        if not index.is_file():
            raise AppError("The pages are not built.", remedy="Run `make setup`, or `npm run build` in frontend/.")
        return FileResponse(index, headers={"Cache-Control": "no-cache"})
