"""What can be set where WeChat's behaviour is unknown, has changed, or depends on the account."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple, cast

from .bodies import Escapes
from .calls import ROUTES
from .quota import DAILY, PER_MINUTE
