"""The media shelf: what may be put there, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.sandbox.rules.media import Shelf, check_type, check_upload, content_type
from wxcs_lite.sandbox.rules.refusals import RefusedError

JPEG, PNG, GIF, WEBP = b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP"
MB = 2**20


def verdict(type: str, filename: str, content: bytes, max_image_bytes: int = 10 * MB) -> int:
    try:
        check_upload(type, filename, content, max_image_bytes=max_image_bytes)
    except RefusedError as refused:
        return refused.errcode
    return 0


@pytest.mark.parametrize(
    ("type", "filename", "content", "expected"),
    [
        ("image", "a.jpg", JPEG, 0),
        ("image", "a.JPEG", JPEG, 0),
        ("image", "a.png", PNG, 0),
        ("image", "a.gif", GIF, 0),
        ("image", "a.jpg", PNG, 0),
        ("image", "%E5%9B%BE.jpg", JPEG, 0),
        ("image", "图.jpg", JPEG, 0),
        ("image", "phpA1B2", JPEG, 40005),
        ("image", "media", JPEG, 40005),
        ("image", "a.webp", WEBP, 40005),
        ("image", "a.jpg", WEBP, 40005),
        ("image", "a.jpg", b"{}", 40005),
        ("image", "a.jpg", b"", 44001),
        ("image", "", b"", 44001),
        ("image", "a.jpg", JPEG + bytes(10 * MB), 40009),
        ("thumb", "a.jpg", JPEG, 0),
        ("thumb", "a.jpg", PNG, 40005),
        ("thumb", "a.png", PNG, 40005),
        ("thumb", "a.jpg", JPEG + bytes(64 * 1024), 40012),
        ("voice", "a.amr", b"#!AMR", 0),
        ("voice", "a.mp3", bytes(2 * MB + 1), 40010),
        ("voice", "a.jpg", JPEG, 40005),
        ("video", "a.mp4", b"\0\0\0 ftyp", 0),
        ("video", "a.mp4", bytes(10 * MB + 1), 40011),
    ],
)
def test_formats_and_sizes(type: str, filename: str, content: bytes, expected: int) -> None:
    """Extension, first bytes and size decide, each type with its own limit."""
    assert expected == verdict(type, filename, content)


def test_image_limit_is_inclusive_and_can_be_set() -> None:
    """An image of exactly the limit passes; the limit of the older page is one setting away."""
    content = JPEG + bytes(2 * MB - 4)
    assert 0 == verdict("image", "a.jpg", content, 2 * MB)
    assert 40009 == verdict("image", "a.jpg", content + b"x", 2 * MB)


@pytest.mark.parametrize("type", ["", "picture", "IMAGE", "news"])
def test_unknown_type(type: str) -> None:
    """A type that is missing or unknown answers 40004."""
    with pytest.raises(RefusedError, match="40004"):
        check_type(type)
    for known in ("image", "voice", "video", "thumb"):
        check_type(known)


def test_content_type() -> None:
    """The first bytes tell the picture's format, and None means no picture."""
    assert ["image/jpeg", "image/png", "image/gif", None] == [content_type(x) for x in (JPEG, PNG, GIF, WEBP)]


def test_three_days() -> None:
    """A medium can be fetched again and again for three days, then its id is invalid."""
    shelf = Shelf(iter(["one", "two"]).__next__)
    assert "one" == shelf.put("image", JPEG, 0)
    assert [JPEG, JPEG] == [shelf.get("one", now).content for now in (0, 3 * 86400 - 0.1)]
    with pytest.raises(RefusedError, match="40007"):
        shelf.get("one", 3 * 86400)
    shelf.put("image", PNG, 3 * 86400)
    assert ["two"] == list(shelf._media)


@pytest.mark.parametrize("media_id", ["two", "", None, 1, ["one"], {}])
def test_unknown_media_id(media_id: object) -> None:
    """An id that was never given, or is not a string, answers 40007."""
    shelf = Shelf(lambda: "one")
    shelf.put("image", JPEG, 0)
    with pytest.raises(RefusedError, match="40007"):
        shelf.get(media_id, 0)


def test_wrong_type() -> None:
    """A medium of another type than asked for answers 40007."""
    shelf = Shelf(lambda: "one")
    shelf.put("video", b"...", 0)
    with pytest.raises(RefusedError, match="40007"):
        shelf.get("one", 0, ("image",))


@given(st.binary(min_size=1, max_size=40), st.text(max_size=20))
def test_any_upload_gets_a_verdict(content: bytes, filename: str) -> None:
    """Whatever bytes under whatever name: a known code, and a pass only for a known extension and picture."""
    code = verdict("image", filename, content)
    assert code in (0, 40005)
    assert code or content_type(content)


def test_repr_shows_no_bytes() -> None:
    """A medium shows its type and size."""
    shelf = Shelf(lambda: "one")
    shelf.put("image", JPEG, 0)
    assert "Medium(image, 4 bytes)" == repr(shelf.get("one", 0))
