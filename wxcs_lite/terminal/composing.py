"""Makes a message and its picture from the flags of a command line, or from JSON on standard input."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from wxcs_lite import endpoints
from wxcs_lite.errors import InvalidMessage
from wxcs_lite.messages import image, link, miniprogrampage, text
from wxcs_lite.request import Request
from wxcs_lite.terminal.environment import reason_of

__all__ = ["KINDS", "Draft", "compose", "requests", "with_media_id"]

# The flag that chooses the type of message, and the flags that go with it.
KINDS: Mapping[str, tuple[str, ...]] = {
    "text": (),
    "image": (),
    "media_id": (),
    "url": ("title", "description", "thumb_url"),
    "pagepath": ("title", "thumb", "thumb_media_id"),
}
_UPLOADED = "MEDIA_ID"  # placeholder until the upload


class Draft(NamedTuple):
    """A message, and the path of a picture that has to be uploaded first, or None."""

    message: Mapping[str, Any]
    picture: str | None = None


def compose(flags: Mapping[str, str | None], lines: TextIO) -> Draft:
    """Return the message of the flags or, without flags, of standard input; raise InvalidMessage."""
    given = {name: value for name, value in flags.items() if value is not None}
    kinds = [name for name in KINDS if name in given]
    if not kinds:
        strange = next((name for name in given if name != "touser"), None)
        if strange is not None:
            raise _unfit(strange)
        return Draft(_read(lines, given.get("touser")))
    strange = next((name for name in given if name not in ("touser", kinds[0], *KINDS[kinds[0]])), None)
    if strange is not None:
        raise _unfit(strange, kinds[0])
    return _composed(kinds[0], given)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _unfit(name: str, kind: str | None = None) -> InvalidMessage:
    if kind is None:
        return InvalidMessage(
            _flag(name),
            "needs --url (a link) or --pagepath (a card)",
            "要和 --url（图文链接）或 --pagepath（卡片）一起用",
        )
    return InvalidMessage(_flag(name), f"cannot be used with {_flag(kind)}", f"不能和 {_flag(kind)} 一起用")


def _composed(kind: str, given: Mapping[str, str]) -> Draft:
    touser, title = given.get("touser", ""), given.get("title", "")
    if kind == "text":
        return Draft(text(touser, given["text"]))
    if kind == "image":
        return Draft(image(touser, _UPLOADED), _picture("--image", given["image"]))
    if kind == "media_id":
        return Draft(image(touser, given["media_id"]))
    if kind == "url":
        more = {name: given.get(name, "") for name in ("description", "url", "thumb_url")}
        return Draft(link(touser, title=title, **more))
    thumb, media_id = given.get("thumb"), given.get("thumb_media_id")
    if thumb is not None and media_id is not None:
        raise _unfit("thumb", "thumb_media_id")
    picture = None if thumb is None else _picture("--thumb", thumb)
    cover = media_id or "" if picture is None else _UPLOADED
    return Draft(miniprogrampage(touser, title=title, pagepath=given["pagepath"], thumb_media_id=cover), picture)


def _picture(flag: str, path: str) -> str:
    if not Path(path).is_file():
        raise InvalidMessage(flag, f"is not a file: {path[-60:]}", f"不是文件：{path[-60:]}")
    return path


def _read(lines: TextIO, touser: str | None) -> Mapping[str, Any]:
    """Return the message on standard input, read as UTF-8 whatever the terminal's encoding."""
    try:
        content = getattr(lines, "buffer", lines).read()
        message = json.loads(content.decode("utf-8-sig") if isinstance(content, bytes) else content)
    except (ValueError, RecursionError) as e:
        at = f" (line {e.lineno}, column {e.colno})" if isinstance(e, json.JSONDecodeError) else ""
        at_zh = f"（第 {e.lineno} 行第 {e.colno} 列）" if isinstance(e, json.JSONDecodeError) else ""
    else:
        if touser is not None and isinstance(message, dict):
            message["touser"] = touser
        endpoints.send(message)
        return dict(message)
    raise InvalidMessage("standard input", f"is not JSON{at}", f"不是 JSON{at_zh}")


def requests(draft: Draft) -> list[Request]:
    """Return the requests to send: an upload, if there is a picture, and the message."""
    sending = endpoints.send(draft.message)
    if draft.picture is None:
        return [sending]
    try:
        content = Path(draft.picture).read_bytes()
    except OSError as e:
        reason, reason_zh = reason_of(e)
    else:
        return [endpoints.upload(content, filename=draft.picture), sending]
    raise InvalidMessage("file", f"cannot be read: {reason}", f"无法读取：{reason_zh}")


def with_media_id(message: Mapping[str, Any], media_id: str) -> dict[str, Any]:
    """Return the message with the media_id of its uploaded picture."""
    msgtype = message["msgtype"]
    content = {name: media_id if name.endswith("media_id") else value for name, value in message[msgtype].items()}
    return {**message, msgtype: content}
