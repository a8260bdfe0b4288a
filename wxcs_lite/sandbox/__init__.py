"""A deterministic simulation of WeChat's customer-service API that needs no account and no network.

It shares no code with the client, so that a mistake in one cannot hide a mistake in the other.
"""

from wxcs_lite.sandbox.customers import Customer
from wxcs_lite.sandbox.http.values import Seen
from wxcs_lite.sandbox.pushes.delivery import Pushed, Pushes
from wxcs_lite.sandbox.rules.people import CustomerEvent, Delivered, Notice
from wxcs_lite.sandbox.samples import sunset
from wxcs_lite.sandbox.sandbox import Sandbox

__all__ = ["Customer", "CustomerEvent", "Delivered", "Notice", "Pushed", "Pushes", "Sandbox", "Seen", "sunset"]
