"""Write the API's description for the frontend's generated types: ``python -m backend.openapi [FILE]``."""

import json
import sys
from pathlib import Path

from backend.app import create_app

DEFAULT = Path(__file__).resolve().parents[1] / "frontend" / "openapi.json"


def main() -> None:
    """Write the file named on the command line, or the committed one."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    place.write_text(json.dumps(create_app().openapi(), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
