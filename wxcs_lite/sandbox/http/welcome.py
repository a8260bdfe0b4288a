"""What a browser finds at the address that is meant for programs: a page that says so."""

from functools import cache
from importlib.resources import files

from wxcs_lite.sandbox.http.values import Reply, Request

__all__ = ["welcome"]

_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"),
)


def welcome(request: Request) -> Reply | None:
    """Return the page if a browser opens the bare address; a program does not ask for HTML, and gets what WeChat has.

    >>> welcome(Request("GET", "/", (), {"accept": "*/*"}, b"", True))
    >>> welcome(Request("GET", "/", (), {"accept": "text/html,*/*;q=0.8"}, b"", True)).status
    200
    """
    opened = request.method == "GET" and request.path == "/" and "text/html" in request.headers.get("accept", "")
    return Reply(200, _HEADERS, _page()) if opened else None


@cache
def _page() -> bytes:
    return files(__package__).joinpath("welcome.html").read_bytes()
