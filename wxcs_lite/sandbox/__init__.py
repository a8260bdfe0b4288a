"""WeChat in a box: a faithful, deterministic stand-in for the customer-service API, with no account and no network.

It shares no code with the client, so that one mistake can't cancel another.
"""

from .box import Sandbox
from .customers import Customer
from .pushes import Pushed, Pushes
from .samples import sunset
from .values import Seen
from .world import Delivered, Event, Notice

__all__ = ["Customer", "Delivered", "Event", "Notice", "Pushed", "Pushes", "Sandbox", "Seen", "sunset"]
