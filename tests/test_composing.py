"""From flags, or JSON on standard input, to a message."""

import io
import json
from pathlib import Path

import pytest

from wxcs_lite import image, link, miniprogrampage, text
from wxcs_lite.errors import InvalidMessage
from wxcs_lite.multipart import Multipart
from wxcs_lite.sandbox import sunset
from wxcs_lite.terminal.composing import Draft, compose, requests, with_media_id

NOTHING = io.StringIO()


def composed(stdin: str | bytes = "", **flags: str | None) -> Draft:
    """Return the draft, read from a standard input like Python's own."""
    content = stdin if isinstance(stdin, bytes) else stdin.encode()
    return compose(flags, io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "照片.jpg"
    path.write_bytes(sunset())
    return str(path)


def test_each_kind_of_message_has_its_flags(picture: str) -> None:
    """They make what the builders make; a picture of the disk is uploaded first."""
    assert Draft(text("ann", "hi")) == composed(touser="ann", text="hi", image=None)
    assert Draft(image("ann", "M")) == composed(touser="ann", media_id="M")
    assert Draft(image("ann", "MEDIA_ID"), picture) == composed(touser="ann", image=picture)
    flags = {"title": "t", "description": "d", "url": "https://a.cn/", "thumb_url": "https://a.cn/i.png"}
    assert Draft(link("ann", **flags)) == composed(touser="ann", **flags)
    card = miniprogrampage("ann", title="t", pagepath="pages/a", thumb_media_id="M")
    assert Draft(card) == composed(touser="ann", title="t", pagepath="pages/a", thumb_media_id="M")
    covered = {**card, "miniprogrampage": {**card["miniprogrampage"], "thumb_media_id": "MEDIA_ID"}}
    assert Draft(covered, picture) == composed(touser="ann", title="t", pagepath="pages/a", thumb=picture)


@pytest.mark.parametrize(
    ("flags", "field"),
    [
        ({"text": "hi"}, "touser"),
        ({"touser": "ann", "text": ""}, "content"),
        ({"touser": "ann", "url": "https://a.cn/"}, "title"),
        ({"touser": "ann", "title": "t", "pagepath": "pages/a"}, "thumb_media_id"),
        ({"touser": "ann", "text": "hi", "image": "a.png"}, "--image"),
        ({"touser": "ann", "text": "hi", "title": "t"}, "--title"),
        ({"touser": "ann", "title": "t"}, "--title"),
        ({"touser": "ann", "image": "no-such-file.png"}, "--image"),
        ({"touser": "ann", "image": "."}, "--image"),
        ({"touser": "ann", "title": "t", "pagepath": "p", "thumb": "no-such-file.png"}, "--thumb"),
        ({"touser": "ann", "title": "t", "pagepath": "p", "thumb": "a", "thumb_media_id": "M"}, "--thumb"),
    ],
)
def test_what_is_missing_or_too_much_is_named(flags: dict[str, str], field: str) -> None:
    """A field of the message by its name, a flag by its own."""
    with pytest.raises(InvalidMessage) as caught:
        composed(**flags)
    assert field == caught.value.field


def test_json_is_read_from_standard_input() -> None:
    """As UTF-8, with or without a BOM, whatever the terminal's encoding; --touser comes before what it says."""
    message = text("ann", "您好")
    content = json.dumps(message, ensure_ascii=False).encode()
    assert Draft(message) == composed(content)
    assert Draft(message) == composed(b"\xef\xbb\xbf" + content)
    assert Draft(text("bob", "您好")) == composed(content, touser="bob")
    assert Draft(text("bob", "hi")) == compose(
        {"touser": "bob"}, io.StringIO('{"msgtype":"text","text":{"content":"hi"}}')
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"touser":}', "is not JSON (line 1, column 11)"),
        (b"", "is not JSON (line 1"),
        (b"\xff", "is not JSON"),
        (b"[" * 10**5, "is not JSON"),
        (b"[1]", "must be a dict"),
        (b'{"msgtype":"text"}', "touser"),
        (b'{"touser":"ann","msgtype":"text","text":{"content":"hi"},"more":NaN}', ""),
    ],
)
def test_what_is_no_message_is_refused(content: bytes, words: str) -> None:
    """Before anything leaves."""
    with pytest.raises(InvalidMessage) as caught:
        composed(content)
    assert words in caught.value.en


def test_what_will_leave(picture: str) -> None:
    """The message; before it the upload, whose picture is read."""
    (sending,) = requests(Draft(text("ann", "hi")))
    assert "/cgi-bin/message/custom/send" == sending.path
    uploading, sending = requests(Draft(image("ann", "MEDIA_ID"), picture))
    assert "/cgi-bin/media/upload" == uploading.path
    assert isinstance(uploading.body, Multipart)
    assert sunset() in b"".join(uploading.body)


def test_a_picture_that_is_gone(picture: str) -> None:
    """It disappears between the check and the reading."""
    Path(picture).unlink()
    with pytest.raises(InvalidMessage, match=r"cannot be read: No such file or directory\n.*无法读取：找不到"):
        requests(Draft(image("ann", "MEDIA_ID"), picture))


def test_the_media_id_goes_where_it_belongs() -> None:
    """And nowhere else, whatever the other fields say."""
    card = miniprogrampage("ann", title="MEDIA_ID", pagepath="pages/a", thumb_media_id="MEDIA_ID")
    expected = miniprogrampage("ann", title="MEDIA_ID", pagepath="pages/a", thumb_media_id="M1")
    assert expected == with_media_id(card, "M1")
    assert image("ann", "M1") == with_media_id(image("ann", "MEDIA_ID"), "M1")
