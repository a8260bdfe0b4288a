"""Send, upload, download and show typing with aiohttp: endpoints makes each request, replies reads each reply."""

import asyncio
import io
import os
import sys
import time

import aiohttp
import yarl

from wxcs_lite import TransportError, endpoints, image, replies, text
from wxcs_lite.request import API
from wxcs_lite.sandbox import sunset

BASE = os.environ.get("WXCS_BASE_URL", API)


async def perform(http, token, request):
    """Send a request once, and return what the functions of `replies` take: status, headers and body."""
    url = yarl.URL(request.url(token, base=BASE), encoded=True)  # unchanged: otherwise yarl encodes it again
    body = None if request.body is None else io.BytesIO(bytes(request.body))  # aiohttp warns about long bytes
    try:
        async with http.request(
            request.method,
            url,
            data=body,
            headers=request.headers,
            allow_redirects=False,  # the token must not go elsewhere
        ) as got:
            return got.status, got.headers, await got.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        name = type(error).__name__  # only the name: the error holds the URL, and so the token
        maybe_sent = not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    raise TransportError(f"no reply: {name} of aiohttp", f"没有收到应答：aiohttp 的 {name}", maybe_sent)


async def main(appid, secret, touser):
    """Send the customer a picture and a text, and print the replies."""
    settings = {"headers": {"Accept-Encoding": "identity"}, "timeout": aiohttp.ClientTimeout(total=10)}
    async with aiohttp.ClientSession(**settings) as http:
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
