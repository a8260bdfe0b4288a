"""What a user does with the API, once for each call: run over recorded HTTP and on the in-process sandbox alike.

A case gets a `Desk` and returns something that does not depend on the account: what came back, or the error's class and
errcode. At most five messages go out before the last case, because a real customer's window holds no more.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import wxcs_lite as wx
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox import sunset


class Desk(NamedTuple):
    """What a case works with."""

    pool: Pool
    token: str
    touser: str
    appid: str
    secret: str


OK = {"errcode": 0, "errmsg": "ok"}


class Case(NamedTuple):
    """A case: what is done, and what must come of it through every door."""

    run: Callable[[Desk], Any]
    expected: Any


def refused(call: Callable[[], object]) -> tuple[str, int]:
    """Return class and errcode of the ApiError that a call must raise."""
    with pytest.raises(wx.ApiError) as caught:
        call()
    assert not caught.value.maybe_sent
    return type(caught.value).__name__, caught.value.errcode


def fetch_token(desk: Desk) -> object:
    token = wx.fetch_token(desk.pool, desk.appid, desk.secret, clock=lambda: 0)
    return bool(token), 0 < (token.expires_at or 0) <= 7200


def set_typing(desk: Desk) -> object:
    shown = wx.set_typing(desk.pool, desk.token, desk.touser)
    again = refused(lambda: wx.set_typing(desk.pool, desk.token, desk.touser))
    return shown, again, wx.set_typing(desk.pool, desk.token, desk.touser, "CancelTyping")


def send_text(desk: Desk) -> object:
    content = '您好 😀 <a href="https://example.com/?a=1&b=2">订单</a>\n第二行 "引号" \\ /'
    return wx.send(desk.pool, desk.token, wx.text(desk.touser, content))


def send_image(desk: Desk) -> object:
    uploaded = wx.upload(desk.pool, desk.token, sunset(), filename="日落.png")
    return uploaded.type, wx.send(desk.pool, desk.token, wx.image(desk.touser, uploaded.media_id))


def send_link(desk: Desk) -> object:
    address = "https://example.com/orders/1024"
    message = wx.link(desk.touser, title="订单 1024", description="运输中", url=address, thumb_url=f"{address}.png")
    return wx.send(desk.pool, desk.token, message)


def send_miniprogrampage(desk: Desk) -> object:
    cover = wx.upload(desk.pool, desk.token, sunset()).media_id
    message = wx.miniprogrampage(desk.touser, title="订单", pagepath="pages/order?id=1", thumb_media_id=cover)
    return wx.send(desk.pool, desk.token, wx.with_ai_label(message))


def download(desk: Desk) -> object:
    uploaded = wx.upload(desk.pool, desk.token, sunset())
    medium = wx.download(desk.pool, desk.token, uploaded.media_id)
    with wx.stream(desk.pool, desk.token, uploaded.media_id) as chunks:
        return medium.content == sunset(), medium.content_type, b"".join(chunks) == sunset()


def get_quota(desk: Desk) -> object:
    return sorted(wx.get_quota(desk.pool, desk.token)["quota"])


def get_callback_ip(desk: Desk) -> object:
    return bool(wx.get_callback_ip(desk.pool, desk.token)["ip_list"])


def a_made_up_token(desk: Desk) -> object:
    return refused(lambda: wx.send(desk.pool, "80_made-up", wx.text(desk.touser, "hi")))


def a_wrong_secret(desk: Desk) -> object:
    return refused(lambda: wx.fetch_token(desk.pool, desk.appid, "no-such-secret"))


def a_malformed_openid(desk: Desk) -> object:
    return refused(lambda: wx.send(desk.pool, desk.token, wx.text("not an openid!", "hi")))


def an_unknown_media_id(desk: Desk) -> object:
    return refused(lambda: wx.download(desk.pool, desk.token, "no-such-media-id"))


def a_type_for_official_accounts(desk: Desk) -> object:
    news = {"touser": desk.touser, "msgtype": "news", "news": {"articles": []}}
    return refused(lambda: wx.send(desk.pool, desk.token, news))


def one_message_too_many(desk: Desk) -> object:
    def send_six() -> None:
        for number in range(6):
            wx.send(desk.pool, desk.token, wx.text(desk.touser, f"{number + 1}/6"))

    return refused(send_six)


CASES = {
    "fetch_token": Case(fetch_token, (True, True)),
    "set_typing": Case(set_typing, (OK, ("TypingRejected", 45081), OK)),
    "send_text": Case(send_text, OK),
    "send_image": Case(send_image, ("image", OK)),
    "send_link": Case(send_link, OK),
    "send_miniprogrampage": Case(send_miniprogrampage, OK),
    "download": Case(download, (True, "image/png", True)),
    "get_quota": Case(get_quota, ["daily_limit", "remain", "used"]),
    "get_callback_ip": Case(get_callback_ip, True),
    "a_made_up_token": Case(a_made_up_token, ("TokenRejected", 40001)),
    "a_wrong_secret": Case(a_wrong_secret, ("ApiError", 40125)),
    "a_malformed_openid": Case(a_malformed_openid, ("ApiError", 40003)),
    "an_unknown_media_id": Case(an_unknown_media_id, ("MediaRejected", 40007)),
    "a_type_for_official_accounts": Case(a_type_for_official_accounts, ("ApiError", 45162)),
    "one_message_too_many": Case(one_message_too_many, ("WindowClosed", 45047)),
}
