"""A new type of message, errcode or call must be added on every floor: a test fails if one of them lacks it."""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import wxcs_lite
from tests.test_calls_page import LINES
from tests.test_published import EXCHANGES, JPEG, NOT_OFFERED
from tests.test_secrets import CALLS
from wxcs_lite import catalogue, endpoints, messages, text, transport
from wxcs_lite.look.bubbles import _KINDS as BUBBLES
from wxcs_lite.look.bubbles import bubble, summary
from wxcs_lite.panel.draft import BUILD as FORM_BUILDERS
from wxcs_lite.panel.draft import FIELDS, KINDS, MEDIA, Draft, Picture
from wxcs_lite.panel.texts import LANGUAGES, words
from wxcs_lite.remarks import _RULES as REMARKS
from wxcs_lite.request import Request
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.api.routes import ROUTES
from wxcs_lite.sandbox.api.sending import _PARTS as SANDBOX_RULES
from wxcs_lite.sandbox.rules.refusals import TEXTS
from wxcs_lite.sandbox.samples import sunset
from wxcs_lite.transport import fetch_token

PROJECT = Path(wxcs_lite.__file__).parent.parent
READMES = sorted(PROJECT.glob("README*.md"))
HINTS: dict[str, Any] = {get_args(get_type_hints(one)["msgtype"])[0]: one for one in get_args(messages.Message)}
BUILDERS = {
    name: builder
    for name, builder in inspect.getmembers(messages, inspect.isfunction)
    if get_type_hints(builder).get("return") in HINTS.values()
}


def _published() -> dict[str, dict[str, Any]]:
    """Return an example of each type that WeChat's pages print for Mini Programs."""
    found: dict[str, dict[str, Any]] = {}
    for one in EXCHANGES.values():
        body = one["request"].get("body_json", {}) if one.get("accounts") == "mini program" else {}
        if "msgtype" in body:
            found.setdefault(body["msgtype"], body)  # the first is the plain one
    return found


PUBLISHED = _published()
# Where a type of message has to be: the place, as one would look for it, and the types that are there.
PLACES: dict[str, set[str]] = {
    "messages.py: REQUIRED, the fields that it needs": set(messages.REQUIRED),
    "messages.py: Message, its TypedDict": set(HINTS),
    "messages.py: its builder": set(BUILDERS),
    "__init__.py: __all__, the builder exported": {name for name in wxcs_lite.__all__ if name in messages.REQUIRED},
    "remarks.py: _RULES, the advice on its fields": set(REMARKS),
    "sandbox/api/sending.py: _PARTS, what the sandbox checks": set(SANDBOX_RULES),
    "look/bubbles.py: _KINDS, its bubble": set(BUBBLES),
    "panel/draft.py: KINDS, its form": {str(kind) for kind in KINDS} - {"raw"},
    "panel/draft.py: BUILD, the form's builder": set(FORM_BUILDERS),
    "panel/texts.py: its label kind_…": {key[5:] for key in words("en") if key.startswith("kind_")} - {"raw"},
    "tests/published.json: an exchange that is published": set(PUBLISHED),
}
MSGTYPES = sorted(set().union(*PLACES.values()))
WHOLE = [msgtype for msgtype in MSGTYPES if all(msgtype in found for found in PLACES.values())]


@pytest.mark.parametrize("place", PLACES)
def test_every_type_of_message_is_everywhere(place: str) -> None:
    """A type that is in one place only would be half a type."""
    assert set() == set(MSGTYPES) - PLACES[place]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_readmes_name_every_type_and_every_call(readme: Path) -> None:
    """A reader who looks for a call finds the function."""
    shown = readme.read_text(encoding="utf-8")
    assert [] == [name for name in (*MSGTYPES, *TRANSPORT) if f"`{name}" not in shown and f"{name}(" not in shown]


# Fields


@pytest.mark.parametrize("msgtype", WHOLE)
def test_every_floor_has_the_same_fields(msgtype: str) -> None:
    """The builder's parameters, the TypedDict, the published example and the panel's form name the required fields."""
    required = set(messages.REQUIRED[msgtype])
    assert required == set(PUBLISHED[msgtype][msgtype])
    assert required == set(get_type_hints(HINTS[msgtype])[msgtype].__required_keys__)
    assert {"touser", *required} == set(inspect.signature(BUILDERS[msgtype]).parameters)
    assert {field for field, _ in REMARKS[msgtype]} <= required
    assert required == {*FIELDS[msgtype], *([MEDIA[msgtype]] if msgtype in MEDIA else [])}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("msgtype", WHOLE)
def test_every_type_has_a_bubble_and_a_name(msgtype: str, lang: Any) -> None:
    """In both languages it is drawn, not dumped as JSON, and has a word of its own in the line that sums it up."""
    message = PUBLISHED[msgtype]
    assert "wxcs-raw" not in bubble(message, words(lang))
    assert f"[{msgtype}]" not in summary(message, words(lang))


@pytest.mark.parametrize("msgtype", WHOLE)
def test_the_form_makes_the_message(msgtype: str) -> None:
    """The panel sends what the builder makes of the published example."""
    draft = Draft()
    draft.kind = next(kind for kind in KINDS if kind == msgtype)
    content: Mapping[str, str] = PUBLISHED[msgtype][msgtype]
    for name, value in content.items():
        if name == MEDIA.get(msgtype):
            draft.picture = Picture(media_id=value)
        else:
            draft.put(msgtype, name, value)
    assert PUBLISHED[msgtype] | {"touser": "ann"} == draft.message("ann")


CASES = [(msgtype, field) for msgtype in WHOLE for field in ("", *messages.REQUIRED[msgtype])]


@pytest.mark.parametrize(("msgtype", "missing"), CASES)
def test_the_sandbox_wants_every_field(msgtype: str, missing: str) -> None:
    """A whole message reaches the phone; without any of its fields it is refused, by rules of the sandbox's own."""
    sandbox = Sandbox()
    ann, pool = sandbox.user("ann"), sandbox.pool()
    ann.says("hi")
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    media_id = transport.upload(pool, token, sunset()).media_id
    content = {
        name: media_id if name.endswith("media_id") else value for name, value in PUBLISHED[msgtype][msgtype].items()
    }
    content.pop(missing, None)
    path = endpoints.send(text("ann", "hi")).url(token)
    reply = pool.request("POST", path, json={"touser": "ann", "msgtype": msgtype, msgtype: content}).json()
    assert (reply["errcode"] == 0) == (not missing)
    assert len(ann.inbox) == (0 if missing else 1)


# Errcodes

CODES = {
    row["errcode"]: row for row in json.loads((PROJECT / "tests/published_errcodes.json").read_text("utf-8"))["rows"]
}
WITHOUT_TEXT = {errcode for errcode, row in CODES.items() if row["errmsg"] is None}
ERRCODES: dict[str, set[int]] = {
    "tests/published_errcodes.json: where it is published": set(CODES),
    "catalogue.py: ROWS, what it means": {row[0] for row in catalogue.ROWS},
    "sandbox/rules/refusals.py: TEXTS, what WeChat says": (TEXTS.keys() | WITHOUT_TEXT) - {0},
}


@pytest.mark.parametrize("place", ERRCODES)
def test_every_errcode_is_everywhere(place: str) -> None:
    """Client and sandbox have a row each, on purpose, and both are compared with what is published."""
    assert set() == set().union(*ERRCODES.values()) - ERRCODES[place]


# Calls

ENDPOINTS: dict[str, Callable[..., Request]] = {
    name: function for name, function in inspect.getmembers(endpoints, inspect.isfunction) if name in endpoints.__all__
}
# The arguments for a call's parameters, by their names; a text for all others.
ARGUMENTS: dict[str, Any] = {
    "message": text("OPENID", "Hello World"),
    "content": JPEG,
    "cgi_path": "/cgi-bin/token",
    "path": "/cgi-bin/getcallbackip",
}
# Calls whose function that sends them has another name.
RENAMED = {"stable_token": "fetch_token"}
TRANSPORT = [RENAMED.get(name, name) for name in ENDPOINTS]


def made(name: str) -> Iterator[Request]:
    """Return the requests of a call, for a sub-merchant too where there is such a variant."""
    parameters = inspect.signature(ENDPOINTS[name]).parameters
    needed = [one.name for one in parameters.values() if one.default is inspect.Parameter.empty]
    arguments = {needs: ARGUMENTS.get(needs, "made-up") for needs in needed}
    yield ENDPOINTS[name](**arguments)
    if "businessid" in parameters:
        yield ENDPOINTS[name](**arguments, businessid=1)
    if "message" in parameters:
        yield ENDPOINTS[name](wxcs_lite.with_businessid(arguments["message"], 1))


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_call_can_be_sent(name: str) -> None:
    """A request that can be made can be sent by a public function, which takes what the other takes."""
    sends = RENAMED.get(name, name)
    assert sends in wxcs_lite.__all__, f"transport.py lacks {sends}"
    ours = set(inspect.signature(getattr(transport, sends)).parameters)
    theirs = set(inspect.signature(ENDPOINTS[name]).parameters) - {"boundary", "content"}
    assert set() == theirs - ours


def test_every_call_is_watched_for_secrets() -> None:
    """Nothing is public that test_secrets.py does not call."""
    assert [] == [name for name in TRANSPORT if name not in CALLS]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_the_sandbox_answers_every_call(name: str) -> None:
    """Under the same path and method, with a token where the call takes one."""
    for request in made(name):
        assert request.path in ROUTES, f"sandbox/api/routes.py lacks {request.path}"
        route = ROUTES[request.path]
        assert request.method in route.methods
        assert request.takes_token == route.takes_token


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_call_is_published(name: str) -> None:
    """Somebody has printed a request of it, with the same method."""
    published = {(one["request"]["method"], one["request"]["path"]) for one in EXCHANGES.values()}
    assert set() == {(request.method, request.path) for request in made(name)} - published


def test_the_sandbox_answers_nothing_that_nobody_can_call() -> None:
    """A route is a call of ours, or the reason why there is none is given."""
    ours = {request.path for name in ENDPOINTS for request in made(name)}
    ours |= {line.path for line in LINES}
    explained = {EXCHANGES[name]["request"]["path"] for name in NOT_OFFERED}
    assert set() == ROUTES.keys() - ours - explained
