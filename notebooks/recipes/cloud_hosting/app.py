"""A bot inside WeChat cloud hosting (微信云托管): no access token, no AppSecret, no IP whitelist, no signature.

The platform adds the credential to each call on its way out, and marks each push on its way in.
"""

import os

from wxcs_lite import FromAppid, open_pool, send, text
from wxcs_lite.push import Push, push_app

# Plain http is correct here, because a relay beside the container takes the call. Do not send while the process starts.
pool = open_pool(os.environ.get("WXCS_BASE_URL", "http://api.weixin.qq.com"))
# Set WXCS_APPID in a shared environment (资源复用) only: it is the account in whose name the calls are made.
appid = os.environ.get("WXCS_APPID")
credential = FromAppid(appid) if appid else None


def answer(push: Push) -> None:
    if push.MsgType == "text":
        send(pool, credential, text(push.FromUserName, f"您说的是：{push.Content}"))


app = push_app(answer, cloud_hosting=True)
