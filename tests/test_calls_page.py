"""The page of all other calls: each of its lines runs, on the sandbox and against what is published."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import wxcs_lite
from tests.hostile import Server, answers, reply
from tests.test_published import EXCHANGES
from wxcs_lite import ApiError, call, clear_quota, endpoints, fetch_token, upload
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox import Sandbox

FOLDER = Path(wxcs_lite.__file__).parents[1] / "notebooks" / "recipes"
PAGES = ("calls.md", "calls.zh-CN.md")


class Line(NamedTuple):
    """One row of a table, and the number of the table that it stands in."""

    table: int
    path: str
    code: str


def lines(name: str) -> Iterator[Line]:
    for number, section in enumerate((FOLDER / name).read_text("utf-8").split("\n## ")):
        for path, code in re.findall(r"^\| [^|]+ \| `(/[^`]+)` \| `([^`]+)` \|$", section, re.MULTILINE):
            yield Line(number, path, code)


LINES = list(lines("calls.md"))
OFFICIAL = max(line.table for line in LINES)  # the last table: a Mini Program is refused
REFUSED = {48001, 40097}
NAMES = {"appid": "APPID", "secret": "made-up", "media_id": "MEDIA_ID", "corpid": "wwee11111xxxxxxx"}
NAMES["kf_openid"] = "KF_OPENID"


def run(code: str, pool: Pool, token: str, **names: str) -> Any:
    return eval(code, {"call": call, "clear_quota": clear_quota, "pool": pool, "token": token, **NAMES, **names})


def published(path: str, method: str) -> list[dict[str, Any]]:
    found = (one for one in EXCHANGES.values() if one["request"]["path"] == path)
    return [one for one in found if one["request"]["method"] == method]


def test_both_languages_have_the_same_lines() -> None:
    """Table by table."""
    assert LINES == list(lines("calls.zh-CN.md"))
    assert len(LINES) > 25


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.code)
def test_the_line_makes_the_published_request_and_reads_the_reply(line: Line) -> None:
    """Method and path, the names of its fields where a request is printed, and the printed reply as its value."""
    with Server(answers(reply())) as server, server.pool() as pool:
        run(line.code, pool, "80_made-up")
    method, target, _ = server.last.start.split(" ")
    path, _, query = target.partition("?")
    assert line.path == path
    examples = published(path, method)
    if not examples:
        assert path in UNPRINTED
        return
    fields = set(json.loads(server.last.body)) if server.last.body else set()
    fields |= {pair.partition("=")[0] for pair in query.split("&")}
    asked = [{*one["request"].get("body_json", {}), *one["request"].get("query", {})} for one in examples]
    assert fields in asked
    answered = examples[asked.index(fields)]["response"]["body_json"]
    with Server(answers(reply(json.dumps(answered).encode()))) as server, server.pool() as pool:
        assert answered == run(line.code, pool, "80_made-up")


# Of these the fields are published, and no whole request; their twins have the same form.
UNPRINTED = {
    "/cgi-bin/business/list",
    "/customservice/work/get",
    "/cgi-bin/customservice/getonlinekflist",
    "/customservice/kfaccount/canceladmin",
    "/customservice/kfaccount/inviteworker",
    "/customservice/kfsession/close",
}


def test_the_lines_run_on_the_sandbox() -> None:
    """In the order of the page, on one account: what is registered is found, who was added is removed."""
    sandbox = Sandbox()
    pool = sandbox.pool()
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    sandbox.push_to(application, token="madeUp")
    names = {
        "appid": sandbox.appid,
        "secret": sandbox.secret,
        "media_id": upload(pool, token, b"\xff\xd8\xff\xe0 made up").media_id,
    }
    for line in LINES:
        if line.table == OFFICIAL:
            with pytest.raises(ApiError) as caught:
                run(line.code, pool, token, **names)
            assert caught.value.errcode in REFUSED
            continue
        found = run(line.code, pool, token, **names)
        assert 0 == found.get("errcode", 0)
        for agent in found.get("kf_list", []):
            names["kf_openid"] = agent["kf_openid"]
    assert [] == call(pool, token, "/cgi-bin/customservice/getkflist")["kf_list"]
    assert {"errcode": 0} == call(pool, token, "/customservice/work/get")


def application(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
    return [query.get("echostr", "success").encode()]


def test_every_published_call_without_a_function_is_on_the_page() -> None:
    """A reader who looks for one finds it."""
    functions = {request.path for request in (endpoints.get_quota(), endpoints.get_rid("R"), endpoints.download("M"))}
    functions |= {endpoints.get_callback_ip().path, endpoints.stable_token("A", "S").path, "/cgi-bin/media/upload"}
    paths = {one["request"]["path"] for one in EXCHANGES.values()} - functions - {"/cgi-bin/token"}
    assert set() == {path for path in paths if "/message/custom/" not in path} - {line.path for line in LINES}
