"""A recording of VCR, and what the sandbox answers to the same requests.

What the recording itself cannot explain is taken for good if the account accepted it once: an appid and secret, a
token, a customer who had written, a medium that was there before.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from wxcs_lite import endpoints
from wxcs_lite.replies import Reply
from wxcs_lite.request import Request
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.sandbox.api.sending import well_formed
from wxcs_lite.secret import Token, hide
from wxcs_lite.terminal.compare.cases import PICTURE, RID, fields_of
from wxcs_lite.terminal.compare.differences import Compared, errcode_of
from wxcs_lite.terminal.environment import reason_of
from wxcs_lite.wire import perform

__all__ = ["Exchange", "read_recording", "replayed", "secrets_of"]

_BAD_TOKEN = {40001, 40014, 41001, 42001}
_BAD_APPID = {40013, 41002}
_MALFORMED = 40003
_PLACEHOLDER = re.compile(r"(?:GIVEN_)?OPENID_[0-9]+")
_MESSAGES = 5  # that a customer's message allows
_SOMEBODY = "somebody-who-sent-a-picture"
_GIVEN = ("access_token", "media_id", "thumb_media_id")  # what a reply gives to later requests


class Exchange(NamedTuple):
    """A request of the recording, the token it was made with, and the account's reply."""

    request: Request
    token: str
    reply: Reply

    @property
    def accepted(self) -> bool:
        return 200 <= self.reply.status < 300 and not errcode_of(self.reply)

    @property
    def fields(self) -> dict[str, Any]:
        """What was asked, in the query or as JSON."""
        return {**dict(self.request.query), **fields_of(bytes(self.request.body or b""))}

    @property
    def media_ids(self) -> Iterator[str]:
        part = self.fields.get(str(self.fields.get("msgtype")))
        for place in (self.fields, part if isinstance(part, dict) else {}):
            yield from (str(place[name]) for name in ("media_id", "thumb_media_id") if place.get(name))


def read_recording(path: str) -> list[Exchange]:
    """Return the exchanges of a cassette; raise ValueError, in two languages, if it is none or PyYAML is missing."""
    try:
        import yaml
    except ModuleNotFoundError:
        raise ValueError(
            "--cassette needs the package PyYAML: pip install pyyaml\n--cassette 需要 PyYAML 包：pip install pyyaml"
        ) from None
    found, reason = None, ("it is not a recording of VCR", "不是 VCR 的录制文件")
    try:
        found = yaml.load(Path(path).read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        return [_exchange(one["request"], one["response"]) for one in found["interactions"]]
    except OSError as e:
        reason = reason_of(e)
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        pass  # what is wrong with it may quote a secret
    found = None  # it may hold secrets, and this frame may be shown
    raise ValueError(f"the cassette cannot be read: {reason[0]}\n无法读取录制文件：{reason[1]}")


def _exchange(request: Mapping[str, Any], response: Mapping[str, Any]) -> Exchange:
    parts = urlsplit(request["uri"])
    query = parse_qsl(parts.query, keep_blank_values=True)
    body, method = request["body"], str(request["method"])
    content_type = _headers(request["headers"]).get("content-type", "")
    if not (re.fullmatch("[A-Z]{1,16}", method) and content_type.isprintable()):
        raise ValueError("no request")
    asked = Request(
        method,
        parts.path,
        tuple(pair for pair in query if pair[0] != "access_token"),
        None if body is None else _bytes(body),
        content_type or None,
        gives="media",  # the most that a reply may be
    )
    reply = Reply(
        int(response["status"]["code"]), _headers(response["headers"]), _bytes(response["body"]["string"] or b"")
    )
    return Exchange(asked, hide(dict(query).get("access_token")), reply)


def _headers(found: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): str(value[0] if isinstance(value, list) else value) for name, value in found.items()}


def _bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    raise ValueError("neither text nor bytes")


def secrets_of(exchanges: Sequence[Exchange]) -> list[str]:
    """Return what must not be printed of a recording, whose secrets may not have been replaced."""
    found = [hide(one.token) for one in exchanges]
    for one in exchanges:
        for fields in (one.fields, fields_of(one.reply.body)):
            found += [hide(fields.get(name)) for name in ("appid", "secret", "touser", *_GIVEN)]
    return list(dict.fromkeys(found))


def replayed(exchanges: Sequence[Exchange]) -> Iterator[Compared]:
    """Send each request of a recording to a new sandbox, once and in order, and yield both replies."""
    stage = _Stage(exchanges)
    for number, one in enumerate(exchanges, 1):
        yield Compared(f"{number} {one.request.method} {one.request.path}", one.request.path, one.reply, stage.ask(one))


class _Stage:
    """The sandbox of a replay: its account is the recording's, and what it gives stands for what the account gave."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        appids = (one.fields.get("appid") for one in exchanges if errcode_of(one.reply) not in _BAD_APPID)
        secrets = (one.fields.get("secret") for one in exchanges if one.accepted)
        named = (("appid", appids), ("secret", secrets))
        given = {name: hide(next((value for value in values if value), None)) for name, values in named}
        self._sandbox = Sandbox(**{name: value for name, value in given.items() if value})  # type: ignore[arg-type]
        self._pool = self._sandbox.pool()
        self._stands_for: dict[str, str] = {}  # the sandbox's value for the account's
        self._sent: Counter[str] = Counter()
        self._good = {one.token for one in exchanges if one.token and errcode_of(one.reply) not in _BAD_TOKEN}
        for openid in [one.fields.get("touser") for one in exchanges if one.accepted]:
            if well_formed(openid):
                self._sandbox.user(openid).says("…")

    def ask(self, one: Exchange) -> Reply:
        """Return the sandbox's reply to the request."""
        self._explain(one)
        token = self._stands_for.get(one.token, one.token)
        reply = perform(self._pool, Token(token) if token else None, self._translated(one.request))
        for theirs, ours in self._given(one.reply, reply):
            self._stands_for[theirs] = hide(ours)
        return reply

    def _explain(self, one: Exchange) -> None:
        """Do what must have happened before this request, or the account would not have accepted it."""
        if one.token in self._good - self._stands_for.keys():
            account = endpoints.stable_token(self._sandbox.appid, self._sandbox.secret)
            self._stands_for[one.token] = hide(fields_of(perform(self._pool, None, account).body)["access_token"])
        touser = str(one.fields.get("touser"))
        if errcode_of(one.reply) == _MALFORMED and _PLACEHOLDER.fullmatch(touser):
            self._stands_for[touser] = "not an openid"  # which the placeholder does not show
        if not one.accepted:
            return
        if well_formed(touser) and "msgtype" in one.fields:
            if self._sent[touser] and not self._sent[touser] % _MESSAGES:
                self._sandbox.user(touser).says("…")
            self._sent[touser] += 1
        for media_id in set(one.media_ids) - self._stands_for.keys():
            picture = one.reply.body if one.request.method == "GET" else PICTURE
            self._stands_for[media_id] = self._sandbox.user(_SOMEBODY).sends_image(picture).fields["MediaId"]

    def _translated(self, request: Request) -> Request:
        """Return the request with the sandbox's values in place of the account's."""
        query = tuple((name, self._stands_for.get(value, value)) for name, value in request.query)
        body = bytes(request.body or b"")
        if not fields_of(body):
            return request._replace(query=query)
        given = self._stands_for
        text = re.sub(
            r'"([^"\\]+)"', lambda found: f'"{given.get(found[1], found[1])}"', body.decode(errors="surrogateescape")
        )
        return request._replace(query=query, body=text.encode(errors="surrogateescape"))

    def _given(self, theirs: Reply, ours: Reply) -> Iterator[tuple[str, str]]:
        """Yield each value that both replies give to later requests: the account's, and the sandbox's."""
        account, sandbox = fields_of(theirs.body), fields_of(ours.body)
        for name in _GIVEN:
            if isinstance(account.get(name), str) and isinstance(sandbox.get(name), str):
                yield account[name], sandbox[name]
        rids = [RID.search(str(fields.get("errmsg", ""))) for fields in (account, sandbox)]
        if rids[0] and rids[1]:
            yield rids[0][0], rids[1][0]
