"""The recipes' tests run where the libraries are; with WXCS_RECIPES=1 a missing one is a failure."""

import os
from importlib.metadata import version
from importlib.util import find_spec

LIBRARIES = (
    "aiohttp", "distributed", "fastapi", "flask", "gunicorn", "httpx", "pandas", "redis", "requests", "uvicorn",
)  # fmt: skip
MISSING = [name for name in LIBRARIES if find_spec(name) is None]
ASKED = os.environ.get("WXCS_RECIPES") == "1"
NEEDING = [
    "test_bots.py", "test_desk_on_a_real_account.py", "test_http_libraries.py", "test_many_messages.py",
    "test_several_processes.py",
]  # fmt: skip
collect_ignore = NEEDING if MISSING and not ASKED else []


def pytest_report_header() -> str:
    if collect_ignore:
        return f"recipes: in part, because {', '.join(MISSING)} is missing; pip install -e '.[recipes]' adds the others"
    return "recipes: " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES if name not in MISSING)
