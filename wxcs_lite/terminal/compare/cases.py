"""The cases that are compared: each is one call, built in the same way for an account and for the sandbox.

To add a case is to add a row. None of them replaces a token, clears a quota or changes a setting.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from wxcs_lite import endpoints
from wxcs_lite.messages import image, link, miniprogrampage, text
from wxcs_lite.pools import Pool
from wxcs_lite.replies import Reply
from wxcs_lite.request import JSON, Request
from wxcs_lite.sandbox.samples import sunset
from wxcs_lite.secret import Token, hide

__all__ = ["CASES", "ESCAPES", "ONE_TOO_MANY", "PICTURE", "RID", "Case", "Side", "fields_of"]

RID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}")
PICTURE = sunset(48, 36)

# Cases whose replies say more than how WeChat answers.
ESCAPES, ONE_TOO_MANY = "send_unicode_escapes", "send_one_too_many"

Credential = Literal["own", "invented", "none"]


class Side:
    """One of the two that are asked: its pool and account, and what its replies gave so far."""

    def __init__(self, pool: Pool, *, appid: str, secret: str, openid: str, token: str = "") -> None:
        secret, token = hide(secret), hide(token)
        self.pool, self.appid, self.secret, self.openid = pool, appid, secret, openid
        self.token: str = token
        self.media_id = ""
        self.rid = ""

    def has(self, needs: tuple[str, ...]) -> bool:
        return all(getattr(self, name) for name in needs)

    def credential(self, which: Credential) -> Token | None:
        """Return what a call is made with; an invented token is in the form of a real one."""
        return None if which == "none" else Token(self.token if which == "own" else "80_invented-by-wxcs_lite-compare")

    def learn(self, reply: Reply, which: Credential) -> None:
        """Keep the token, the media_id and the rid that later cases need; the first of each."""
        fields = fields_of(reply.body)
        self.token = self.token or hide(fields.get("access_token"))
        self.media_id = self.media_id or str(fields.get("media_id", ""))
        rid = RID.search(str(fields.get("errmsg", "")))
        if rid and which == "own" and not self.rid:  # a call without the account's token is nobody's
            self.rid = rid[0]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must not be printed."""
        return tuple(map(hide, (self.secret, self.token, self.appid, self.openid, self.media_id)))


def fields_of(body: bytes) -> dict[str, Any]:
    """Return the fields of a JSON object, none for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class Case(NamedTuple):
    """A call: its name in the report, how it is built, with which credential, and what that needs of a side.

    `message` marks those that arrive as a message, unless WeChat refuses them.
    """

    name: str
    build: Callable[[Side], Request]
    credential: Credential = "own"
    needs: tuple[str, ...] = ()
    message: bool = False


_SEND = "/cgi-bin/message/custom/send"
_TYPING = "/cgi-bin/message/custom/typing"
_GET = "/cgi-bin/media/get"
_CUSTOMER = ("openid",)
_PICTURE = ("openid", "media_id")
_NOBODY = "oWxcsLiteCompare_NobodyHasIt"  # in the form of an openid, 28 characters


def _sends(build: Callable[[Side], Mapping[str, Any]]) -> Callable[[Side], Request]:
    """Return how a message is built that `endpoints.send` might refuse."""
    return lambda side: endpoints.call(_SEND, build(side))


def _escaped(side: Side) -> Request:
    body = json.dumps(text(side.openid, "你好"), ensure_ascii=True).encode()
    return Request("POST", _SEND, (), body, JSON, gives="receipt")


def _file(disposition: str, content: bytes = PICTURE) -> Callable[[Side], Request]:
    """Return how an upload is built whose part `endpoints.upload` would not make."""
    head = f"--B\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: image/png\r\n\r\n"
    body = head.encode() + content + b"\r\n--B--\r\n"
    form = "multipart/form-data; boundary=B"
    return lambda side: Request("POST", "/cgi-bin/media/upload", (("type", "image"),), body, form)


def _token(**fields: str) -> Callable[[Side], Request]:
    """Return how a token call is built with wrong fields; empty fields are left out."""
    whole = {"grant_type": "client_credential", "appid": "wx0000000000000000", "secret": "invented", **fields}
    given = {name: value for name, value in whole.items() if value}
    return lambda side: endpoints.call("/cgi-bin/stable_token", given)._replace(takes_token=False)


# fmt: off
CASES: tuple[Case, ...] = (
    Case("token", lambda side: endpoints.stable_token(side.appid, side.secret), "none", ("appid", "secret")),
    Case("token_unknown_appid", _token(), "none"),
    Case("token_without_appid", _token(appid=""), "none"),
    Case("no_token", lambda side: endpoints.get_callback_ip(), "none"),
    Case("invented_token", lambda side: endpoints.get_callback_ip(), "invented"),
    Case("callback_ip", lambda side: endpoints.get_callback_ip()),
    Case("unknown_path", lambda side: endpoints.call("/cgi-bin/wxcs_lite/compare")),
    Case("quota", lambda side: endpoints.get_quota()),
    Case("quota_unknown_path", lambda side: endpoints.get_quota("/cgi-bin/wxcs_lite/compare")),
    Case("quota_without_slash", lambda side: endpoints.get_quota("cgi-bin/message/custom/send")),
    Case("upload", lambda side: endpoints.upload(PICTURE, filename="compare.png")),
    Case("upload_unknown_type", lambda side: endpoints.upload(PICTURE, filename="a.png", type="pdf")),  # type: ignore[arg-type]
    Case("upload_part_named_file", _file('name="file"; filename="compare.png"')),
    Case("upload_without_filename", _file('name="media"')),
    Case("upload_filename_without_quotes", _file('name="media"; filename=compare.png')),
    Case("upload_wrong_extension", _file('name="media"; filename="compare.txt"')),
    Case("upload_empty", _file('name="media"; filename="compare.png"', b"")),
    Case("download", lambda side: endpoints.download(side.media_id), needs=("media_id",)),
    Case("download_unknown_media_id", lambda side: endpoints.download("invented-by-wxcs_lite-compare")),
    Case("download_without_media_id", lambda side: Request("GET", _GET, gives="media")),
    Case("rid", lambda side: endpoints.get_rid(side.rid), needs=("rid",)),
    Case("rid_unknown", lambda side: endpoints.get_rid("00000000-00000000-00000000")),
    Case("rid_malformed", lambda side: endpoints.get_rid("compare")),
    Case("send_by_get", lambda side: Request("GET", _SEND, gives="receipt")),
    Case("send_without_body", lambda side: Request("POST", _SEND, (), b"", JSON, gives="receipt")),
    Case("send_broken_json", lambda side: Request("POST", _SEND, (), b'{"touser":', JSON, gives="receipt")),
    Case("send_malformed_openid", lambda side: endpoints.send(text("not an openid", "compare"))),
    Case("send_unknown_openid", lambda side: endpoints.send(text(_NOBODY, "compare"))),
    Case("send_without_msgtype", _sends(lambda side: {"touser": side.openid}), needs=_CUSTOMER),
    Case("send_news", _sends(lambda side: {"touser": side.openid, "msgtype": "news", "news": {"articles": []}}),
         needs=_CUSTOMER),
    Case("send_empty_text", _sends(lambda side: {"touser": side.openid, "msgtype": "text", "text": {"content": ""}}),
         needs=_CUSTOMER),
    Case("send_oversized_text", lambda side: endpoints.send(text(side.openid, "长" * 700)), needs=_CUSTOMER),
    Case("send_unknown_media_id", lambda side: endpoints.send(image(side.openid, "invented")), needs=_CUSTOMER),
    Case("typing_unknown_command",
         lambda side: endpoints.call(_TYPING, {"touser": side.openid, "command": "Shouting"}), needs=_CUSTOMER),
    Case("send_text", lambda side: endpoints.send(text(side.openid, "wxcs_lite compare: 1 / 5")), needs=_CUSTOMER,
         message=True),
    Case("typing", lambda side: endpoints.set_typing(side.openid), needs=_CUSTOMER),
    Case("typing_again", lambda side: endpoints.set_typing(side.openid), needs=_CUSTOMER),
    Case("typing_cancelled", lambda side: endpoints.set_typing(side.openid, "CancelTyping"), needs=_CUSTOMER),
    Case("send_image", lambda side: endpoints.send(image(side.openid, side.media_id)), needs=_PICTURE, message=True),
    Case("send_link", lambda side: endpoints.send(link(
        side.openid, title="wxcs_lite compare: 3 / 5", description="compare", url="https://developers.weixin.qq.com/",
        thumb_url="https://developers.weixin.qq.com/favicon.ico")), needs=_CUSTOMER, message=True),
    Case("send_miniprogrampage", lambda side: endpoints.send(miniprogrampage(
        side.openid, title="wxcs_lite compare: 4 / 5", pagepath="pages/index/index", thumb_media_id=side.media_id)),
        needs=_PICTURE, message=True),
    Case(ESCAPES, _escaped, needs=_CUSTOMER, message=True),
    Case(ONE_TOO_MANY, lambda side: endpoints.send(text(side.openid, "wxcs_lite compare: 6 / 5")),
         needs=_CUSTOMER, message=True),
)
