"""A bot in several processes that share the record of pushes they have seen: gunicorn -w 2 --preload app:app."""

import os
import sys

from wxcs_lite import fresh_token, open_pool
from wxcs_lite.bot import echo_bot
from wxcs_lite.push import SqliteSeen, push_app

NAMES = ("WXCS_APPID", "WXCS_SECRET", "WXCS_PUSH_TOKEN", "WXCS_AES_KEY")
missing = ", ".join(name for name in NAMES if not os.environ.get(name))
if missing:
    sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
appid, secret, push_token, aes_key = (os.environ[name] for name in NAMES)

if "REDIS_URL" in os.environ:  # several machines
    try:
        from redis import Redis
    except ImportError:
        sys.exit("For REDIS_URL, redis is missing: pip install redis\n使用 REDIS_URL 需要 redis：pip install redis")
    from redis_seen import RedisSeen

    seen = RedisSeen(Redis.from_url(os.environ["REDIS_URL"]))
else:  # one machine
    seen = SqliteSeen(os.environ.get("WXCS_SEEN", "seen.sqlite"))

pool = open_pool(os.environ.get("WXCS_BASE_URL", "https://api.weixin.qq.com"))
bot = echo_bot(pool, fresh_token(pool, appid, secret))
app = push_app(bot, token=push_token, aes_key=aes_key, appid=appid, seen=seen)
