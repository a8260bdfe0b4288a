"""A medium chunk by chunk, never whole in memory: `stream`."""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from urllib3.response import BaseHTTPResponse

from wxcs_lite import endpoints
from wxcs_lite.errors import WxError
from wxcs_lite.forks import stay_in
from wxcs_lite.logs import log_call
from wxcs_lite.media import Media
from wxcs_lite.multipart import PIECE
from wxcs_lite.pools import Pool
from wxcs_lite.replies import BLANK, Headers, looks_like_text, read_media
from wxcs_lite.request import Request
from wxcs_lite.secret import hidden, secret_of
from wxcs_lite.tracebacks import call_cleanly
from wxcs_lite.wire import (
    MAX_JSON,
    drop,
    note_relay,
    open_response,
    read_bounded,
    read_piece,
    refuse_unread,
    without_echo_in,
)

__all__ = ["Stream", "stream"]


class Stream:
    """A medium that is being downloaded: iterate over its chunks of bytes, once; its headers have arrived."""

    __slots__ = ("_chunks", "_process", "closed", "content_type", "filename", "headers")

    def __init__(self, headers: Headers, content_type: str, filename: str, chunks: Iterator[bytes]) -> None:
        self.headers, self.content_type, self.filename, self._chunks = headers, content_type, filename, chunks
        self.closed, self._process = False, os.getpid()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.closed:  # otherwise the unread rest would look like the end
            raise ValueError("the stream is closed: read it inside its with block\n流已关闭：请在 with 块内读取")
        stay_in(self._process)
        return next(self._chunks)

    def __repr__(self) -> str:
        return f"<Stream {self.filename}, {self.content_type}>"


def stream(pool: Pool, token: str | None, media_id: str) -> AbstractContextManager[Stream]:
    r"""Download a medium chunk by chunk, to pass it on to a browser or to save a large file.

    >>> from wxcs_lite import fetch_token, upload
    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> pool = sandbox.pool()
    >>> token = fetch_token(pool, sandbox.appid, sandbox.secret)
    >>> media_id = upload(pool, token, b"\xff\xd8\xff\xe0 made up").media_id
    >>> with stream(pool, token, media_id) as medium:
    ...     medium.content_type, b"".join(medium)
    ('image/jpeg', b'\xff\xd8\xff\xe0 made up')

    An API error is raised on entry, before the first chunk; a lost connection (TransportError) may come between chunks.
    Chunks have 64 KiB at most. Leaving the block early closes the connection.
    """
    # A plain function: contextlib's decorator would keep the plain token in its frame and in what it returns.
    pool, token, media_id = hidden(pool, token, media_id)
    return _stream(pool, token, media_id)


@contextmanager
def _stream(pool: Pool, token: str | None, media_id: str) -> Iterator[Stream]:
    request, process = endpoints.download(media_id), os.getpid()
    response, medium = call_cleanly(request, secret_of(token), lambda: _entered(pool, token, request))
    chunks = _chunks(request, response, medium.content)
    opened = Stream(without_echo_in(response.headers, secret_of(token)), medium.content_type, medium.filename, chunks)
    try:
        yield opened
    finally:
        opened.closed = True
        if os.getpid() == process:
            drop(response)
        else:
            response.close()  # the child's copy, which goes back into no pool


def _entered(pool: Pool, token: str | None, request: Request) -> tuple[BaseHTTPResponse, Media]:
    """Return the response and the first bytes of its medium, enough to tell a picture from an error."""
    response, start, begun = None, b"", time.perf_counter()
    try:
        response = open_response(pool, token, request)
        refuse_unread(response)
        while len(start.lstrip(BLANK)) < 16 and len(start) < PIECE and (more := read_piece(response)):
            start += more
        if response.status != 200 or looks_like_text(start):
            start += read_bounded(response, request, MAX_JSON, pool)
        medium = read_media(response.status, without_echo_in(response.headers, secret_of(token)), start)
        log_call(request, begun, f"HTTP {response.status}")
        return response, medium
    except BaseException as e:
        if isinstance(e, WxError) and response is not None:
            note_relay(e, response.headers)
        drop(response)
        log_call(request, begun, type(e).__name__, start)
        raise


def _chunks(request: Request, response: BaseHTTPResponse, start: bytes) -> Iterator[bytes]:
    chunk = start
    while chunk:
        yield chunk
        chunk = call_cleanly(request, None, lambda: read_piece(response))
