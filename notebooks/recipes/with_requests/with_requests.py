"""Send, upload, download and show typing with requests: endpoints makes each request, replies reads each reply."""

import os
import sys
import time

import requests

from wxcs_lite import TransportError, endpoints, image, replies, text
from wxcs_lite.request import API
from wxcs_lite.sandbox import sunset

BASE = os.environ.get("WXCS_BASE_URL", API)


def perform(http, token, request):
    """Send a request once, and return what the functions of `replies` take: status, headers and body."""
    url = request.url(token, base=BASE)
    try:
        got = http.request(
            request.method,
            url,
            data=request.body,  # an upload leaves in pieces, with its Content-Length
            headers=request.headers,
            timeout=10,
            allow_redirects=False,  # the token must not go elsewhere
        )
    except requests.RequestException as error:
        name = type(error).__name__  # only the name: the error's text has the URL, and so the token
    else:
        return got.status_code, got.headers, got.content
    raise TransportError(f"no reply: {name} of requests", f"没有收到应答：requests 的 {name}")


def main(appid, secret, touser):
    """Send the customer a picture and a text, and print the replies."""
    with requests.Session() as http:
        http.headers["Accept-Encoding"] = "identity"
        asked_at = time.time()
        token = replies.read_token(*perform(http, None, endpoints.stable_token(appid, secret)), now=asked_at)
        replies.read_receipt(*perform(http, token, endpoints.set_typing(touser)))
        upload = endpoints.upload(sunset(), filename="sunset.png")
        media_id = replies.read_uploaded(*perform(http, token, upload)).media_id
        print(replies.read_media(*perform(http, token, endpoints.download(media_id))))
        for message in (image(touser, media_id), text(touser, "您好！")):
            print(replies.read_receipt(*perform(http, token, endpoints.send(message))))


if __name__ == "__main__":
    names = ("WXCS_APPID", "WXCS_SECRET", "WXCS_OPENID")
    missing = ", ".join(name for name in names if not os.environ.get(name))
    if missing:
        sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
    main(*(os.environ[name] for name in names))
