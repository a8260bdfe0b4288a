"""The switches: what each accepts, and how mistakes are reported."""

from typing import Any

import pytest

from wxcs_lite.sandbox import Sandbox


@pytest.mark.parametrize(
    ("switch", "told"),
    [
        ({"unicode_escapes": "x"}, "unicode_escapes must be 'decode', 'literal' or 'refuse', not 'x'"),
        ({"chunked": True}, "chunked must be 'refuse' or 'accept', not True"),
        ({"errmsg_style": None}, "errmsg_style must be 'today', 'rid', 'hint' or 'both', not None"),
        ({"upload_reply": True}, "upload_reply must be 'live' or 'page', not True"),
        ({"part_name": "file"}, "part_name must be 'strict' or 'lax', not 'file'"),
        ({"exhausted_code": 45009}, "exhausted_code must be 45047 or 45015, not 45009"),
        ({"unknown_openid_code": "40003"}, "unknown_openid_code must be 45015 or 40003, not '40003'"),
        ({"error_content_type": "text/html"}, "error_content_type must be 'application/json; encoding=utf-8' or "),
        ({"refill_on_entry": 1}, "refill_on_entry must be False or True, not 1"),
        ({"max_image_bytes": 0}, "max_image_bytes must be from 1 to "),
        ({"max_image_bytes": "2 MB"}, "not '2 MB'"),
        ({"max_image_bytes": 2**30}, "max_image_bytes must be"),
        ({"daily_limits": {"/nowhere": 1}}, "a path of daily_limits must be '/cgi-bin/business/get', "),
        ({"daily_limits": {"/cgi-bin/token": -1}}, "daily_limits['/cgi-bin/token'] must be a number of calls, not -1"),
        ({"minute_limits": {"/cgi-bin/token": 1.5}}, "minute_limits['/cgi-bin/token'] must be"),
        ({"unauthorized": {"/cgi-bin/token"}}, "a path of unauthorized must be"),
        ({"unauthorized": "/cgi-bin/media/get"}, "unauthorized must be a set of paths"),
        ({"api_signature": True}, "api_signature must be 'off', 'optional' or 'required', not True"),
        ({"appid": ""}, "appid and secret cannot be empty"),
        ({"secret": ""}, "appid and secret cannot be empty"),
    ],
)
def test_usage_errors(switch: dict[str, Any], told: str) -> None:
    """A setting that is not one is refused with what is allowed and what it got."""
    with pytest.raises(ValueError, match=r"must be|cannot be") as error:
        Sandbox(**switch)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "switch",
    [
        {"unicode_escapes": "literal", "chunked": "accept", "errmsg_style": "hint", "error_content_type": "text/plain"},
        {"upload_reply": "page", "part_name": "lax", "exhausted_code": 45015, "unknown_openid_code": 40003},
        {"refill_on_entry": True, "max_image_bytes": 2 * 2**20, "unauthorized": ["/cgi-bin/media/get"]},
        {"daily_limits": {"/cgi-bin/media/get": 0}, "minute_limits": {"/cgi-bin/message/custom/typing": 5}},
    ],
)
def test_every_switch_can_be_set(switch: dict[str, Any]) -> None:
    """Allowed values are accepted."""
    assert "wxsandbox000000001" in repr(Sandbox(**switch))


def test_settings_are_copied() -> None:
    """Changing a mapping afterwards changes nothing."""
    limits = {"/cgi-bin/getcallbackip": 0}
    sandbox = Sandbox(daily_limits=limits)
    limits["/cgi-bin/token"] = 0
    fields = {"grant_type": "client_credential", "appid": sandbox.appid, "secret": sandbox.secret}
    assert 7200 == sandbox.pool().request("GET", "/cgi-bin/token", fields=fields).json()["expires_in"]
