"""What is sent in every measurement: a token as long as WeChat's, an everyday message, a picture."""

import json
from pathlib import Path
from tempfile import gettempdir

import wxcs_lite

__all__ = [
    "HEADERS",
    "MEGABYTE",
    "MESSAGE",
    "OPENID",
    "PROJECT",
    "SEND",
    "TEXT",
    "TOKEN",
    "TYPING",
    "picture",
    "scratch",
]

PROJECT = Path(__file__).parents[2]
MEGABYTE = 1_000_000
TOKEN = "80_" + "made-up_" * 16 + "token"
OPENID = "oABCD-efgh_1234567890abcdef0"
TEXT = "您好，您的订单已经发出，预计明天送达。"
MESSAGE = wxcs_lite.text(OPENID, TEXT)
TYPING = {"touser": OPENID, "command": "Typing"}
SEND = json.dumps(MESSAGE, ensure_ascii=False).encode()
HEADERS = {"Content-Type": "application/json"}


def picture(size: int) -> bytes:
    """Return what passes for a JPEG; its bytes vary, so that no page of it can be shared or left out."""
    pattern = bytes(range(1, 252))
    return (b"\xff\xd8\xff\xe0" + pattern * (size // len(pattern) + 1))[:size]


def scratch() -> str:
    """Return a place for files in memory where there is one: a disk would only add noise."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else gettempdir()
