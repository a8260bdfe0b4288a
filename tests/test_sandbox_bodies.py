"""JSON bodies with and without escapes, and every way a multipart body goes wrong."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wxcs_lite.sandbox.api.bodies import Part, media_part, read_json
from wxcs_lite.sandbox.rules.refusals import RefusedError
from wxcs_lite.sandbox.rules.switches import Escapes

HEADER = "multipart/form-data; boundary=B"
DISPOSITION = b'Content-Disposition: form-data; name="media"; filename="a.jpg"'


def json_verdict(body: bytes, escapes: Escapes = "decode") -> int:
    try:
        read_json(body, escapes)
    except RefusedError as refused:
        return refused.errcode
    return 0


def multipart(*heads: bytes, content: bytes = b"...", end: bytes = b"--B--\r\n") -> bytes:
    return b"".join(b"--B\r\n" + head + b"\r\n\r\n" + content + b"\r\n" for head in heads) + end


def upload_verdict(header: str, body: bytes) -> int:
    try:
        media_part(header, body)
    except RefusedError as refused:
        return refused.errcode
    return 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", 44002),
        (b" ", 47001),
        (b"{", 47001),
        (b"touser=OPENID&msgtype=text", 47001),
        (b"<xml></xml>", 47001),
        (b"[]", 47001),
        (b'"text"', 47001),
        (b"null", 47001),
        (b"{'touser':'x'}", 47001),
        (b'{"x":NaN}', 47001),
        (b'{"x":"\xc4\xe3"}', 47001),  # GBK
        (b'\xef\xbb\xbf{"x":1}', 47001),  # a byte order mark
        (rb'{"x":"\ud800"}', 47001),  # half a character
        (b"[" * 200_000, 47001),
        (b'{"x":' + b"[" * 63 + b"]" * 63 + b"}", 0),
        (b'{"x":' + b"[" * 64 + b"]" * 64 + b"}", 47001),
        (b'{"x":' + b"9" * 10_000 + b"}", 47001),
        (b"{}", 0),
        ('{"x":"你好"}'.encode(), 0),
        (b'  {"x":1}\n', 0),
    ],
)
def test_json_bodies(body: bytes, expected: int) -> None:
    """No body is 44002; one that is not a JSON object in UTF-8 is 47001."""
    assert expected == json_verdict(body)


def test_escapes_decoded_literal_or_refused() -> None:
    r"""The three readings of a \\u escape; other escapes, and a backslash before a u, are not affected."""
    body = rb'{"a":"\u4f60\u003c","b":"\n\"\\u4f60","c":"\\\u4f60"}'
    assert {"a": "你<", "b": '\n"\\u4f60', "c": "\\你"} == read_json(body, "decode")
    assert {"a": r"\u4f60\u003c", "b": '\n"\\u4f60', "c": r"\\u4f60"} == read_json(body, "literal")
    assert 47002 == json_verdict(body, "refuse")
    assert 0 == json_verdict(rb'{"b":"\n\"\\u4f60"}', "refuse")


@given(
    st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=4),
    st.sampled_from(["decode", "literal", "refuse"]),
)
def test_raw_utf8_passes_every_switch(message: dict[str, str], escapes: Escapes) -> None:
    """A raw UTF-8 body without escapes means the same whatever the switch says."""
    text = json.dumps(message, ensure_ascii=False)
    assume(r"\u" not in text)
    assert message == read_json(text.encode(), escapes)


@given(st.binary(max_size=200), st.sampled_from(["decode", "literal", "refuse"]))
def test_json_garbage(body: bytes, escapes: Escapes) -> None:
    """Any bytes get a verdict."""
    assert json_verdict(body, escapes) in (0, 44002, 47001, 47002)


def test_upload() -> None:
    """The file is the part called media, wherever it stands, with its bytes as they are."""
    body = multipart(b'Content-Disposition: form-data; name="other"', DISPOSITION + b"\r\nContent-Type: image/jpeg")
    assert Part("a.jpg", b"...") == media_part(HEADER, body)
    assert "Part('a.jpg', 3 bytes)" == repr(media_part(HEADER, body))


@pytest.mark.parametrize(
    ("head", "filename"),
    [
        (b'content-disposition:form-data;name=media;filename="a.jpg"', "a.jpg"),
        (b'Content-Type: image/jpeg\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"', "a.jpg"),
        ('Content-Disposition: form-data; name="media"; filename="图 片.jpg"'.encode(), "图 片.jpg"),
        (b'Content-Disposition: form-data; name="media"; filename="%E5%9B%BE.jpg"', "%E5%9B%BE.jpg"),
        (b'Content-Disposition: form-data; name="media"; filename="\xe9.jpg"', "é.jpg"),
        (b'Content-Disposition: form-data; name="media"; filename="a.jpg"; filename*=utf-8\'\'b.jpg', "a.jpg"),
        (b'Content-Disposition: form-data; name="media"; filename="a;b.jpg"', "a;b.jpg"),
        (b'Content-Disposition: form-data; name="media"; filename=""', ""),
    ],
)
def test_names_that_work(head: bytes, filename: str) -> None:
    """Raw UTF-8, Latin-1 and percent-encoded names are taken as they come."""
    assert filename == media_part(HEADER, multipart(head)).filename


@pytest.mark.parametrize("name", [b'; name="file"', b'; name=""', b"; name=x", b"", b'; name="media"'])
def test_other_names_of_the_part(name: bytes) -> None:
    """A part with another name, or without one, counts only if the switch allows it; its filename needs quotes, too."""
    head = b"Content-Disposition: form-data" + name + b"; filename="
    assert Part("a.jpg", b"...") == media_part(HEADER, multipart(head + b'"a.jpg"'), "lax")
    for body in (multipart(head + b"a.jpg"), multipart(head[:-11])):
        with pytest.raises(RefusedError, match="41005"):
            media_part(HEADER, body, "lax")
    if b"media" not in name:
        with pytest.raises(RefusedError, match="41005"):
            media_part(HEADER, multipart(head + b'"a.jpg"'))


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition: form-data; name="media"',
        b'Content-Disposition: form-data; name="media"; filename=a.jpg',
        b"Content-Disposition: form-data; name=\"media\"; filename*=utf-8''%E5%9B%BE.jpg",
        b'Content-Disposition: form-data; name="file"; filename="a.jpg"',
        b'Content-Disposition: form-data; filename="a.jpg"',
        b"Content-Type: image/jpeg",
        b"X: y",
    ],
)
def test_parts_that_are_no_file(head: bytes) -> None:
    """No filename, only a filename*, another field name or no disposition at all: 41005."""
    assert 41005 == upload_verdict(HEADER, multipart(head))


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (HEADER, b""),
        (HEADER, b'{"media":"..."}'),
        (HEADER, multipart(DISPOSITION, end=b"")),
        (HEADER, multipart(DISPOSITION, end=b"--B")),
        (HEADER, multipart(DISPOSITION).replace(b"\r\n", b"\n")),
        (HEADER, b"--B\r\n" + DISPOSITION + b"\r\n--B--\r\n"),
        (HEADER, b"--Bx\r\n" + DISPOSITION + b"\r\n\r\n...\r\n--B--\r\n"),
        (HEADER, multipart()),
        ("", multipart(DISPOSITION)),
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b"media=..."),
        ("multipart/form-data", multipart(DISPOSITION)),
        ("multipart/form-data; boundary=", multipart(DISPOSITION)),
        ("multipart/form-data; boundary=C", multipart(DISPOSITION)),
        ('multipart/form-data; boundary="B"', multipart(DISPOSITION)),
        ("multipart/mixed; boundary=B", multipart(DISPOSITION)),
    ],
)
def test_bodies_that_are_no_upload(header: str, body: bytes) -> None:
    """Not multipart, no boundary, a quoted one, cut short, bare line feeds: all 41005."""
    assert 41005 == upload_verdict(header, body)


@pytest.mark.parametrize("header", ["Multipart/Form-Data; Boundary=B", "multipart/form-data;charset=utf-8;boundary=B"])
def test_headers_that_work(header: str) -> None:
    """Letter case and other parameters do not matter, nor what comes before and after the parts."""
    assert 0 == upload_verdict(header, b"preamble\r\n" + multipart(DISPOSITION) + b"epilogue")


@given(st.binary(max_size=300))
def test_content_comes_back_byte_for_byte(content: bytes) -> None:
    """Whatever the file holds, line ends and dashes too, comes out as it went in."""
    assume(b"\r\n--B" not in b"\r\n" + content)
    assert content == media_part(HEADER, multipart(DISPOSITION, content=content)).content


@given(st.binary(max_size=300), st.text(max_size=60))
def test_multipart_garbage(noise: bytes, header: str) -> None:
    """Any body under any header gets a verdict."""
    assert upload_verdict(header.encode("utf-8", "replace").decode("latin-1"), noise) in (0, 41005)
    assert upload_verdict(HEADER, b"--B\r\n" + noise + b"\r\n--B--") in (0, 41005)
