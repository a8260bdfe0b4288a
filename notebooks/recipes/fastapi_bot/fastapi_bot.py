"""A bot in a FastAPI application: an async route that reads the push, answers at once, and replies afterwards."""

import logging
import os
import sys
import time
from collections import OrderedDict

from fastapi import FastAPI, HTTPException, Request, Response
from starlette.background import BackgroundTask

from wxcs_lite import TokenRejected, WxError, fresh_token, open_pool, send, text
from wxcs_lite.errors import PushRejected
from wxcs_lite.push import SUCCESS, dedupe_key, echo, read_push, seal, transfer_to_agent
from wxcs_lite.request import API

NAMES = ("WXCS_APPID", "WXCS_SECRET", "WXCS_PUSH_TOKEN", "WXCS_AES_KEY")
MAX_BODY = 1024 * 1024  # bytes
REMEMBERED = 10_000
log = logging.getLogger("uvicorn.error")


def create_app():
    """Return the application: uvicorn --factory fastapi_bot:create_app."""
    missing = ", ".join(name for name in NAMES if not os.environ.get(name))
    if missing:
        sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
    appid, secret, push_token, aes_key = (os.environ[name] for name in NAMES)
    keys = {"token": push_token, "aes_key": aes_key, "appid": appid}
    pool = open_pool(os.environ.get("WXCS_BASE_URL", API))
    token = fresh_token(pool, appid, secret)
    seen = OrderedDict()
    app = FastAPI(openapi_url=None)

    def reply(push):
        """Run in a thread, after WeChat has its answer; an async function would work too."""
        if push.MsgType != "text":
            return
        message = text(push.FromUserName, f"You wrote: {push.Content}")
        try:
            current = token()
            try:
                send(pool, current, message)
            except TokenRejected:  # another process has fetched a newer one; nothing was sent
                send(pool, token(rejected=current), message)
        except WxError as error:
            log.error("no reply: %r", error)

    @app.get("/push")
    async def check(request: Request):
        return Response(echo(request.query_params, token=push_token, aes_key=aes_key), media_type="text/plain")

    @app.post("/push")
    async def receive(request: Request):
        query, body = request.query_params, await read_body(request)
        push = read_push(query, body, **keys)
        if push.MsgType == "text" and push.Content.strip().lower() in ("human", "人工"):
            at, nonce = int(time.time()), query["nonce"]
            sealed = seal(transfer_to_agent(push), **keys, timestamp=at, nonce=nonce, format=push.format)
            return Response(sealed, media_type="application/json" if push.format == "json" else "text/xml")
        key = dedupe_key(push)
        if key in seen:  # a repetition, recognised in this process only
            return Response(SUCCESS, media_type="text/plain")
        seen[key] = True
        if len(seen) > REMEMBERED:
            seen.popitem(last=False)
        return Response(SUCCESS, media_type="text/plain", background=BackgroundTask(reply, push))

    @app.exception_handler(PushRejected)
    async def refuse(request: Request, error: PushRejected):
        log.warning("a request was refused: %s", error.en)
        return Response(status_code=403)

    return app


async def read_body(request):
    """Return the body, or answer 413: FastAPI itself sets no limit."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise HTTPException(413)
    return bytes(body)
