"""WeChat cloud hosting (微信云托管), both ends: in process, over HTTP, through push_app, and as it is published."""

import io
import json
import logging
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, cast

import pytest
import urllib3

import wxcs_lite
from tests.hostile import Server, answers, reply
from wxcs_lite import (
    ApiError,
    BadReply,
    CloudbaseToken,
    FromAppid,
    TokenRejected,
    call,
    download,
    endpoints,
    explain,
    fetch_token,
    fresh_cloudbase_token,
    open_pool,
    perform,
    send,
    set_typing,
    showing_typing,
    stream,
    text,
    upload,
)
from wxcs_lite.bot import echo_bot
from wxcs_lite.pools import Pool
from wxcs_lite.push import SUCCESS, Push, push_app
from wxcs_lite.sandbox import Sandbox, sunset

PUBLISHED = json.loads(Path(__file__).with_name("cloud_vectors.json").read_text("utf-8"))
RECIPE = Path(wxcs_lite.__file__).parents[1] / "notebooks" / "recipes" / "cloud_hosting"
SEND = "/cgi-bin/message/custom/send"
HELLO = text("ann", "你好")
OTHER = "wx0123456789abcdef"
ID = re.compile("x-openapi-seqid: [0-9a-f]{32}")

Door = Callable[[Sandbox], Any]


@contextmanager
def in_process(sandbox: Sandbox) -> Iterator[Pool]:
    with sandbox.pool() as pool:
        yield pool


@contextmanager
def over_http(sandbox: Sandbox) -> Iterator[Pool]:
    with sandbox.serve() as url, open_pool(url) as pool:
        yield pool


@contextmanager
def through_a_gateway(sandbox: Sandbox) -> Iterator[Pool]:
    """A gateway of one's own, whose path comes before the call's."""

    def passed_on(heard: Any) -> bytes:
        method, target, _ = heard.start.split(" ")
        assert target.startswith("/wx/")
        got = inside.request(method, target[3:], body=heard.body or None, headers=heard.headers, retries=False)
        return reply(
            got.data, f"{got.status} ", *(f"{name}: {value}" for name, value in got.headers.items() if "seq" in name)
        )

    with sandbox.pool() as inside, Server(answers(passed_on)) as server, open_pool(f"{server.url}/wx") as pool:
        yield pool


DOORS: dict[str, Door] = {"in process": in_process, "over HTTP": over_http, "through a gateway": through_a_gateway}
every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)


def published(kind: str, one: str) -> Any:
    return next(entry for entry in PUBLISHED[kind] if entry["id"] == one)


def container(**switches: Any) -> Sandbox:
    """A sandbox whose customer ann has just written."""
    sandbox = Sandbox(**{"cloud_hosting": ["/*"], **switches})
    sandbox.user("ann").says("hello?")
    return sandbox


def refused(call: Callable[[], object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value


# Calls


@every_door
def test_every_call_is_made_without_a_token(door: Door) -> None:
    """The whole job: typing, text, pictures up and down; what leaves holds no token."""
    sandbox = container()
    photo = sandbox.user("ann").sends_image(sunset()).fields["MediaId"]
    with door(sandbox) as pool:
        with showing_typing(pool, None, "ann"):
            assert {"errcode": 0, "errmsg": "ok"} == send(pool, None, HELLO)
        picture = download(pool, None, photo)
        with stream(pool, None, photo) as chunks:
            assert picture.content == b"".join(chunks)
        uploaded = upload(pool, None, picture.content)
        send(pool, None, wxcs_lite.image("ann", uploaded.media_id))
        assert 45081 == refused(lambda: [set_typing(pool, None, "ann") for _ in "12"]).errcode
        assert {"ip_list": ["127.0.0.1"]} == wxcs_lite.get_callback_ip(pool, None)
        assert wxcs_lite.get_quota(pool, None)["quota"]
    assert ["text", "image"] == [one.message["msgtype"] for one in sandbox.user("ann").inbox]


@every_door
def test_a_reply_that_was_relayed_says_so(door: Door) -> None:
    """On success in its headers, on refusal as a note of the error."""
    sandbox = container()
    with door(sandbox) as pool:
        assert re.fullmatch("[0-9a-f]{32}", perform(pool, None, endpoints.send(HELLO)).headers["x-openapi-seqid"])
        error = refused(lambda: send(pool, None, text("nobody", "hello")))
    assert 45015 == error.errcode
    assert ID.fullmatch(error.__notes__[0])


def test_what_leaves_is_what_is_published() -> None:
    """Without a token; and with the one of the file, in its own parameter."""
    plain, file, medium = (
        published("exchanges", one)["request"]
        for one in ("cloud-send-no-token", "cloud-send-cloudbase-token", "cloud-media-upload-no-token")
    )
    request = endpoints.send(plain["body_json"])
    assert plain["url"] == "http://api.weixin.qq.com" + request.url(None)
    assert plain["body_json"] == json.loads(cast(bytes, request.body))
    assert f"{file['path']}?cloudbase_access_token=" + "CLOUDBASE_ACCESS_TOKEN" == request.url(
        CloudbaseToken(file["query"]["cloudbase_access_token"])
    )
    assert medium["url"].removeprefix("http://api.weixin.qq.com") == endpoints.upload(b"\xff\xd8\xff").url(None)


@pytest.mark.parametrize("one", ["cloud-send-no-token", "cloud-media-upload-no-token"])
def test_the_sandbox_answers_as_published(one: str) -> None:
    """The kinds of its fields, and the relay's header; an upload's errcode and `item` are of different years."""
    entry = published("exchanges", one)
    sandbox = container()
    sandbox.user("OPENID").says("hello?")
    with sandbox.pool() as pool:
        if "body_json" in entry["request"]:
            got = perform(pool, None, endpoints.send(entry["request"]["body_json"]))
        else:
            got = perform(pool, None, endpoints.upload(sunset()))
    expected, found = entry["response"]["body_json"], json.loads(got.body)
    assert "x-openapi-seqid" in got.headers
    assert {"item"} >= expected.keys() - found.keys()
    assert {"errcode", "errmsg"} >= found.keys() - expected.keys()
    assert [type(expected[name]) for name in expected.keys() & found] == [
        type(found[n]) for n in expected.keys() & found
    ]


def test_the_list_of_paths_is_read_and_written_with_call() -> None:
    """The published exchange, by the one function for other calls."""
    entry = published("exchanges", "cloud-whitelist-get")
    body = json.dumps(entry["response"]["body_json"]).encode()
    with Server(answers(reply(body))) as server, server.pool() as pool:
        found = call(pool, "ACCESS_TOKEN", entry["request"]["path"], entry["request"]["body_json"])
    assert entry["response"]["body_json"] == found
    assert "/tcb/usecloudaccesstoken?access_token=ACCESS_TOKEN" == server.last.target


@every_door
def test_a_path_that_is_not_in_the_list_is_refused(door: Door) -> None:
    """With WeChat's own text, and advice that names the place in the console."""
    sandbox = container(cloud_hosting=["/cgi-bin/message/custom/typing"])
    with door(sandbox) as pool:
        set_typing(pool, None, "ann")
        error = refused(lambda: send(pool, None, HELLO))
        by_file = refused(lambda: send(pool, CloudbaseToken(sandbox.cloudbase_token), HELLO))
    assert published("errors", "cloud-85107")["response"]["body_json"]["errmsg"] == error.errmsg.partition(" rid: ")[0]
    assert [85107, 85107] == [error.errcode, by_file.errcode]
    assert "云调用 > 微信令牌权限配置" in error.en
    assert "云调用 > 微信令牌权限配置" in error.zh
    assert not error.maybe_sent


@every_door
def test_outside_none_is_answered_as_a_missing_token(door: Door) -> None:
    """And so it is inside while the relay is off: the advice names both, and a forgotten variable."""
    sandbox = Sandbox()
    with door(sandbox) as pool:
        error = refused(lambda: send(pool, None, HELLO))
        assert 41001 == refused(lambda: send(pool, CloudbaseToken("made-up"), HELLO)).errcode
    assert 41001 == error.errcode
    assert not hasattr(error, "__notes__")
    assert all(word in str(error.advice) for word in ("environment variable", "开放接口服务", "环境变量"))


@every_door
def test_in_a_shared_environment_the_call_names_its_account(door: Door) -> None:
    """Without from_appid it runs for the environment's owner, and is refused."""
    sandbox = container(cloud_shared=True)
    with door(sandbox) as pool:
        send(pool, FromAppid(sandbox.appid), HELLO)
        errors = [refused(lambda one=one: send(pool, one, HELLO)) for one in (None, FromAppid(OTHER))]  # type: ignore[misc]
    assert [48001, 48001] == [error.errcode for error in errors]
    assert "FromAppid(appid)" in errors[0].en
    assert "FromAppid(appid)" in errors[0].zh
    assert 1 == len(sandbox.user("ann").inbox)


@every_door
def test_from_appid_of_another_account_is_refused_elsewhere_too(door: Door) -> None:
    """The sandbox has one account."""
    sandbox = container()
    with door(sandbox) as pool:
        send(pool, FromAppid(sandbox.appid), HELLO)
        assert 48001 == refused(lambda: send(pool, FromAppid(OTHER), HELLO)).errcode


@every_door
def test_the_token_of_the_file_stands_for_an_access_token(door: Door, tmp_path: Path) -> None:
    """Renewed every ten minutes, valid for thirty; no relay takes part."""
    sandbox, file = container(), tmp_path / "cloudbase_access_token"
    token = fresh_cloudbase_token(file, clock=sandbox.clock)
    with door(sandbox) as pool:
        file.write_text(sandbox.cloudbase_token)
        first = token()
        assert "x-openapi-seqid" not in perform(pool, first, endpoints.send(HELLO)).headers
        sandbox.advance(600)
        file.write_text(sandbox.cloudbase_token)
        assert first != token()
        send(pool, token(), HELLO)
        send(pool, first, HELLO)
        sandbox.advance(1200)
        with pytest.raises(TokenRejected, match="42001"):
            send(pool, first, HELLO)
        assert "'…'" == repr(sandbox.cloudbase_token)


@every_door
def test_the_token_of_the_file_is_no_access_token(door: Door) -> None:
    """As a plain str it goes out as one, and comes back as 40001."""
    sandbox = container()
    with door(sandbox) as pool:
        error = refused(lambda: send(pool, str(sandbox.cloudbase_token), HELLO))
        unknown = refused(lambda: send(pool, CloudbaseToken("made-up"), HELLO))
    assert published("errors", "cloud-token-in-wrong-parameter")["response"]["body_json"]["errcode"] == error.errcode
    assert 40001 == unknown.errcode
    assert "CloudbaseToken" in error.advice.cause
    assert "CloudbaseToken" in error.advice.cause_zh


@every_door
def test_a_token_of_ones_own_goes_its_own_way(door: Door) -> None:
    """It needs no relay and no list (which is inferred); once it is stale the advice is to pass None."""
    sandbox = container(cloud_hosting=[])
    with door(sandbox) as pool:
        token = fetch_token(pool, sandbox.appid, sandbox.secret)
        send(pool, token, HELLO)
        sandbox.advance(7200)
        error = refused(lambda: send(pool, token, HELLO))
    assert 42001 == error.errcode
    assert "inside cloud hosting pass None" in error.en
    assert "云托管内请改传 None" in error.zh


@every_door
@pytest.mark.parametrize("one", ["cloud-41001", "cloud-48001", "cloud-85112"])
def test_a_published_failure_is_explained(one: str, door: Door) -> None:
    """With its errcode and what to do; nothing was sent."""
    body = published("errors", one)["response"]["body_json"]
    sandbox = container()
    sandbox.fail_next(errcode=body["errcode"])
    with door(sandbox) as pool:
        error = refused(lambda: send(pool, None, HELLO))
    assert body["errcode"] == error.errcode
    assert re.sub(r",? rid: .*", "", body["errmsg"]) == re.sub(r",? rid: .*", "", error.errmsg)
    assert "not in the catalogue" != error.advice.meaning
    assert [] == list(sandbox.user("ann").inbox)


@every_door
def test_the_relays_502_is_no_success(door: Door) -> None:
    """It has no errcode."""
    response = published("errors", "cloud-502-openapi-proxy")["response"]
    sandbox = container()
    sandbox.fail_next(reply=(502, response["headers"], json.dumps(response["body_json"]).encode()))
    with door(sandbox) as pool, pytest.raises(BadReply) as caught:
        send(pool, None, HELLO)
    assert 502 == caught.value.status
    assert "云调用 > 微信令牌权限配置" in caught.value.en
    assert ["x-openapi-seqid: SEQID"] == caught.value.__notes__


@pytest.mark.parametrize("errcode", [41001, 42001, 48001, 40164, 85107, 85112, 85113])
def test_the_catalogue_speaks_of_cloud_hosting(errcode: int) -> None:
    """In both languages."""
    known = explain(errcode)
    english, chinese = (known.meaning, known.cause, known.remedy), (known.meaning_zh, known.cause_zh, known.remedy_zh)
    assert re.search("[Cc]loud hosting", " ".join(english))
    assert re.search("云托管|平台故障", " ".join(chinese))


def test_a_rid_shows_no_token_of_the_file() -> None:
    """The sandbox notes a refused call as WeChat does, and cuts every token short."""
    sandbox = container(cloud_hosting=["/cgi-bin/openapi/rid/get"])
    token = CloudbaseToken(sandbox.cloudbase_token)
    with sandbox.pool() as pool:
        rid = refused(lambda: send(pool, token, HELLO)).rid
        # By hand, because get_rid takes a token out by itself.
        noted = pool.request("POST", "/cgi-bin/openapi/rid/get", json={"rid": rid}).json()["request"]["request_url"]
    assert str(token) not in noted
    assert "cloudbase_access_token" in noted


# Pushes


class Handler:
    def __init__(self) -> None:
        self.pushes: list[Push] = []

    def __call__(self, push: Push) -> None:
        self.pushes.append(push)


@pytest.mark.parametrize("format", ["json", "xml"])
def test_what_customers_do_arrives_in_the_container(format: Any) -> None:
    """After the check of the path, with the platform's header and no signature; MsgId keeps all its digits."""
    handler, sandbox = Handler(), Sandbox(cloud_hosting=["/*"])
    with sandbox.push_to(push_app(handler, cloud_hosting=True), format=format) as pushes:
        events = [
            sandbox.user("ann").says("你好"),
            sandbox.user("ann").sends_image(sunset()),
            sandbox.user("ann").enters_session("shop"),
        ]
    assert ["text", "image", "event"] == [push.MsgType for push in handler.pushes]
    assert [event.msg_id for event in events[:2]] == [push.MsgId for push in handler.pushes[:2]]
    assert handler.pushes[0].MsgId > 2**53  # type: ignore[operator]
    assert ["success"] * 3 == [pushed.answer for pushed in pushes.log]
    sent = pushes.log[0].request
    assert () == sent.query
    assert {"x-wx-source", "x-wx-appid", "x-wx-env", "content-type"} == set(sent.headers)
    assert set(published("inbound_push", "cloud-hosting-text")["headers"]) == set(sent.headers)


def test_a_bot_answers_without_any_token() -> None:
    """The bot that is to be copied, with a credential that is None."""
    sandbox = Sandbox(cloud_hosting=["/*"])
    with sandbox.pool() as pool:
        bot = echo_bot(pool, lambda rejected=None: None)
        with sandbox.push_to(push_app(bot, cloud_hosting=True)):
            sandbox.user("ann").says("你好")
            sandbox.user("ann").sends_image(sunset())
    assert ["text", "image"] == [one.message["msgtype"] for one in sandbox.user("ann").inbox]


def test_the_log_of_a_bot_has_the_id_of_the_relay(caplog: pytest.LogCaptureFixture) -> None:
    """Like a rid: for the ticket."""
    sandbox = Sandbox(cloud_hosting=["/cgi-bin/message/custom/typing"])
    with sandbox.pool() as pool, caplog.at_level(logging.ERROR, "wxcs_lite.push"):
        app = push_app(echo_bot(pool, lambda rejected=None: None), cloud_hosting=True)
        with sandbox.push_to(app):
            sandbox.user("ann").says("你好")
    assert "85107" in caplog.text
    assert ID.search(caplog.text)


def test_the_published_push_is_read() -> None:
    """Its MsgId is past 2^53, and keeps all digits."""
    entry = published("inbound_push", "cloud-hosting-text")
    handler = Handler()
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in entry["headers"].items()}
    body = json.dumps(entry["body_json"]).encode()
    assert (200, SUCCESS) == ask(push_app(handler, cloud_hosting=True), body, **headers)
    assert [entry["body_json"]] == [push.fields for push in handler.pushes]


@pytest.mark.parametrize("one", ["cloud-run-path-check-json", "cloud-hosting-path-check-xml"])
def test_the_published_check_of_the_path_is_answered(one: str) -> None:
    """With status 200 and success, and no handler is called."""
    entry = published("inbound_push", one)
    body = entry["body_xml"].encode() if "body_xml" in entry else json.dumps(entry["body_json"]).encode()
    handler = Handler()
    assert (200, published("push_replies", "cloud-hosting-success")["body_text"].encode()) == ask(
        push_app(handler, cloud_hosting=True), body, HTTP_X_WX_SOURCE="other"
    )
    assert [] == handler.pushes


def ask(app: Any, body: bytes, query: str = "", method: str = "POST", **environ: str) -> tuple[int, bytes]:
    said: list[int] = []
    full: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": query, **environ}
    full |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    content = b"".join(app(full, lambda status, headers: said.append(int(status[:3]))))
    return said[0], content


# The recipe


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_what_the_recipe_says_to_try_runs(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word, over HTTP, in the recipe's directory."""
    monkeypatch.syspath_prepend(RECIPE)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    monkeypatch.setenv("WXCS_BASE_URL", "")
    monkeypatch.delenv("WXCS_APPID", raising=False)
    out, names = io.StringIO(), dict[str, Any]()
    with redirect_stdout(out):
        exec(tried(page), names)
    assert ["您说的是：你好"] == [one.message["text"]["content"] for one in names["sandbox"].user("ann").inbox]
    sys.modules.pop("app").pool.close()


def tried(page: str) -> str:
    found = re.search(r"<!-- try -->\n```python\n(.*?)```", (RECIPE / page).read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_both_pages_of_the_recipe_show_the_same() -> None:
    """Its code, its paths, and as many rows in each table."""
    pages = [(RECIPE / page).read_text("utf-8") for page in ("README.md", "README.zh-CN.md")]
    codes = [
        [re.sub(r"\s*#.*", "", line) for line in tried(page).splitlines()] for page in ("README.md", "README.zh-CN.md")
    ]
    assert codes[0] == codes[1]
    for pattern in (r"`(/cgi-bin/[a-z/]+)`", r"(?m)^\|", r"\b\d{5}\b"):
        assert sorted(re.findall(pattern, pages[0])) == sorted(re.findall(pattern, pages[1]))


@pytest.mark.parametrize("shared", [False, True])
def test_the_recipes_image_runs_the_bot(shared: bool, tmp_path: Path) -> None:
    """The files that the Dockerfile copies exist, and its command runs the bot; in a shared environment too."""
    lines = (RECIPE / "Dockerfile").read_text("utf-8").splitlines()
    copied = next(line for line in lines if line.startswith("COPY ")).split()[1:-1]
    assert ["wxcs_lite-*.whl", "app.py"] == copied  # the wheel is made from this project
    shutil.copy(RECIPE / "app.py", tmp_path)
    program, *arguments = json.loads(next(line for line in lines if line.startswith("CMD ")).removeprefix("CMD "))
    assert "waitress-serve" == program
    sandbox = Sandbox(cloud_hosting=[SEND], cloud_shared=shared)
    with sandbox.serve() as url, running(arguments, tmp_path, url, sandbox.appid if shared else "") as bot:
        with sandbox.push_to(bot) as pushes:
            sandbox.user("ann").says("你好")
        assert ["success"] == [pushed.answer for pushed in pushes.log]
    assert ["您说的是：你好"] == [one.message["text"]["content"] for one in sandbox.user("ann").inbox]


@contextmanager
def running(arguments: list[str], folder: Path, url: str, appid: str) -> Iterator[str]:
    """Run waitress in a process of its own until the block ends; gives the bot's URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [one.replace("0.0.0.0:80", f"127.0.0.1:{port}") for one in arguments]
    environment = {"WXCS_BASE_URL": url, "WXCS_APPID": appid, "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "waitress", *arguments], cwd=folder, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        bot = f"http://127.0.0.1:{port}/"
        ends = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < ends:
            try:
                urllib3.request("GET", bot, retries=False, timeout=5)
                break
            except urllib3.exceptions.HTTPError:
                time.sleep(0.05)  # it is starting
        yield bot
    finally:
        process.terminate()
        process.wait(10)


def test_the_recipe_names_what_the_catalogue_explains() -> None:
    """Each errcode of its table has a row, and a place in the sandbox."""
    table = (RECIPE / "README.md").read_text("utf-8")
    for errcode in {int(code) for code in re.findall(r"^\| (\d{5})", table, re.MULTILINE)}:
        assert "not in the catalogue" != explain(errcode).meaning
