"""Judge endpoints on the disk: one file in the data directory that only its owner can read.

Keys are kept out of the database, so that neither a backup nor a query of it holds a secret.
"""

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from aft.config.judge import EndpointConfig
from backend.errors import Conflict, Invalid, NotFound
from backend.settings import get_settings

FILE: Final = "judges.json"
MOST_ENDPOINTS: Final = 100
_lock = threading.Lock()


def names() -> list[str]:
    """Every endpoint's name."""
    return sorted(_load())


def get(name: str) -> tuple[EndpointConfig, SecretStr | None]:
    """An endpoint and its key.

    Raises:
        NotFound: If there is none of this name.
        Conflict: If the file cannot be read.
    """
    entry = _load().get(name)
    if entry is None:
        raise NotFound(
            f"There is no judge endpoint '{name}'.", remedy="Add it in the settings, or with `aft judge set`."
        )
    key = entry.get("api_key")
    try:
        config = EndpointConfig.model_validate(entry["endpoint"])
    except (KeyError, ValidationError) as error:
        raise Conflict(f"The judge endpoint '{name}' cannot be read.", remedy="Store it anew.") from error
    return config, SecretStr(key) if isinstance(key, str) and key else None


def put(name: str, config: EndpointConfig, key: SecretStr | None) -> None:
    """Store an endpoint.

    Args:
        name: Its name; an existing one is replaced.
        config: The settings.
        key: The key; empty removes it. None keeps the stored one if scheme, host and port are the same: a key is
            never sent to a server that it was not given for.

    Raises:
        Invalid: If there are too many endpoints.
    """
    with _lock:
        entries = _load()
        known = entries.get(name)
        if known is None and len(entries) >= MOST_ENDPOINTS:
            raise Invalid(f"There are {len(entries)} judge endpoints already.", remedy="Delete one first.")
        stored = ""
        if key is not None:
            stored = key.get_secret_value().strip()
        elif known is not None and _origin(known["endpoint"]["base_url"]) == _origin(config.base_url):
            stored = known.get("api_key", "")
        if len(stored) > 1000:
            raise Invalid("The key is longer than any key.", remedy="Paste it again.", field="api_key")
        if any(not 33 <= ord(letter) <= 126 for letter in stored):
            raise Invalid(
                "The key has a character that no key has, such as a space.", remedy="Paste it again.", field="api_key"
            )
        entries[name] = {"endpoint": config.model_dump(mode="json"), "api_key": stored}
        _save(entries)


def remove(name: str) -> None:
    """Forget an endpoint with its key.

    Raises:
        NotFound: If there is none of this name.
    """
    get(name)
    with _lock:
        entries = _load()
        entries.pop(name, None)
        _save(entries)


def cache_directory() -> Path:
    """Where replies are kept by content."""
    return get_settings().root / "judge-cache"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _load() -> dict[str, Any]:
    place = get_settings().root / FILE
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Conflict(
            f"The file of the judge endpoints, {place}, cannot be read.", remedy="Repair it, or delete it."
        ) from error
    return found if isinstance(found, dict) else {}


def _save(entries: dict[str, Any]) -> None:
    root = get_settings().root
    root.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=root, prefix=f".{FILE}.")  # readable by its owner only
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(entries, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    Path(name).replace(root / FILE)
