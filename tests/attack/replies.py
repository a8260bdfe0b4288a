"""Replies as no good server gives them, each under the name that tells what is wrong with it."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.attack.server import Act, drips, waits
from tests.hostile import Peer, bare, reply
from tests.test_secrets import FORMS, PLACES

__all__ = ["OTHER", "Hostile", "hostile_replies"]

OTHER = "id0x"  # the name in an answer that is nobody's
_SMUGGLED = reply(json.dumps({"errcode": 0, "errmsg": f"ok {OTHER}"}).encode())
_Pieces = Callable[[bytes, str], list[bytes | None]]


class Hostile(NamedTuple):
    """What is sent in place of the true body's reply, and what must come of it.

    Of the pieces, None is a moment in which a client that goes on too early does so. `end` says what follows: "keep"
    (the connection serves on), "close", "reset", "stall", or a piece that drips. `own`: a pool of open_pool gets the
    true answer. `refused` says which kinds of call raise: "all", those that are "read" (not perform, which gives any
    reply), or a "receipt" only. `sent` is what maybe_sent must be where a receipt raises, None for either.
    `fair_at_once` is False for what nobody can know of who sends the next request before it arrives. `flows`: content
    comes, if slowly, and a medium may take its time.
    """

    pieces: _Pieces
    end: str | bytes = "close"
    own: bool = False
    refused: str = ""
    sent: bool | None = True
    fair_at_once: bool = True
    flows: bool = False

    def act_of(self, secret: str, every: float) -> Act:
        """Return what the server does with a call that holds this secret; a drip comes `every` so many seconds."""

        def act(peer: Peer, body: bytes, settled: threading.Event) -> bool:
            for piece in self.pieces(body, secret):
                if piece is None:
                    waits(peer)
                else:
                    peer.send(piece)
            if isinstance(self.end, bytes):
                drips(peer, self.end, every)
            elif self.end == "reset":
                peer.reset()
            elif self.end == "stall":
                settled.set()
                peer.stall()
            return self.end == "keep"

        return act


def _raw(head: str | bytes, **more: object) -> Hostile:
    """Return a reply that begins with this, has a length, and is otherwise right."""
    start = head.encode("latin-1") if isinstance(head, str) else head

    def pieces(body: bytes, _: str) -> list[bytes | None]:
        return [start + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body]

    return Hostile(pieces, **more)  # type: ignore[arg-type]


def _status_lines() -> Iterator[tuple[str, Hostile]]:
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
        yield f"status line {line[:30]!r}", _raw(line, end="keep")
    yield "status line '１' in full width", _raw("HTTP/1.1 ２００ OK".encode(), end="keep")
    yield "status line that is 2 MB long", Hostile(lambda body, token: [b"HTTP/1.1 200 " + b"x" * 2**21])


def _statuses() -> Iterator[tuple[str, Hostile]]:
    for code in (
        201, 202, 203, 204, 205, 206, 226, 299, 300, 304, 305, 306, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
        410, 411, 412, 413, 414, 421, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 511, 520, 599, 600, 700,
    ):  # fmt: skip
        certain = code in (404, 412)
        yield (
            f"status {code} with a good body",
            _raw(f"HTTP/1.1 {code} Made Up", end="keep", refused="read", sent=not certain),
        )
    yield (
        "status 204 with chunks",
        Hostile(lambda body, token: [_chunked(_chunk(body) + _LAST, start="HTTP/1.1 204 No")], "keep"),
    )
    yield "status 304 and smuggled", Hostile(lambda body, token: [bare("HTTP/1.1 304 No") + _SMUGGLED], "keep")
    for wait in ("0", "-1", "soon", "99999999"):
        yield f"status 503, Retry-After {wait}", _raw(f"HTTP/1.1 503 Busy\r\nRetry-After: {wait}", refused="read")


def _interim() -> Iterator[tuple[str, Hostile]]:
    for code in (100, 101, 102, 103, 104, 150, 199):
        interim = bare(f"HTTP/1.1 {code} Made Up", "Link: </x>")
        own = code != 101
        for count in (1, 2):
            yield f"{count} x {code}, then the answer", Hostile(
                lambda body, token, i=interim * count: [i + reply(body)], "keep", own  # type: ignore[misc]
            )  # fmt: skip
        yield (
            f"{code}, a moment later the answer",
            Hostile(
                lambda body, token, i=interim: [i, None, reply(body)],
                "keep",
                own,  # type: ignore[misc]
            ),
        )
        yield (
            f"{code}, {code} and the answer, each after a moment",
            Hostile(
                lambda body, token, i=interim: [i, None, i, None, reply(body)],
                "keep",
                own,  # type: ignore[misc]
            ),
        )
        yield (
            f"300 x {code}, then the answer",
            Hostile(
                lambda body, token, i=interim: [i * 300, None, reply(body)],
                "keep",  # type: ignore[misc]
            ),
        )
        yield f"{code} and the end", Hostile(lambda body, token, i=interim: [i], refused="all")  # type: ignore[misc]
        yield f"{code} and nothing", Hostile(lambda body, token, i=interim: [i], "stall")  # type: ignore[misc]
        yield f"{code} dripping for ever", Hostile(lambda body, token: [], interim, refused="all")
        yield (
            f"{code} with a length and a body",
            Hostile(
                lambda body, token, c=code: [reply(body, f"{c} Made Up"), None, reply(body)],
                "keep",  # type: ignore[misc]
            ),
        )
        yield (
            f"{code} with chunks",
            Hostile(
                lambda body, token, c=code: [
                    _chunked(_chunk(body) + _LAST, start=f"HTTP/1.1 {c} X"),
                    None,
                    reply(body),
                ],  # type: ignore[misc]
                "keep",
            ),
        )
        yield (
            f"{code}, then nonsense",
            Hostile(
                lambda body, token, i=interim: [i + b"nonsense\r\n\r\n", None, reply(body)],
                "keep",  # type: ignore[misc]
            ),
        )
        yield (
            f"{code}, then half a status line and the end",
            Hostile(
                lambda body, token, i=interim: [i, None, b"HTTP/1."],
                refused="all",  # type: ignore[misc]
            ),
        )
    yield "100 with dripping headers", Hostile(lambda body, token: [b"HTTP/1.1 100 Go\r\n"], b"X: y\r\n", refused="all")
    yield (
        "100 with 300 headers, then the answer",
        Hostile(lambda body, token: [bare("HTTP/1.1 100 Go", *(["X: y"] * 300)) + reply(body)], "keep"),
    )


def _headers() -> Iterator[tuple[str, Hostile]]:
    good = "HTTP/1.1 200 OK\r\n"
    lines = [
        "no colon", ": no name", "X : blank before the colon", " folded: first", "X: 1\r\n folded", "X: 1\r\n\tfolded",
        "X\0: y", "X: a\0b", "X: a\rb", "X\r: y", "\xff: y", "X: \xff\xfe", "X: " + "y" * 66_000, "X: " + "y" * 2**20,
        "X" * 66_000 + ": y", "Connection: close", "Connection: upgrade\r\nUpgrade: h2c", "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked",
        "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "Set-Cookie: a=b", "Trailer: X", "Content-Type: \x1b[31m",
        "Content-Disposition: attachment; filename=\"../../etc/passwd\"", "Content-Disposition: \xff\xff; filename*=x",
        "Keep-Alive: timeout=0, max=0", "Content-Range: bytes 0-1/2", "X: y\n\nHTTP/1.1 200 OK",
    ]  # fmt: skip
    for line in lines:
        yield f"header {line[:40]!r}", _raw(good + line, end="keep")
    for count in (99, 101, 1000, 20_000):
        yield f"{count} headers", _raw("\r\n".join([good.rstrip(), *["X: y"] * count]), end="keep")
    yield "headers without end", Hostile(lambda body, token: [good.encode() + b"X: y\r\n" * 400_000])
    yield "headers that drip", Hostile(lambda body, token: [good.encode()], b"X: y\r\n", refused="all")
    yield "a status line that drips", Hostile(lambda body, token: [b"HTTP/1.1 200 "], b"x", refused="all")
    yield "a header line that drips", Hostile(lambda body, token: [good.encode() + b"X: "], b"y", refused="all")
    yield "blank lines that drip", Hostile(lambda body, token: [], b"\r\n")
    yield (
        "line feeds only",
        Hostile(lambda body, token: [b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(body) + body], "keep"),
    )
    yield (
        "carriage returns only",
        Hostile(lambda body, token: [b"HTTP/1.1 200 OK\rContent-Length: %d\r\r" % len(body) + body]),
    )


def _lengths() -> Iterator[tuple[str, Hostile]]:
    texts = [
        "+{n}", "-{n}", "-1", "-0", " {n} ", "0{n}", "000{n}", "{n}.0", "{n}e0", "0x{h}", "{n}, {n}", "{n}, {m}",
        "{n};", "{n} x", "", "x", "1_0", "\xb2\xb9", "9" * 40, "9" * 5000, "4294967296", "18446744073709551616",
        "{n}\r\nContent-Length: {n}", "{n}\r\nContent-Length: {m}", "{m}\r\nContent-Length: {n}", "{n}\0",
        "{n}\r\nContent-Length:", "{n}\r\n 0", "0\r\nContent-Length: {n}", "{n}\r\nTransfer-Encoding: chunked",
    ]  # fmt: skip
    for text in texts:

        def pieces(body: bytes, _: str, text: str = text) -> list[bytes | None]:
            length = text.format(n=len(body), m=len(body) + 9, h=f"{len(body):x}")
            return [f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode("latin-1") + body]

        yield f"length {text[:40]!r}", Hostile(pieces, "keep")
        yield f"length {text[:40]!r}, then the end", Hostile(pieces)
    for less in (0, 1, 5):
        yield (
            f"a length of {less}, and more",
            Hostile(
                lambda body, token, n=less: [reply(body, length=n)],
                "keep",  # type: ignore[misc]
            ),
        )
    for more in (1, 5, 10**6):
        yield (
            f"a length of {more} too many, then the end",
            Hostile(
                lambda body, token, n=more: [reply(body, length=len(body) + n)],
                refused="all",  # type: ignore[misc]
            ),
        )
        yield (
            f"a length of {more} too many, then nothing",
            Hostile(
                lambda body, token, n=more: [reply(body, length=len(body) + n)],
                "stall",
                refused="all",  # type: ignore[misc]
            ),
        )
    yield "a body that drips", Hostile(lambda body, token: [reply(body[:9], length=10**6)], b" ", sent=None, flows=True)
    yield (
        "no length, a body that drips",
        Hostile(lambda body, token: [bare("HTTP/1.1 200 OK")], b" ", sent=None, flows=True),
    )


_LAST = b"0\r\n\r\n"


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def _chunked(chunks: bytes, *headers: str, start: str = "HTTP/1.1 200 OK") -> bytes:
    return bare(start, "Transfer-Encoding: chunked", *headers, body=chunks)


def _chunks() -> Iterator[tuple[str, Hostile]]:
    yield "good chunks", Hostile(lambda body, token: [_chunked(_chunk(body) + _LAST)], "keep", own=True)
    yield (
        "a chunk for each byte",
        Hostile(
            lambda body, token: [_chunked(b"".join(_chunk(body[at : at + 1]) for at in range(len(body))) + _LAST)],
            "keep",
            own=True,
        ),
    )
    sizes = [
        b"-5", b"-0", b"-1", b"+%x", b"0x%x", b" %x", b"%x ", b"%x\t", b"%x;a=b", b"%x ; a", b"000%x", b"%x\r", b"%x\0",
        b"", b"g", b"\xb2", b"%x.0", b"0_%x", b"f" * 16, b"f" * 4000, b"-" + b"f" * 16, b"%x;" + b"x" * 70_000,
        b"\r\n%x", b"zz", b"NaN", b"'5'", b"0%x;\nX", b"7fffffffffffffff", b"ffffffff",
    ]  # fmt: skip
    for size in sizes:

        def pieces(body: bytes, _: str, size: bytes = size) -> list[bytes | None]:
            told = size.replace(b"%x", b"%x" % len(body))
            return [_chunked(told + b"\r\n" + body + b"\r\n" + _LAST)]

        yield f"chunk size {size[:20].decode('latin-1')!r}", Hostile(pieces, "keep")
        yield f"chunk size {size[:20].decode('latin-1')!r}, then the end", Hostile(pieces)
    ends: dict[str, bytes] = {
        "no last chunk": b"", "half a last chunk": b"0", "a last chunk without an end": b"0\r\n",
        "half an end": b"0\r\n\r", "a trailer without an end": b"0\r\nX: y\r\n",
    }  # fmt: skip
    for name, end in ends.items():
        for then in ("close", "stall"):
            yield (
                f"{name}, then {then}",
                Hostile(
                    lambda body, token, end=end: [_chunked(_chunk(body) + end)],
                    then,
                    sent=None,  # type: ignore[misc]
                ),
            )
    tails: dict[str, bytes] = {
        "a trailer": b"0\r\nX: y\r\n\r\n", "a trailer with a length": b"0\r\nContent-Length: 5\r\n\r\n",
        "a bad trailer": b"0\r\nnonsense\r\n\r\n", "a folded trailer": b"0\r\n X\r\n\r\n",
        "1000 trailers": b"0\r\n" + b"X: y\r\n" * 1000 + b"\r\n", "a long trailer": b"0\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        "line feeds": b"0\n\n", "eight zeros": b"00000000\r\n\r\n", "an extension": b"0;a\r\n\r\n",
        "a second reply": _LAST + _SMUGGLED, "a minus": b"-0\r\n\r\n", "a second chunked end": _LAST * 2,
        "a status as trailer": b"0\r\n" + _SMUGGLED,
    }  # fmt: skip
    for name, tail in tails.items():
        yield (
            f"chunks, then {name}",
            Hostile(
                lambda body, token, tail=tail: [_chunked(_chunk(body) + tail)],
                "keep",
                sent=None,  # type: ignore[misc]
            ),
        )
    yield "too short a size", Hostile(lambda body, token: [_chunked(b"5\r\n" + body + b"\r\n" + _LAST)], "keep")
    yield "too long a size", Hostile(lambda body, token: [_chunked(b"fff\r\n" + body + b"\r\n" + _LAST)], refused="all")
    yield (
        "no line end after the chunk",
        Hostile(lambda body, token: [_chunked(b"%x\r\n" % len(body) + body + b"XX" + _LAST)], "keep"),
    )
    drip: dict[str, tuple[bytes, bytes]] = {
        "trailers": (b"0\r\n", b"X: y\r\n"), "a trailer": (b"0\r\nX: ", b"y"), "a size line": (b"", b"0"),
        "an extension": (b"5;", b"x"), "an extension of the last": (b"0;", b"x"),
    }  # fmt: skip
    for name, (start, piece) in drip.items():
        yield (
            f"chunks, then {name} drip",
            Hostile(
                lambda body, token, start=start: [_chunked(_chunk(body) + start)],
                piece,
                sent=None,  # type: ignore[misc]
            ),
        )
    yield "a flood of trailers", Hostile(lambda body, token: [_chunked(_chunk(body) + b"0\r\n" + b"X: y\r\n" * 10**6)])
    yield "a flood of empty lines", Hostile(lambda body, token: [_chunked(b"\r\n" * 10**6)])


def _encodings() -> Iterator[tuple[str, Hostile]]:
    bomb = gzip.compress(bytes(20_000_000))
    for coding in ("gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "compress", "identity, gzip", "gzip, identity"):
        yield (
            f"encoded as {coding}",
            Hostile(
                lambda body, token, c=coding: [reply(body, "200 OK", f"Content-Encoding: {c}")],
                "keep",
                refused="all",  # type: ignore[misc]
            ),
        )
    yield (
        "a bomb in gzip",
        Hostile(lambda body, token: [reply(bomb, "200 OK", "Content-Encoding: gzip")], refused="all"),
    )
    yield "a bomb that is not told", Hostile(lambda body, token: [reply(bomb)], sent=None)
    yield (
        "two encodings",
        Hostile(
            lambda body, token: [reply(body, "200 OK", "Content-Encoding: identity", "Content-Encoding: gzip")], "keep"
        ),
    )
    yield "identity", Hostile(lambda body, token: [reply(body, "200 OK", "Content-Encoding: identity")], "keep", True)


def _redirects() -> Iterator[tuple[str, Hostile]]:
    for code in (301, 302, 303, 307, 308):
        for where in ("/elsewhere", "http://127.0.0.1:9/?{}", "//made-up.invalid/", "", "javascript:{}", "\x00"):
            yield (
                f"{code} to {where!r}",
                Hostile(
                    lambda body, token, c=code, w=where: [reply(body, f"{c} Go", f"Location: {w.format(token)}")],  # type: ignore[misc]
                    "keep",
                    refused="read",
                ),
            )


def _versions() -> Iterator[tuple[str, Hostile]]:
    yield "HTTP/0.9", Hostile(lambda body, token: [body], refused="all")
    yield "HTTP/0.9 of markup", Hostile(lambda body, token: [b"<html>" + body + b"</html>\r\n\r\n"], refused="all")
    for version in ("1.0", "1.1"):
        yield (
            f"HTTP/{version} to the end",
            Hostile(
                lambda body, token, v=version: [bare(f"HTTP/{v} 200 OK", body=body)],
                own=True,  # type: ignore[misc]
            ),
        )
        yield (
            f"HTTP/{version} to the end, cut by a reset",
            Hostile(
                lambda body, token, v=version: [bare(f"HTTP/{v} 200 OK", body=body), None],
                "reset",  # type: ignore[misc]
            ),
        )
    for header in ("Connection: keep-alive", "Connection: close", "X: y"):
        yield f"HTTP/1.0, {header}", _raw(f"HTTP/1.0 200 OK\r\n{header}", end="keep", own=True)
    yield (
        "HTTP/1.0 with chunks",
        Hostile(lambda body, token: [_chunked(_chunk(body) + _LAST, start="HTTP/1.0 200 OK")], "keep"),
    )


def _extra() -> Iterator[tuple[str, Hostile]]:
    more: dict[str, bytes] = {
        "a reply": _SMUGGLED, "five replies": _SMUGGLED * 5, "a line end": b"\r\n", "a byte": b"x",
        "half a status line": b"HTTP/1.1 2", "an interim reply": bare("HTTP/1.1 103 X"), "a megabyte": bytes(10**6),
        "a 408": reply(b"", "408 Idle", "Connection: close"),
    }  # fmt: skip
    for name, extra in more.items():
        yield (
            f"the answer and {name}",
            Hostile(
                lambda body, token, e=extra: [reply(body) + e],
                "keep",
                own=True,
                fair_at_once=len(extra) < 1000,  # type: ignore[misc]
            ),
        )
        yield (
            f"the answer and, a moment later, {name}",
            Hostile(
                lambda body, token, e=extra: [reply(body), None, e],
                "keep",
                own=True,
                fair_at_once=False,  # type: ignore[misc]
            ),
        )
        yield (
            f"the answer in chunks and {name}",
            Hostile(
                lambda body, token, e=extra: [_chunked(_chunk(body) + _LAST) + e],
                "keep",
                own=True,
                fair_at_once=False,  # type: ignore[misc]
            ),
        )
        yield (
            f"the answer and {name}, then the end",
            Hostile(
                lambda body, token, e=extra: [reply(body) + e],
                own=True,
                fair_at_once=False,  # type: ignore[misc]
            ),
        )


def _bodies() -> Iterator[tuple[str, Hostile]]:
    none: dict[str, bytes] = {  # in none of these is there success
        "null": b"null", "true": b"true", "a number": b"0", "a text": b'""', "a list": b"[]",
        "a list with success": b'[{"errcode":0}]', "nothing": b"", "blanks": b" \r\n", "a comma": b'{"errcode":0,}',
        "cut JSON": b'{"errcode":0,"errmsg":"ok', "single quotes": b"{'errcode':0}", "markup": b"<html>ok</html>",
        "two objects": b'{"errcode":0}{"errcode":0}', "NaN": b'{"errcode":NaN}', "a text as errcode": b'{"errcode":"0"}',
        "true as errcode": b'{"errcode":true}', "false as errcode": b'{"errcode":false}',
        "0.0 as errcode": b'{"errcode":0.0}', "null as errcode": b'{"errcode":null}', "a list as errcode": b'{"errcode":[0]}',
        "infinite errcode": b'{"errcode":1e999}', "deep": b'{"a":' * 100_000, "deep lists": b'{"a":' + b"[" * 100_000,
        "a very long number": b'{"errcode":' + b"9" * 5000 + b"}", "UTF-16": '{"errcode":0}'.encode("utf-16"),
        "UTF-32": '{"errcode":0}'.encode("utf-32"), "Latin-1": b'{"errcode":0,"errmsg":"\xff\xfe',
        "a zero byte": b"\0", "zero bytes": bytes(1000), "JSONP": b'ok({"errcode":0})',
        "1 MB of blanks": b" " * 2**20, "2 MB of blanks": b" " * 2**21, "a captive portal": b"<!DOCTYPE html><title>x",
    }  # fmt: skip
    for name, body in none.items():
        yield f"body: {name}", _with_body(body, refused="receipt")
    refusals = {45047: False, 45015: False, 40001: False, 40013: False, 45009: False, 99999: False, -1: True, 4: True}
    for errcode, sent in refusals.items():
        yield (
            f"errcode {errcode}",
            _with_body(b'{"errcode":%d,"errmsg":"made up"}' % errcode, refused="receipt", sent=sent),
        )
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
    values = [
        "{}",
        '{"access_token":5}',
        '{"access_token":"","expires_in":1}',
        '{"access_token":"a\\nb","expires_in":9}',
    ]
    values += ['{"access_token":"abcdefgh","expires_in":%s}' % n for n in ("-1", "1e9", '"7200"', "9" * 400, "null")]
    values += ['{"media_id":5,"created_at":1}', '{"media_id":"x","created_at":true}', '{"video_url":"http://x"}']
    values += ['{"errcode":0}', '{"errcode":-0}', '{"errmsg":"ok"}', '{"quota":5}', '{"request":[]}', '{"\\u0000":0}']
    for value in values:
        yield f"body: {value[:50]}", _with_body(value.encode(), sent=None)


def _with_body(body: bytes, **more: object) -> Hostile:
    return Hostile(lambda _, token: [reply(body)], "keep", **more)  # type: ignore[arg-type]


_SPELLINGS: dict[str, Callable[[str], str]] = {
    **FORMS,
    "\\u": lambda value: "".join(f"\\u{ord(c):04x}" for c in value),
    "\\U of every other": lambda value: "".join(f"\\u{ord(c):04X}" if at % 2 else c for at, c in enumerate(value)),
    "entities": lambda value: "".join(f"&#{ord(c)};" for c in value),
    "hex entities": lambda value: "".join(f"&#X{ord(c):X};" for c in value),
    "every character percent": lambda value: "".join(f"%{ord(c):02X}" for c in value),
    "twice": lambda value: f"{value} {value}",
    "in a URL of JSON": lambda value: f"http:\\/\\/x\\/?access_token={value}",
}


def _echoes() -> Iterator[tuple[str, Hostile]]:
    for spelling, spelled in _SPELLINGS.items():
        for place, filled in PLACES.items():
            if spelling in FORMS and spelling != "raw":
                continue  # test_secrets has these
            yield (
                f"echo {spelling}: {place}",
                Hostile(
                    lambda body, token, f=filled, s=spelled: [f(s(token))],
                    sent=None,  # type: ignore[misc]
                ),
            )
        for name, body in {
            "in good JSON": '{{"errcode":0,"errmsg":"ok {0}","a":[{{"{0}":["{0}"]}}],"access_token":"{0}","expires_in":9}}',
            "as errmsg": '{{"errcode":40003,"errmsg":"{0}"}}',
            "as media_id": '{{"media_id":"{0}","created_at":1,"type":"{0}"}}',
        }.items():
            yield (
                f"echo {spelling}: {name}",
                Hostile(
                    lambda _, token, b=body, s=spelled: [reply(b.format(s(token)).encode())],
                    "keep",
                    sent=None,  # type: ignore[misc]
                ),
            )
        yield (
            f"echo {spelling}: type of a medium",
            Hostile(
                lambda body, token, s=spelled: [reply(body, "200 OK", f"Content-Type: image/{s(token)}")],
                "keep",
                sent=None,  # type: ignore[misc]
            ),
        )


def _silences() -> Iterator[tuple[str, Hostile]]:
    starts: dict[str, _Pieces] = {
        "nothing": lambda body, token: [],
        "a status line": lambda body, token: [b"HTTP/1.1 200 OK\r\n"],
        "headers": lambda body, token: [b"HTTP/1.1 200 OK\r\nX: y\r\n"],
        "a head": lambda body, token: [reply(b"", length=10**4)],
        "half a body": lambda body, token: [reply(body[:9], length=len(body))],
        "a head of chunks": lambda body, token: [_chunked(b"")],
        "a chunk": lambda body, token: [_chunked(_chunk(body))],
        "half a size": lambda body, token: [_chunked(b"1")],
    }
    for name, pieces in starts.items():
        yield f"{name} and silence", Hostile(pieces, "stall", refused="all", sent=True)
        yield f"{name} and the end", Hostile(pieces, "close", refused="all", sent=True)
        yield f"{name} and a reset", Hostile(pieces, "reset", refused="all", sent=True)


def hostile_replies() -> dict[str, Hostile]:
    """Return all of them by name."""
    rooms = (
        _status_lines, _statuses, _interim, _headers, _lengths, _chunks, _encodings, _redirects, _versions, _extra,
        _bodies, _echoes, _silences,
    )  # fmt: skip
    return {name: hostile for room in rooms for name, hostile in room()}
