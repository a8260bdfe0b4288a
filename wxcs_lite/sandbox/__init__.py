"""A deterministic simulation of WeChat's customer-service API that needs no account and no network.

It shares no code with the client, so that a mistake in one cannot hide a mistake in the other.
"""

from wxcs_lite.sandbox.customers import Customer
from wxcs_lite.sandbox.http.values import Seen
from wxcs_lite.sandbox.pushes.delivery import Pushed, Pushes
from wxcs_lite.sandbox.rules.people import Arrived, CustomerEvent, Delivered, Notice
from wxcs_lite.sandbox.samples import sunset
from wxcs_lite.sandbox.sandbox import Sandbox
from wxcs_lite.sandbox.watching import Advanced, Called

__all__ = ["Advanced", "Arrived", "Called", "Customer", "CustomerEvent", "Delivered", "Notice", "Pushed", "Pushes"]
__all__ += ["Sandbox", "Seen", "sunset"]
