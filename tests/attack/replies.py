"""Replies that no correct server sends, each under a name that says what is wrong with it."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.attack.server import Act, drips, waits
from tests.hostile import Peer, bare, reply
from tests.test_secrets import FORMS, PLACES

__all__ = ["OTHER", "Hostile", "hostile_replies"]

OTHER = "id0x"  # the name in an answer that is nobody's
_SMUGGLED = reply(json.dumps({"errcode": 0, "errmsg": f"ok {OTHER}"}).encode())
_OK = "HTTP/1.1 200 OK"
# What is sent: these bytes, a moment in which a client that goes on too early does so, or what is made of the true body
# and the secret that the call holds.
Piece = bytes | None | Callable[[bytes, str], bytes]
_Named = Iterator[tuple[str, "Hostile"]]


class Hostile(NamedTuple):
    """What is sent in place of the true body's reply, and what must result from it.

    `end` says what follows the pieces: "keep" (the connection stays open), "close", "reset", "stall", or bytes that
    drip. `own`: a pool of open_pool gets the true answer. `refused` says which kinds of call raise: "all", those that
    are "read" (not perform, which gives any reply), or a "receipt" only. `sent` is what maybe_sent must be where a
    receipt raises, None for either. `fair_at_once` is False for what a client that sends the next request cannot
    know before it arrives. `flows`: content comes, if slowly, and a medium may take that long.
    """

    pieces: tuple[Piece, ...]
    end: str | bytes = "close"
    own: bool = False
    refused: str = ""
    sent: bool | None = True
    fair_at_once: bool = True
    flows: bool = False

    def act_of(self, secret: str, every: float) -> Act:
        """Return what the server does with a call that holds this secret; a drip comes `every` few seconds."""

        def act(peer: Peer, body: bytes, settled: threading.Event) -> bool:
            for piece in self.pieces:
                if piece is None:
                    waits(peer)
                else:
                    peer.send(piece(body, secret) if callable(piece) else piece)
            if isinstance(self.end, bytes):
                drips(peer, self.end, every)
            elif self.end == "reset":
                peer.reset()
            elif self.end == "stall":
                settled.set()
                peer.stall()
            return self.end == "keep"

        return act


def _told(status: str = "200 OK", *headers: str, more: int = 0, extra: bytes = b"") -> Piece:
    """Return a whole reply with the true body, whose stated length is `more` too long, and then something extra."""
    return lambda body, secret: reply(body, status, *headers, length=len(body) + more) + extra


def _length(length: str) -> Piece:
    """Return a reply with this length: n stands for the true one in decimal, h in hex, m for one too long."""

    def piece(body: bytes, _: str) -> bytes:
        told = length.format(n=len(body), m=len(body) + 9, h=f"{len(body):x}")
        return f"{_OK}\r\nContent-Length: {told}\r\n\r\n".encode("latin-1") + body

    return piece


def _chunks_of(size: bytes = b"%x", end: bytes = b"0\r\n\r\n", *, start: str = _OK, after: bytes = b"\r\n") -> Piece:
    """Return a reply in one chunk, with this text as its size (%x stands for the true one), and its end."""
    return lambda body, secret: _chunked(size.replace(b"%x", b"%x" % len(body)) + b"\r\n" + body + after + end, start)


def _chunked(chunks: bytes, start: str = _OK) -> bytes:
    return bare(start, "Transfer-Encoding: chunked", body=chunks)


def _raw(head: str | bytes, end: str = "keep", **more: Any) -> Hostile:
    """Return a reply that begins with this, has a length, and is otherwise right."""
    start = head.encode("latin-1") if isinstance(head, str) else head
    return Hostile((lambda body, secret: start + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body,), end, **more)


def _status_lines() -> _Named:
    lines = [
        "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 abc OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 -200 OK",
        "HTTP/1.1 +200 OK", "HTTP/1.1 2_0 OK", "HTTP/1.1 0x0 OK", "HTTP/1.1 000 OK", "HTTP/1.1 099 OK",
        "HTTP/1.1 999 OK", "HTTP/1.1 200.0 OK", "HTTP/2 200", "HTTP/1.2 200 OK", "HTTP/9.9 200 OK", "HTTP/1.1200 OK",
        "http/1.1 200 OK", "ICY 200 OK", "HTTP/1.1\t200\tOK", "HTTP/1.1  200  OK", " HTTP/1.1 200 OK",
        "\r\nHTTP/1.1 200 OK", "\r\n\r\n\r\nHTTP/1.1 200 OK", "\n\nHTTP/1.1 200 OK", "HTTP/1.1 200 OK\0",
        "HTTP/1.1 200 O\rK", "HTTP/1.1 \xb2\xb9\xb9 OK", "HTTP/1.1 200 \xff\xfe", "HTTP/1.1 200 " + "x" * 70_000,
        "HTTP/1.1 200", "SSH-2.0-OpenSSH", "220 smtp ready", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1",
    ]  # fmt: skip
    for line in lines:
        yield f"status line {line[:30]!r}", _raw(line)
    yield "status line in full width", _raw("HTTP/1.1 ２００ OK".encode())
    yield "status line of 2 MB", Hostile((b"HTTP/1.1 200 " + b"x" * 2**21,))


def _statuses() -> _Named:
    for code in (
        201, 202, 203, 204, 205, 206, 226, 299, 300, 304, 305, 306, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
        410, 411, 412, 413, 414, 421, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 511, 520, 599, 600, 700,
    ):  # fmt: skip
        certain = code in (404, 412)
        yield f"status {code} with a good body", _raw(f"HTTP/1.1 {code} Made Up", refused="read", sent=not certain)
    yield "status 204 with chunks", Hostile((_chunks_of(start="HTTP/1.1 204 No"),), "keep")
    yield "status 304 and smuggled", Hostile((bare("HTTP/1.1 304 No") + _SMUGGLED,), "keep")
    for wait in ("0", "-1", "soon", "99999999"):
        yield (
            f"status 503, Retry-After {wait}",
            _raw(f"HTTP/1.1 503 Busy\r\nRetry-After: {wait}", "close", refused="read"),
        )


def _interim() -> _Named:
    for code in (100, 101, 102, 103, 104, 150, 199):
        one = bare(f"HTTP/1.1 {code} Made Up", "Link: </x>")
        own = code != 101  # after which another protocol is spoken
        yield f"{code}, then the answer", Hostile((one, _told()), "keep", own)
        yield f"2 x {code}, then the answer", Hostile((one * 2, _told()), "keep", own)
        yield f"{code}, a moment later the answer", Hostile((one, None, _told()), "keep", own)
        yield (
            f"{code}, {code} and the answer, each after a moment",
            Hostile((one, None, one, None, _told()), "keep", own),
        )
        yield f"300 x {code}, then the answer", Hostile((one * 300, None, _told()), "keep")
        yield f"{code} and the end", Hostile((one,), refused="all")
        yield f"{code} and nothing", Hostile((one,), "stall", refused="all")
        yield f"{code} dripping for ever", Hostile((), one, refused="all")
        yield f"{code} with a length and a body", Hostile((_told(f"{code} Made Up"), None, _told()), "keep")
        yield f"{code} with chunks", Hostile((_chunks_of(start=f"HTTP/1.1 {code} X"), None, _told()), "keep")
        yield f"{code}, then nonsense", Hostile((one + b"nonsense\r\n\r\n", None, _told()), "keep")
        yield f"{code}, then half a status line and the end", Hostile((one, None, b"HTTP/1."), refused="all")
    yield "100 with dripping headers", Hostile((b"HTTP/1.1 100 Go\r\n",), b"X: y\r\n", refused="all")
    yield "100 with 300 headers, then the answer", Hostile((bare("HTTP/1.1 100 Go", *["X: y"] * 300), _told()), "keep")


def _headers() -> _Named:
    start = _OK + "\r\n"
    lines = [
        "no colon", ": no name", "X : blank before the colon", " folded: first", "X: 1\r\n folded", "X: 1\r\n\tfolded",
        "X\0: y", "X: a\0b", "X: a\rb", "X\r: y", "\xff: y", "X: \xff\xfe", "X: " + "y" * 66_000, "X: " + "y" * 2**20,
        "X" * 66_000 + ": y", "Connection: close", "Connection: upgrade\r\nUpgrade: h2c", "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked",
        'Transfer-Encoding: "chunked"', "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "Set-Cookie: a=b", "Trailer: X", "Content-Type: \x1b[31m",
        'Content-Disposition: attachment; filename="../../etc/passwd"', "Content-Disposition: \xff\xff; filename*=x",
        "Keep-Alive: timeout=0, max=0", "Content-Range: bytes 0-1/2", "X: y\n\nHTTP/1.1 200 OK",
    ]  # fmt: skip
    for line in lines:
        yield f"header {line[:40]!r}", _raw(start + line)
    for count in (99, 101, 1000, 20_000):
        yield f"{count} headers", _raw("\r\n".join([_OK, *["X: y"] * count]))
    yield "headers without end", Hostile((start.encode() + b"X: y\r\n" * 400_000,))
    yield "headers that drip", Hostile((start.encode(),), b"X: y\r\n", refused="all")
    yield "a status line that drips", Hostile((b"HTTP/1.1 200 ",), b"x", refused="all")
    yield "a header line that drips", Hostile((start.encode() + b"X: ",), b"y", refused="all")
    yield "blank lines that drip", Hostile((), b"\r\n")
    for name, end in (("line feeds", "\n"), ("carriage returns", "\r")):
        head = f"{_OK}{end}Content-Length: 9{end}{end}".encode()
        yield f"{name} only", Hostile((head, lambda body, secret: body[:9]))


def _lengths() -> _Named:
    for told in (
        "+{n}", "-{n}", "-1", "-0", " {n} ", "0{n}", "000{n}", "{n}.0", "{n}e0", "0x{h}", "{n}, {n}", "{n}, {m}",
        "{n};", "{n} x", "", "x", "1_0", "\xb2\xb9", "9" * 40, "9" * 5000, "4294967296", "18446744073709551616",
        "{n}\r\nContent-Length: {n}", "{n}\r\nContent-Length: {m}", "{m}\r\nContent-Length: {n}", "{n}\0",
        "{n}\r\nContent-Length:", "{n}\r\n 0", "0\r\nContent-Length: {n}", "{n}\r\nTransfer-Encoding: chunked",
    ):  # fmt: skip
        yield f"length {told[:40]!r}", Hostile((_length(told),), "keep")
        yield f"length {told[:40]!r}, then the end", Hostile((_length(told),))
    for less in (0, 1, 5):
        yield f"a length of {less}, and more", Hostile((_length(str(less)),), "keep")
    for more in (1, 5, 10**6):
        yield f"a length of {more} too many, then the end", Hostile((_told(more=more),), refused="all")
        yield f"a length of {more} too many, then nothing", Hostile((_told(more=more),), "stall", refused="all")
    yield "a body that drips", Hostile((_told(more=10**6),), b" ", sent=None, flows=True)
    yield "no length, a body that drips", Hostile((bare(_OK),), b" ", sent=None, flows=True)


_LAST = b"0\r\n\r\n"


def _chunks() -> _Named:
    yield "good chunks", Hostile((_chunks_of(),), "keep", own=True)
    yield (
        "a chunk for each byte",
        Hostile(
            (_chunked(b""), lambda body, secret: b"".join(b"1\r\n%c\r\n" % byte for byte in body) + _LAST),
            "keep",
            own=True,
        ),
    )
    for size in (
        b"-5", b"-0", b"-1", b"+%x", b"0x%x", b" %x", b"%x ", b"%x\t", b"%x;a=b", b"%x ; a", b"000%x", b"%x\r", b"%x\0",
        b"", b"g", b"\xb2", b"%x.0", b"0_%x", b"f" * 16, b"f" * 4000, b"-" + b"f" * 16, b"%x;" + b"x" * 70_000,
        b"\r\n%x", b"zz", b"NaN", b"'5'", b"0%x;\nX", b"7fffffffffffffff", b"ffffffff", b"5", b"-80000000",
    ):  # fmt: skip
        told = size[:20].decode("latin-1")
        yield f"chunk size {told!r}", Hostile((_chunks_of(size),), "keep")
        yield f"chunk size {told!r}, then the end", Hostile((_chunks_of(size),))
    ends: dict[str, bytes] = {
        "no last chunk": b"", "half a last chunk": b"0", "a last chunk without an end": b"0\r\n",
        "half an end": b"0\r\n\r", "a trailer without an end": b"0\r\nX: y\r\n",
    }  # fmt: skip
    for name, end in ends.items():
        for then in ("close", "stall"):
            yield f"{name}, then {then}", Hostile((_chunks_of(end=end),), then, sent=None)
    tails: dict[str, bytes] = {
        "a trailer": b"0\r\nX: y\r\n\r\n", "a trailer with a length": b"0\r\nContent-Length: 5\r\n\r\n",
        "a bad trailer": b"0\r\nnonsense\r\n\r\n", "a folded trailer": b"0\r\n X\r\n\r\n",
        "1000 trailers": b"0\r\n" + b"X: y\r\n" * 1000 + b"\r\n", "line feeds": b"0\n\n",
        "a long trailer": b"0\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "eight zeros": b"00000000\r\n\r\n",
        "an extension": b"0;a\r\n\r\n", "a second reply": _LAST + _SMUGGLED, "a minus": b"-0\r\n\r\n",
        "a second end": _LAST * 2, "a status as trailer": b"0\r\n" + _SMUGGLED,
    }  # fmt: skip
    for name, tail in tails.items():
        yield f"chunks, then {name}", Hostile((_chunks_of(end=tail),), "keep", sent=None)
    yield "too long a size", Hostile((_chunks_of(b"fff"),), refused="all")
    yield "no line end after the chunk", Hostile((_chunks_of(after=b"XX"),), "keep")
    drip: dict[str, tuple[bytes, bytes]] = {
        "trailers": (b"0\r\n", b"X: y\r\n"), "a trailer": (b"0\r\nX: ", b"y"), "a size line": (b"", b"0"),
        "an extension": (b"5;", b"x"), "an extension of the last": (b"0;", b"x"),
    }  # fmt: skip
    for name, (start, piece) in drip.items():
        yield f"chunks, then {name} drip", Hostile((_chunks_of(end=start),), piece, sent=None)
    yield "a flood of trailers", Hostile((_chunks_of(end=b"0\r\n" + b"X: y\r\n" * 10**6),))
    yield "a flood of empty lines", Hostile((_chunked(b"\r\n" * 10**6),))


def _encodings() -> _Named:
    bomb = gzip.compress(bytes(20_000_000))
    for coding in ("gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "compress", "identity, gzip", "gzip, identity"):
        yield f"encoded as {coding}", Hostile((_told("200 OK", f"Content-Encoding: {coding}"),), "keep", refused="all")
    yield "a bomb in gzip", Hostile((reply(bomb, "200 OK", "Content-Encoding: gzip"),), refused="all")
    yield "a bomb that is not told", Hostile((reply(bomb),), sent=None)
    yield "two encodings", Hostile((_told("200 OK", "Content-Encoding: identity", "Content-Encoding: gzip"),), "keep")
    yield "identity", Hostile((_told("200 OK", "Content-Encoding: identity"),), "keep", own=True)


def _redirects() -> _Named:
    for code in (301, 302, 303, 307, 308):
        for where in ("/elsewhere", "http://127.0.0.1:9/?x", "//made-up.invalid/", "", "javascript:x", "\x00"):
            moved = _told(f"{code} Go", f"Location: {where}")
            yield f"{code} to {where!r}", Hostile((moved,), "keep", refused="read")


def _versions() -> _Named:
    yield "HTTP/0.9", Hostile((lambda body, secret: body,), refused="all")
    yield "HTTP/0.9 of markup", Hostile((b"<html>made up</html>\r\n\r\n",), refused="all")
    for version in ("1.0", "1.1"):
        open_ended: tuple[Piece, ...] = (bare(f"HTTP/{version} 200 OK"), lambda body, secret: body)
        yield f"HTTP/{version} to the end", Hostile(open_ended, own=True)
        yield f"HTTP/{version} to the end, cut by a reset", Hostile((*open_ended, None), "reset")
    for header in ("Connection: keep-alive", "Connection: close", "X: y"):
        yield f"HTTP/1.0, {header}", _raw(f"HTTP/1.0 200 OK\r\n{header}", own=True)
    yield "HTTP/1.0 with chunks", Hostile((_chunks_of(start="HTTP/1.0 200 OK"),), "keep")


def _extra() -> _Named:
    more: dict[str, bytes] = {
        "a reply": _SMUGGLED, "five replies": _SMUGGLED * 5, "a line end": b"\r\n", "a byte": b"x",
        "half a status line": b"HTTP/1.1 2", "an interim reply": bare("HTTP/1.1 103 X"), "a megabyte": bytes(10**6),
        "a 408": reply(b"", "408 Idle", "Connection: close"),
    }  # fmt: skip
    for name, extra in more.items():
        fair = len(extra) < 1000  # all of it arrives at once
        yield f"the answer and {name}", Hostile((_told(extra=extra),), "keep", own=True, fair_at_once=fair)
        yield (
            f"the answer and, a moment later, {name}",
            Hostile((_told(), None, extra), "keep", own=True, fair_at_once=False),
        )
        chunks = _chunks_of(end=_LAST + extra)
        yield f"the answer in chunks and {name}", Hostile((chunks,), "keep", own=True, fair_at_once=False)
        yield f"the answer and {name}, then the end", Hostile((_told(extra=extra),), own=True, fair_at_once=False)


def _bodies() -> _Named:
    none: dict[str, bytes] = {  # none of these says success
        "null": b"null", "true": b"true", "a number": b"0", "a text": b'""', "a list": b"[]",
        "a list with success": b'[{"errcode":0}]', "nothing": b"", "blanks": b" \r\n", "a comma": b'{"errcode":0,}',
        "cut JSON": b'{"errcode":0,"errmsg":"ok', "single quotes": b"{'errcode':0}", "markup": b"<html>ok</html>",
        "two objects": b'{"errcode":0}{"errcode":0}', "NaN": b'{"errcode":NaN}', "no errcode": b'{"errmsg":"ok"}',
        "a text as errcode": b'{"errcode":"0"}', "true as errcode": b'{"errcode":true}', "an object": b"{}",
        "false as errcode": b'{"errcode":false}', "0.0 as errcode": b'{"errcode":0.0}',
        "null as errcode": b'{"errcode":null}', "a list as errcode": b'{"errcode":[0]}',
        "infinite errcode": b'{"errcode":1e999}', "deep": b'{"a":' * 100_000, "deep lists": b'{"a":' + b"[" * 100_000,
        "a very long number": b'{"errcode":' + b"9" * 5000 + b"}", "Latin-1": b'{"errcode":0,"errmsg":"\xff\xfe',
        "a zero byte": b"\0", "zero bytes": bytes(1000), "JSONP": b'ok({"errcode":0})', "1 MB of blanks": b" " * 2**20,
        "2 MB of blanks": b" " * 2**21, "a captive portal": b"<!DOCTYPE html><title>x",
    }  # fmt: skip
    for name, body in none.items():
        yield f"body: {name}", _with_body(body, refused="receipt")
    for coding in ("utf-16", "utf-16-be", "utf-32"):
        yield f"body: in {coding}", _with_body('{"errcode":0}'.encode(coding), sent=None)
    refusals = {45047: False, 45015: False, 40001: False, 40013: False, 45009: False, 99999: False, -1: True, 4: True}
    for errcode, sent in refusals.items():
        refusal = b'{"errcode":%d,"errmsg":"made up"}' % errcode
        yield f"errcode {errcode}", _with_body(refusal, refused="receipt", sent=sent)
    odd: dict[str, object] = {
        "a number": 5, "null": None, "a list": [["x"]], "long": "x" * 900_000, "coloured": "\x1b[31mred\x07",
        "turned": "\u202eabc", "halved": "\ud800", "zero": "\0", "lines": "a\nb\r\n" * 9, "rid": "rid: " * 50,
        "formats": "%s %d {0} {x}", "markup": "<script>alert(1)</script>",
    }  # fmt: skip
    for name, errmsg in odd.items():
        body = json.dumps({"errcode": 40003, "errmsg": errmsg}).encode()
        yield f"errmsg: {name}", _with_body(body, refused="receipt", sent=False)
    yield "two errcodes, the last 0", _with_body(b'{"errcode":45047,"errcode":0}', sent=None)
    yield "two errcodes, the first 0", _with_body(b'{"errcode":0,"errcode":45047}', refused="receipt", sent=False)
    yield "an errcode past all numbers", _with_body(b'{"errcode":9999999999999999999999}', refused="receipt", sent=None)
    values = ['{"access_token":5}', '{"access_token":"","expires_in":1}', '{"access_token":"a\\nb","expires_in":9}']
    lives = ("-1", "1e9", '"7200"', "9" * 400, "null")
    values += [f'{{"access_token":"abcdefgh","expires_in":{life}}}' for life in lives]
    values += ['{"media_id":5,"created_at":1}', '{"media_id":"x","created_at":true}', '{"video_url":"http://x"}']
    values += ['{"errcode":0}', '{"errcode":-0}', '{"quota":5}', '{"request":[]}', '{"\\u0000":0}']
    for value in values:
        yield f"body: {value[:50]}", _with_body(value.encode(), sent=None)


def _with_body(body: bytes, **more: Any) -> Hostile:
    return Hostile((reply(body),), "keep", **more)


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": FORMS["raw"],  # test_secrets has the others in all places
    "\\u": lambda value: "".join(f"\\u{ord(c):04x}" for c in value),
    "\\U of every other": lambda value: "".join(f"\\u{ord(c):04X}" if at % 2 else c for at, c in enumerate(value)),
    "entities": lambda value: "".join(f"&#{ord(c)};" for c in value),
    "hex entities": lambda value: "".join(f"&#X{ord(c):X};" for c in value),
    "every character percent": lambda value: "".join(f"%{ord(c):02X}" for c in value),
    "twice": lambda value: f"{value} {value}",
    "in a URL of JSON": lambda value: f"http:\\/\\/x\\/?access_token={value}",
}
_GOOD = '{"errcode":0,"errmsg":"ok @","a":[{"@":["@"]}],"access_token":"@","expires_in":9}'
_FORMS: dict[str, Callable[[str], bytes]] = {
    **PLACES,
    "in good JSON": lambda what: reply(_GOOD.replace("@", what).encode()),
    "as errmsg": lambda what: reply(f'{{"errcode":40003,"errmsg":"{what}"}}'.encode()),
    "as media_id": lambda what: reply(f'{{"media_id":"{what}","created_at":1,"type":"{what}"}}'.encode()),
    "type of a medium": lambda what: reply(b"#!AMR made up", "200 OK", f"Content-Type: audio/{what}"),
}


def _echo(spelled: Callable[[str], str], place: Callable[[str], bytes]) -> Piece:
    return lambda body, secret: place(spelled(secret))


def _echoes() -> _Named:
    for spelling, spelled in _SPELLINGS.items():
        for name, place in _FORMS.items():
            yield f"echo {spelling}: {name}", Hostile((_echo(spelled, place),), sent=None)


def _silences() -> _Named:
    starts: dict[str, Piece] = {
        "nothing": b"",
        "a status line": _OK.encode() + b"\r\n",
        "headers": _OK.encode() + b"\r\nX: y\r\n",
        "a head": reply(b"", length=10**4),
        "half a body": lambda body, secret: reply(body)[:-5],
        "a head of chunks": _chunked(b""),
        "a chunk": _chunks_of(end=b""),
        "half a size": _chunked(b"1"),
    }
    for name, piece in starts.items():
        yield f"{name} and silence", Hostile((piece,), "stall", refused="all")
        yield f"{name} and the end", Hostile((piece,), "close", refused="all")
        yield f"{name} and a reset", Hostile((piece,), "reset", refused="all")


def hostile_replies() -> dict[str, Hostile]:
    """Return all of them by name."""
    rooms = (
        _status_lines, _statuses, _interim, _headers, _lengths, _chunks, _encodings, _redirects, _versions, _extra,
        _bodies, _echoes, _silences,
    )  # fmt: skip
    return {name: hostile for room in rooms for name, hostile in room()}
