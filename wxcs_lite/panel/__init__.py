"""The desk and the phone: a customer-service panel for notebooks, made of ipywidgets and the functions of wxcs_lite.

    from wxcs_lite.panel import demo

    demo()              # both sides on a fresh sandbox: no account, no network

`Desk(pool, token)` is the agent's side, for any pool, live or sandbox; `Phone(sandbox, touser)` is what the customer
sees. Both need ipywidgets: `pip install 'ipywidgets>=8,<9'`.
"""

try:
    import ipywidgets  # noqa: F401 - to report a missing package at once
except ModuleNotFoundError as e:
    raise ModuleNotFoundError(
        "the panel needs ipywidgets: pip install 'ipywidgets>=8,<9'\n"
        "客服面板需要 ipywidgets：pip install 'ipywidgets>=8,<9'"
    ) from e

from wxcs_lite.panel.demo import Demo, demo
from wxcs_lite.panel.desk import Desk
from wxcs_lite.panel.listening import listen
from wxcs_lite.panel.phone import Phone

__all__ = ["Demo", "Desk", "Phone", "demo", "listen"]
