"""A bot as a serverless function: everything is done before the answer, because the instance is frozen afterwards."""

import base64
import logging
import os
import sys
import time
from functools import partial
from urllib.parse import parse_qsl

from wxcs_lite import TokenRejected, WxError, fresh_token, open_pool, send, text
from wxcs_lite.errors import PushRejected
from wxcs_lite.push import SUCCESS, dedupe_key, echo, read_push, seal, transfer_to_agent
from wxcs_lite.request import API

NAMES = ("WXCS_APPID", "WXCS_SECRET", "WXCS_PUSH_TOKEN", "WXCS_AES_KEY")
missing = ", ".join(name for name in NAMES if not os.environ.get(name))
if missing:
    sys.exit(f"Set these in the function's environment: {missing}\n请先设置云函数的环境变量：{missing}")
appid, secret, push_token, aes_key = (os.environ[name] for name in NAMES)
keys = {"token": push_token, "aes_key": aes_key, "appid": appid}

# WeChat waits 5 s for an answer. The token, and which pushes were answered, are kept as long as the instance lives.
connect = partial(open_pool, os.environ.get("WXCS_BASE_URL", API), connect_timeout=1, read_timeout=2)
token_pool = connect()
token = fresh_token(token_pool, appid, secret)
seen = set()  # no instance lives long enough for this to grow


def handler(event, context):
    """Answer the event of an HTTP trigger, which the platform passes; the names in it are those of AWS Lambda."""
    body = event.get("body") or ""
    status, answer = respond(
        event["requestContext"]["http"]["method"],
        dict(parse_qsl(event["rawQueryString"], keep_blank_values=True)),
        base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )
    return {"statusCode": status, "headers": {"Content-Type": "text/plain; charset=utf-8"}, "body": answer.decode()}


def respond(method, query, body):
    """Return status and body for a request from WeChat: its check of the URL, or a push."""
    try:
        if method == "GET":
            return 200, echo(query, token=push_token, aes_key=aes_key)
        push = read_push(query, body, **keys)
    except PushRejected as error:
        logging.warning("a request was refused: %s", error.en)
        return 403, b""
    if push.MsgType == "text" and push.Content.strip().lower() in ("human", "人工"):
        answer = transfer_to_agent(push)
        return 200, seal(answer, **keys, timestamp=int(time.time()), nonce=query["nonce"], format=push.format)
    key = dedupe_key(push)
    if key in seen:  # a repetition
        return 200, SUCCESS
    try:
        current = token()
    except WxError as error:  # nothing was sent, so let WeChat push again
        logging.error("no token: %r", error)
        return 503, b""
    seen.add(key)
    try:
        reply(push, current)
    except WxError as error:  # it may have been sent, so it is not tried again
        logging.error("no reply: %r", error)
    return 200, SUCCESS


def reply(push, current):
    """Answer the customer; the message is yours to change."""
    if push.MsgType == "text":
        message = text(push.FromUserName, f"You wrote: {push.Content}")
        with connect() as pool:  # a new one each time: a frozen connection may be dead, and nothing would show it
            try:
                send(pool, current, message)
            except TokenRejected:  # another process has fetched a newer one; nothing was sent
                send(pool, token(rejected=current), message)
