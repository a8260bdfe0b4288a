"""The recipes' tests run where the libraries are; with WXCS_RECIPES=1 a missing one is a failure."""

import os
from importlib.metadata import version
from importlib.util import find_spec

LIBRARIES = ("aiohttp", "fastapi", "flask", "gunicorn", "httpx", "requests", "uvicorn")
MISSING = [name for name in LIBRARIES if find_spec(name) is None]
ASKED = os.environ.get("WXCS_RECIPES") == "1"
collect_ignore_glob = ["test_*.py"] if MISSING and not ASKED else []


def pytest_report_header() -> str:
    if collect_ignore_glob:
        return f"recipes: off, because {', '.join(MISSING)} is missing; pip install -e '.[recipes]' turns them on"
    return "recipes: " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES if name not in MISSING)
