"""A message before it is sent: as Python, as HTTP, as curl. Pure; none of them contains a token."""

from collections.abc import Mapping
from typing import Any

from wxcs_lite import endpoints
from wxcs_lite.messages import REQUIRED

__all__ = ["as_curl", "as_http", "as_python"]


def as_python(message: Mapping[str, Any]) -> str:
    """Return the Python code that sends the message; it runs unchanged if pool and token exist.

    >>> from wxcs_lite import text
    >>> print(as_python(text("OPENID", "你好")))
    from wxcs_lite import send, text
    <BLANKLINE>
    send(pool, token, text('OPENID', '你好'))
    """
    names, call = ["send"], _call(message)
    if call is None:
        return f"from wxcs_lite import send\n\nsend(pool, token, {dict(message)!r})"
    names.append(str(message["msgtype"]))
    if "aimsgcontext" in message:
        names.append("with_ai_label")
        call = f"with_ai_label({call})"
    return f"from wxcs_lite import {', '.join(sorted(names))}\n\nsend(pool, token, {call})"


def _call(message: Mapping[str, Any]) -> str | None:
    """Return the builder's call, or None if no builder makes exactly this message."""
    kind = str(message.get("msgtype"))
    fields = message.get(kind)
    if kind not in REQUIRED or not isinstance(fields, dict) or set(fields) != set(REQUIRED[kind]):
        return None
    others = {name: value for name, value in message.items() if name not in ("touser", "msgtype", kind)}
    if others not in ({}, {"aimsgcontext": {"is_ai_msg": 1}}):
        return None
    if len(fields) == 1:
        return f"{kind}({message['touser']!r}, {next(iter(fields.values()))!r})"
    lines = "".join(f"    {name}={fields[name]!r},\n" for name in REQUIRED[kind])
    return f"{kind}(\n    {message['touser']!r},\n{lines})"


def as_http(message: Mapping[str, Any]) -> str:
    """Return the HTTP request; the token is `***`.

    >>> from wxcs_lite import text
    >>> as_http(text("OPENID", "hi")).splitlines()[0]
    'POST /cgi-bin/message/custom/send?access_token=*** HTTP/1.1'
    """
    return str(endpoints.send(message))


def as_curl(message: Mapping[str, Any]) -> str:
    """Return the curl command; the token stays `$WXCS_TOKEN`.

    >>> from wxcs_lite import text
    >>> as_curl(text("OPENID", "hi")).splitlines()[0]
    'curl -sS "https://api.weixin.qq.com/cgi-bin/message/custom/send?access_token=$WXCS_TOKEN" \\\\'
    """
    return endpoints.send(message).curl()
