"""A bot in a Flask application: pages of your own, and what customers write arrives at /push."""

import os
import sys

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from wxcs_lite import fresh_token, open_pool
from wxcs_lite.bot import echo_bot
from wxcs_lite.push import push_app
from wxcs_lite.request import API

NAMES = ("WXCS_APPID", "WXCS_SECRET", "WXCS_PUSH_TOKEN", "WXCS_AES_KEY")


def create_app():
    """Return the application: flask --app flask_bot run."""
    missing = ", ".join(name for name in NAMES if not os.environ.get(name))
    if missing:
        sys.exit(f"Set these in the environment, as README says: {missing}\n请先设置环境变量（见 README）：{missing}")
    appid, secret, push_token, aes_key = (os.environ[name] for name in NAMES)
    pool = open_pool(os.environ.get("WXCS_BASE_URL", API))
    bot = echo_bot(pool, fresh_token(pool, appid, secret))

    app = Flask(__name__)

    @app.get("/")
    def home():
        return "the bot is at /push"

    # Mounted below Flask, not called in a view, because push_app reads the body itself, up to its own limit.
    push = push_app(bot, token=push_token, aes_key=aes_key, appid=appid)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/push": push})
    return app
