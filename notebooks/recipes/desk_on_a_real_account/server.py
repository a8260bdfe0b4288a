"""A server that keeps what customers send in a file, which a desk elsewhere follows: gunicorn -w 2 server:app."""

import os
import sys

from wxcs_lite.push import append_to, push_app

NAMES = ("WXCS_APPID", "WXCS_PUSH_TOKEN", "WXCS_AES_KEY")
missing = ", ".join(name for name in NAMES if not os.environ.get(name))
if missing:
    sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
appid, push_token, aes_key = (os.environ[name] for name in NAMES)

# Two processes may each append a push that WeChat repeats: the desk shows it once.
feed = append_to(os.environ.get("PUSHES_FILE", "pushes.jsonl"))
app = push_app(feed, token=push_token, aes_key=aes_key, appid=appid)
