"""Send, upload, download and show typing with httpx: endpoints makes each request, replies reads each reply."""

import asyncio
import logging
import os
import sys
import time

import httpx

from wxcs_lite import TransportError, endpoints, image, replies, text
from wxcs_lite.request import API
from wxcs_lite.sandbox import sunset

BASE = os.environ.get("WXCS_BASE_URL", API)
logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines contain each URL, and so the token


async def perform(http, token, request):
    """Send a request once, and return what the functions of `replies` take: status, headers and body."""
    url, body = request.url(token, base=BASE), None if request.body is None else bytes(request.body)
    try:
        got = await http.request(request.method, url, content=body, headers=request.headers)
    except httpx.HTTPError as error:
        name = type(error).__name__  # only the name: the error holds the URL, and so the token
        maybe_sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    else:
        return got.status_code, got.headers, got.content
    raise TransportError(f"no reply: {name} of httpx", f"没有收到应答：httpx 的 {name}", maybe_sent)


async def main(appid, secret, touser):
    """Send the customer a picture and a text, and print the replies."""
    async with httpx.AsyncClient(headers={"Accept-Encoding": "identity"}, timeout=10) as http:
        asked_at = time.time()
        token = replies.read_token(*await perform(http, None, endpoints.stable_token(appid, secret)), now=asked_at)
        typing = asyncio.create_task(perform(http, token, endpoints.set_typing(touser)))  # while the picture goes up
        upload = endpoints.upload(sunset(), filename="sunset.png")
        media_id = replies.read_uploaded(*await perform(http, token, upload)).media_id
        replies.read_receipt(*await typing)
        print(replies.read_media(*await perform(http, token, endpoints.download(media_id))))
        for message in (image(touser, media_id), text(touser, "您好！")):
            print(replies.read_receipt(*await perform(http, token, endpoints.send(message))))


if __name__ == "__main__":
    names = ("WXCS_APPID", "WXCS_SECRET", "WXCS_OPENID")
    missing = ", ".join(name for name in names if not os.environ.get(name))
    if missing:
        sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
    asyncio.run(main(*(os.environ[name] for name in names)))
