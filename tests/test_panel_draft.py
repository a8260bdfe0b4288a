"""What is about to be sent: each customer's own, complete or told what it lacks, and never an older picture."""

import json
from pathlib import Path

import pytest

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.panel.draft import Draft, Picture
from wxcs_lite.panel.gallery import Pictures, media_id_of
from wxcs_lite.panel.picture import at_path, expanded, picked, seen_html
from wxcs_lite.panel.texts import words
from wxcs_lite.sandbox import sunset

EN = words("en")


def raw(text: str) -> Draft:
    draft = Draft("raw")
    draft.put("raw", "raw", text)
    return draft


def test_json_names_no_other_customer() -> None:
    """The one whose conversation is open is meant; a touser that is somebody else is refused."""
    content = {"msgtype": "text", "text": {"content": "hi"}}
    for touser in ({}, {"touser": "ann"}):
        assert {"touser": "ann", **content} == raw(json.dumps({**touser, **content})).message("ann")
    with pytest.raises(InvalidMessage, match="touser: the JSON names 'bob'"):
        raw(json.dumps({"touser": "bob", **content})).message("ann")


@pytest.mark.parametrize(
    ("broken", "says"),
    [("{", "line 1, column 2"), ("[]", EN["no_object"]), ("[" * 100_000, "line 1, column 1"), ("", "line 1, column 1")],
)
def test_json_in_the_making_says_where_it_is_wrong(broken: str, says: str) -> None:
    """Each time it is left."""
    assert says in raw(broken).remarks("ann")[0].en


def test_json_begins_with_what_the_form_says() -> None:
    """So that the curious see their own message; what stands there already is kept."""
    draft = Draft()
    draft.put("text", "content", "hi")
    draft.choose("raw")
    assert {"msgtype": "text", "text": {"content": "hi"}} == json.loads(draft.get("raw", "raw"))
    draft.put("raw", "raw", "{}")
    draft.choose("link")
    draft.choose("raw")
    assert "{}" == draft.get("raw", "raw")
    draft.put("raw", "raw", "")
    assert draft.get("raw", "raw") == ""


def test_a_label_and_a_picture_to_come() -> None:
    """A preview has a placeholder where the upload will put the media_id."""
    draft = Draft("image")
    draft.ai_label = True
    assert not draft.begun
    draft.picture = picked("sun.png", sunset())
    assert draft.begun
    message = draft.message("ann")
    assert {"media_id": "MEDIA_ID"} == message["image"]
    assert {"is_ai_msg": 1} == message["aimsgcontext"]


def test_what_is_sent_is_taken_and_what_was_refused_is_put_back() -> None:
    """Other kinds stay as they were typed; what has been written meanwhile is not overwritten."""
    draft = Draft()
    draft.put("text", "content", "hi")
    draft.put("link", "title", "t")
    sent = draft.taken()
    assert "" == draft.get("text", "content")
    assert "t" == draft.get("link", "title")
    assert draft.put_back(sent)
    assert "hi" == draft.get("text", "content")
    sent = draft.taken()
    draft.put("text", "content", "the next one")
    assert not draft.put_back(sent)
    assert "the next one" == draft.get("text", "content")


def test_a_picture_is_taken_with_its_message_only() -> None:
    """A text leaves it where it is."""
    draft = Draft()
    draft.picture = picked("sun.png", sunset())
    draft.put("text", "content", "hi")
    assert draft.taken().picture is None
    draft.kind = "image"
    sent = draft.taken()
    assert sent.picture is not None
    assert draft.empty
    assert ("text", "image") == (str(draft.kind), str(sent.kind))
    assert draft.put_back(sent)
    assert "image" == str(draft.kind)
    draft.picture = picked("moon.png", sunset(8, 8))
    assert not draft.put_back(sent)


def test_a_medium_that_expired_is_uploaded_again_if_it_is_here() -> None:
    """After three days, from its bytes or its path; a pasted media_id is WeChat's to refuse."""
    assert Picture("a", path="/a", media_id="M", expires_at=5).needs_upload(5)
    assert Picture("a", b"x", media_id="M", expires_at=5).needs_upload(5)
    assert not Picture("a", b"x", media_id="M", expires_at=5).needs_upload(4)
    assert not Picture(media_id="M", expires_at=5).needs_upload(5)


def test_pictures_are_kept_up_to_a_number_of_bytes() -> None:
    """The oldest go; one that comes again is counted once; a message without a picture has no media_id."""
    pictures = Pictures(kept=10)
    for media_id in ("a", "b", "b", "c"):
        pictures.keep(media_id, b"xxxx", f"{media_id}.png")
    assert (None, b"xxxx", b"xxxx") == (pictures.get("a"), pictures.get("b"), pictures.get("c"))
    assert ("", "c.png") == (pictures.name("a"), pictures.name("c"))
    assert pictures.wanted("a")
    assert not pictures.wanted("b")
    assert "" == media_id_of({"msgtype": "text", "text": {"media_id": "M"}}) == media_id_of({"msgtype": "image"})
    assert "" == media_id_of({"msgtype": "image", "image": {"media_id": 5}})


@pytest.mark.parametrize(("content", "says"), [(b"", "is empty"), (b"<svg>", "is not a JPEG, PNG or GIF")])
def test_what_is_no_picture_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    """When it is chosen, not when it is sent."""
    with pytest.raises(InvalidMessage, match=says):
        picked("a.png", content)
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InvalidMessage, match=says):
        at_path(str(tmp_path / "a.png"))


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    """A missing file, a directory, a name that is too long, a NUL, a home that nobody has."""
    for path in (tmp_path / "none.png", tmp_path, Path("x" * 5000), Path("a\0b")):
        with pytest.raises(InvalidMessage, match=r"cannot be read|is empty"):
            at_path(str(path))
    with pytest.raises(InvalidMessage, match="unknown user"):
        expanded("~no-such-user-anywhere/photo.png")


def test_a_large_picture_is_read_when_it_is_uploaded(tmp_path: Path) -> None:
    """Neither shown nor kept in memory."""
    path = tmp_path / "sun.png"
    path.write_bytes(sunset() + bytes(4_000_000))
    large = at_path(str(path))
    assert (None, str(path)) == (large.content, large.path)
    assert "too large to be shown" in seen_html(large, EN)
    path.write_bytes(sunset())
    small = at_path(str(path))
    assert sunset() == small.content
    assert "data:image/png" in seen_html(small, EN)
    assert "media_id M" in seen_html(Picture(media_id="M"), EN)
