"""The evidence for the sandbox's rules. Each module lists its own in `RULES`; a page of the docs is made of them."""

from typing import NamedTuple

__all__ = ["Rule"]

_DOCS = "https://developers.weixin.qq.com/miniprogram/dev"
_SESSION = f"{_DOCS}/framework/open-ability/customer-message"

FORUM = "https://developers.weixin.qq.com/community/develop/doc"
# The pages of WeChat that are named more than once.
CLOUD = "https://developers.weixin.qq.com/minigame/dev/wxcloudrun/src/guide/weixin/open.md"
CLOUD_PUSH = "https://developers.weixin.qq.com/minigame/dev/wxcloudrun/src/guide/weixin/push.md"
CONTAINER = f"{_DOCS}/wxcloud/guide/container/concept.html"
CODES = "https://github.com/binarywang/WxJava"  # WxOpenErrorMsgEnum.java copies the official page of return codes
INTRODUCTION = "https://developers.weixin.qq.com/miniprogram/introduction/custom.html"
LIMITS = "https://developers.weixin.qq.com/doc/service/Message_Management/API_Call_Limits.html"
MANAGEMENT = f"{_DOCS}/server/API/kf-mgnt/"
OPEN_API = f"{_DOCS}/server/API/openApi-mgnt/"
PUSH = f"{_DOCS}/framework/server-ability/message-push.html"
RECEIVE = f"{_SESSION}/receive.html"
SEND = f"{_SESSION}/send.html"
SEND_CALL = f"{_DOCS}/server/API/kf-mgnt/kf-message/api_sendcustommessage.html"
SIGNATURE = f"{_DOCS}/server/getting_started/api_signature.html"
STABLE_TOKEN = f"{_DOCS}/server/API/mp-access-token/api_getstableaccesstoken.html"
TOKEN = f"{_DOCS}/server/API/mp-access-token/api_getaccesstoken.html"
TRANSFER = f"{_SESSION}/trans.html"
TYPING = f"{_SESSION}/typing.html"
TYPING_CALL = f"{_DOCS}/server/API/kf-mgnt/kf-message/api_typing.html"
UPLOAD = "https://developers.weixin.qq.com/doc/subscription/api/material/temporary/api_uploadtempmedia.html"
WORK = f"{_DOCS}/server/API/kf-work/"


class Rule(NamedTuple):
    """What the sandbox does, in English and Chinese, with at least one of three kinds of evidence.

    `page` is the address of the documentation that says so; `seen` is when the live service was seen to do so, and
    where that was published; `inferred` means that it is our reading, wholly or in part. `errcodes` are the codes that
    the sandbox then answers; `setting` is the argument of `Sandbox` or of `push_to` that changes the behaviour.
    """

    en: str
    zh: str
    page: str = ""
    seen: str = ""
    inferred: bool = False
    errcodes: tuple[int, ...] = ()
    setting: str = ""
