"""`--set`: each switch of the sandbox can be set, and a mistake is answered with what is allowed."""

import inspect
from typing import Any

import pytest

from wxcs_lite.look.words import LANGUAGES
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.terminal.serving_words import TEXTS
from wxcs_lite.terminal.switches import SWITCHES, read_switches
from wxcs_lite.terminal.telling import Refused, Teller

SAMPLES: dict[str, tuple[str, Any]] = {
    "unicode_escapes": ("decode", "decode"),
    "chunked": ("accept", "accept"),
    "errmsg_style": ("both", "both"),
    "error_content_type": ("text/plain", "text/plain"),
    "upload_reply": ("page", "page"),
    "part_name": ("lax", "lax"),
    "exhausted_code": ("45015", 45015),
    "unknown_openid_code": ("40003", 40003),
    "refill_on_entry": ("true", True),
    "max_image_bytes": ("2097152", 2 * 2**20),
    "daily_limits": ("/cgi-bin/token:3, /cgi-bin/media/upload:0", {"/cgi-bin/token": 3, "/cgi-bin/media/upload": 0}),
    "minute_limits": ("/cgi-bin/message/custom/send:5", {"/cgi-bin/message/custom/send": 5}),
    "unauthorized": ("/cgi-bin/media/upload", ["/cgi-bin/media/upload"]),
    "api_signature": ("optional", "optional"),
    "cloud_hosting": ("/*", ["/*"]),
    "cloud_shared": ("false", False),
}


def said(refused: Refused) -> str:
    return "\n".join(Teller(lang, None).text(refused.name, **refused.values) for lang in LANGUAGES)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch(name: str) -> None:
    """From a text to what `Sandbox` takes."""
    text, value = SAMPLES[name]
    assert {name: value} == read_switches([f"{name} = {text}"])


def test_they_are_those_of_the_sandbox() -> None:
    """None is missing, and none is a setting of another kind."""
    others = {"appid", "secret", "seed", "clock"}
    assert set(SWITCHES) == set(inspect.signature(Sandbox).parameters) - others
    assert set(SWITCHES) == set(SAMPLES)


def test_several() -> None:
    """The last of two for one switch counts; two that go together do."""
    assert {"chunked": "accept"} == read_switches(["chunked=refuse", "chunked=accept"])
    assert {"cloud_shared": True, "cloud_hosting": ["/*"]} == read_switches(["cloud_shared=true", "cloud_hosting=/*"])
    assert {} == read_switches([])


@pytest.mark.parametrize(
    ("setting", "parts"),
    [
        ("chunked", ["--set takes SWITCH=VALUE", *SWITCHES]),
        ("chunk=accept", ["--set: there is no switch chunk", *SWITCHES]),
        ("chunked=maybe", ["--set chunked: must be one of refuse, accept", "只能是 refuse, accept 之一"]),
        ("chunked=", ["--set chunked: must be one of refuse, accept"]),
        ("exhausted_code=1", ["--set exhausted_code: must be one of 45047, 45015"]),
        ("refill_on_entry=yes", ["--set refill_on_entry: must be one of true, false"]),
        ("max_image_bytes=10M", ["--set max_image_bytes: must be a non-negative whole number", "须为非负整数"]),
        ("max_image_bytes=0", ["--set max_image_bytes: max_image_bytes must be from 1 to"]),
        ("daily_limits=/cgi-bin/token", ["--set daily_limits: must be PATH:CALLS, separated by commas"]),
        ("daily_limits=", ["--set daily_limits: must be PATH:CALLS, separated by commas", "“路径:次数”"]),
        (
            "daily_limits=/nowhere:3",
            ["--set daily_limits: there is no call /nowhere; there are: ", "/cgi-bin/token", "没有接口 /nowhere"],
        ),
        ("unauthorized=", ["--set unauthorized: must be paths, separated by commas", "以逗号分隔的路径"]),
        ("unauthorized=/nowhere", ["--set unauthorized: there is no call /nowhere; there are: "]),
        ("unauthorized=/cgi-bin/token", ["--set unauthorized: a path of unauthorized must be", "的值不成立"]),
        ("cloud_shared=true", ["--set cloud_shared: cloud_shared goes with cloud_hosting"]),
    ],
)
def test_a_mistake(setting: str, parts: list[str]) -> None:
    """The switch is named, and what it takes."""
    with pytest.raises(Refused) as caught:
        read_switches([setting])
    text = said(caught.value)
    assert [] == [part for part in parts if part not in text]


def test_a_long_name_is_cut() -> None:
    """It may be anything, put in the wrong place."""
    with pytest.raises(Refused) as caught:
        read_switches(["x" * 500 + "=1"])
    assert "x" * 61 not in said(caught.value)


def test_each_refusal_has_its_text() -> None:
    """In both languages."""
    names = {"set_form", "set_name", "set_choice", "set_value", "set_path", "set_range", "a_number", "paths", "limits"}
    assert all(names <= set(TEXTS[lang]) for lang in LANGUAGES)
