"""The desk: every button is a method, and each of them does what it says, once, in plain sight."""

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import urllib3

from wxcs_lite.fresh import fresh_token
from wxcs_lite.held import Held
from wxcs_lite.panel import Desk
from wxcs_lite.panel.previews import as_python
from wxcs_lite.panel.texts import words
from wxcs_lite.push import Push
from wxcs_lite.sandbox import CustomerEvent, Sandbox, Seen, sunset
from wxcs_lite.secret import CloudbaseToken, FromAppid, hide_if_str
from wxcs_lite.transport import fetch_token

EN, ZH = words("en"), words("zh")
SEND, TYPING, UPLOAD = "/cgi-bin/message/custom/send", "/cgi-bin/message/custom/typing", "/cgi-bin/media/upload"


def picked(file: Any, content: bytes, name: str = "sun.png") -> None:
    """Do to a FileUpload what the browser does."""
    about = {"name": name, "type": "image/png", "size": len(content), "last_modified": 0}
    file.set_state({"value": [{**about, "content": memoryview(content)}]})


class Stage:
    """A desk on a sandbox, with all requests that left."""

    def __init__(self, **settings: Any) -> None:
        self.sandbox = Sandbox()
        self.seen: list[Seen] = []
        self.pool = self.sandbox.pool(on_request=self.seen.append)
        token = fresh_token(self.pool, self.sandbox.appid, self.sandbox.secret, clock=self.sandbox.clock)
        self.desk = Desk(self.pool, token, clock=self.sandbox.clock, **settings)
        self.view = self.desk.view
        self.ann = self.sandbox.user("ann")

    def comes(self, event: CustomerEvent) -> None:
        """Let the desk receive what a customer did."""
        fields = {"FromUserName": event.openid, "MsgType": event.kind, "CreateTime": int(event.at), **event.fields}
        self.desk.receive(Push(fields))

    def fill(self, kind: str, **fields: str) -> None:
        self.view.forms.kind.value = kind
        for name, value in fields.items():
            self.view.forms.fields[kind][name].value = value

    def pick(self, content: bytes, name: str = "sun.png") -> None:
        picked(self.view.medium.file, content, name)

    def calls(self, path: str) -> int:
        return sum(seen.path == path for seen in self.seen)

    @property
    def status(self) -> str:
        return str(self.view.status.value)


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(touser="ann")
    yield made
    made.desk.close()


def test_a_text_goes_out_and_the_form_is_emptied(stage: Stage) -> None:
    """One request, one message, and the words say so."""
    stage.comes(stage.ann.says("hello?"))
    stage.fill("text", content="您好")
    stage.desk.send()
    assert ["您好"] == [delivered.message["text"]["content"] for delivered in stage.ann.inbox]
    assert 1 == stage.calls(SEND)
    assert "" == stage.view.forms.fields["text"]["content"].value
    assert EN["sent"].format(touser="ann") in stage.status
    assert "4 of 5 left, 48 h 0 min" in stage.view.window.value


def test_a_refused_message_stays_in_the_form(stage: Stage) -> None:
    """With errcode, cause, remedy and rid in view."""
    stage.fill("text", content="您好")
    stage.desk.send()
    assert "您好" == stage.view.forms.fields["text"]["content"].value
    for wanted in ("45015", "Cause", "Do", "Retry", "rid"):
        assert wanted in stage.status
    assert "not sent: 45015" in stage.view.log.value


def test_an_expired_window_is_said_before_and_explained_after(stage: Stage) -> None:
    """The window is advice: it never locks Send."""
    stage.comes(stage.ann.says("hello?"))
    stage.sandbox.advance(48 * 3600 + 1)
    stage.fill("text", content="too late")
    stage.desk.refresh()  # as each second does
    assert EN["window_closed"] in stage.view.window.value
    assert stage.view.buttons["send"].disabled is False
    stage.desk.send()
    assert 1 == stage.calls(SEND)
    assert "45015" in stage.status


def test_a_key_draws_the_message_and_nothing_else(stage: Stage) -> None:
    """However long the history has become, typing costs the same: history and window are drawn each second."""
    stage.comes(stage.ann.says("hello?"))
    drawn = stage.view.log.value = stage.view.window.value = "drawn before"
    stage.fill("text", content="您好")
    assert "您好" in stage.view.look.value
    assert drawn == stage.view.log.value
    assert drawn == stage.view.window.value
    stage.desk.refresh()
    assert "hello?" in stage.view.log.value


def test_a_key_of_an_openid_draws_its_window_and_the_message(stage: Stage) -> None:
    """The history is of all customers, and stays."""
    stage.comes(stage.ann.says("hello?"))
    drawn = stage.view.log.value = "drawn before"
    stage.view.touser.value = ""
    assert EN["window_nobody"] in stage.view.window.value
    stage.view.touser.value = "ann"
    assert "5 of 5 left" in stage.view.window.value
    assert drawn == stage.view.log.value


def test_a_large_cover_does_not_travel_with_each_key_of_a_card(stage: Stage) -> None:
    """It is shown where it was picked; a picture message, in which nothing is typed, shows it in the preview, too."""
    large = sunset() + bytes(200_000)
    for kind, is_shown in (("image", True), ("miniprogrampage", False)):
        stage.view.forms.kind.value = kind
        stage.pick(large)
        stage.desk.upload()
        stage.view.forms.fields["miniprogrampage"]["title"].value = "t"
        stage.view.forms.fields["miniprogrampage"]["pagepath"].value = "pages/a"
        assert is_shown == ("data:image/png" in stage.view.look.value)
        assert "data:image/png" in stage.view.medium.seen.value


def test_the_latest_customers_are_offered(stage: Stage) -> None:
    """A hundred of them, the latest first; any other can be typed."""
    for number in range(120):
        stage.comes(stage.sandbox.user(f"c{number}").says("hello?"))
    stage.comes(stage.sandbox.user("c60").says("me again"))
    latest = ["c60", *(f"c{number}" for number in range(119, 19, -1) if number != 60)]
    assert tuple(latest) == stage.view.touser.options


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_image_link_and_card_go_out(lang: str) -> None:
    """Each form makes the message of its builder."""
    stage = Stage(touser="ann", lang=lang)
    stage.comes(stage.ann.says("hello?"))
    stage.view.forms.kind.value = "image"
    stage.pick(sunset())
    stage.desk.upload()
    stage.desk.send()
    stage.fill("link", title="t", description="d", url="https://a.cn/", thumb_url="https://a.cn/i.png")
    stage.desk.send()
    stage.fill("miniprogrampage", title="t", pagepath="pages/a")
    stage.pick(sunset())
    stage.desk.upload()
    stage.desk.send()
    assert ["image", "link", "miniprogrampage"] == [delivered.message["msgtype"] for delivered in stage.ann.inbox]
    assert stage.ann.inbox[0].picture == stage.ann.inbox[2].picture == sunset()
    assert "" == stage.view.medium.media_id.value
    stage.desk.close()


def test_raw_json_goes_out_as_it_is(stage: Stage) -> None:
    """The touser of the field is used where the JSON has none; an error in the JSON says where it is."""
    stage.comes(stage.ann.says("hello?"))
    stage.fill("raw", raw='{"msgtype": "text", "text": {"content": "raw"}}')
    stage.view.forms.ai_label.value = True
    stage.desk.send()
    (delivered,) = stage.ann.inbox
    assert {"content": "raw"} == delivered.message["text"]
    assert delivered.ai_label
    for broken, says in (("{", "line 1, column 2"), ("[]", EN["no_object"]), ("[" * 100_000, "line 1, column 1")):
        stage.fill("raw", raw=broken)
        assert escape(says) in stage.view.remarks.value
        stage.desk.send()
        assert escape(says) in stage.status
    assert 1 == stage.calls(SEND)


def test_raw_json_to_somebody_else_is_pointed_out(stage: Stage) -> None:
    """It may be intended, so it goes to the touser of the JSON; without a touser it is refused, and no more is said."""
    stage.comes(stage.ann.says("hello?"))
    stage.comes(stage.sandbox.user("ben").says("hello?"))
    other = EN["other_touser"].format(touser="'ben'")
    stage.view.touser.value = "ann"
    for named, is_said in (("", False), (None, False), ("ann", False), ("ben", True)):
        stage.fill("raw", raw=json.dumps({"touser": named, "msgtype": "text", "text": {"content": "hi"}}))
        assert is_said == (escape(f"touser: {other}") in stage.view.remarks.value)
        assert is_said == ("goes there" in stage.view.remarks.value)
    stage.desk.send()
    assert [0, 1] == [len(stage.sandbox.user(name).inbox) for name in ("ann", "ben")]


@pytest.mark.parametrize(
    "raw", ["{}", '{"msgtype": null}', '{"msgtype": ["text"]}', '{"msgtype": "image", "image": 1}']
)
def test_raw_json_in_the_making_is_no_error(stage: Stage, raw: str) -> None:
    """Each key of it is drawn, whatever it makes so far: remarks tell what is missing, the status stays."""
    before = stage.status
    for look in ("phone", "python", "http", "curl"):
        stage.view.look_kind.value = look
        stage.fill("raw", raw="")
        stage.fill("raw", raw=raw)
        assert before == stage.status
    assert "wxcs-warn" in stage.view.remarks.value


def test_raw_json_begins_with_what_the_form_says(stage: Stage) -> None:
    """So that the curious see their own message; what stands there already is kept."""
    stage.fill("text", content="hi")
    stage.view.forms.kind.value = "raw"
    raw = stage.view.forms.fields["raw"]["raw"]
    assert {"msgtype": "text", "text": {"content": "hi"}} == json.loads(raw.value)
    raw.value = "{}"
    stage.view.forms.kind.value = "link"
    stage.view.forms.kind.value = "raw"
    assert "{}" == raw.value


def test_the_form_says_bytes_and_remarks_as_it_is_typed(stage: Stage) -> None:
    """Advice, in the panel's language; an untouched form is not scolded."""
    assert 2 == stage.view.remarks.value.count("<div")
    stage.fill("text", content="好" * 700)
    assert "2100 of 2048 bytes" in stage.view.remarks.value
    assert "45002" in stage.view.remarks.value
    stage.fill("text", content="hi")
    assert EN["fine"] in stage.view.remarks.value
    stage.fill("miniprogrampage", title="t", pagepath="/pages/a")
    assert "thumb_media_id" in stage.view.remarks.value
    stage.view.medium.media_id.value = "MEDIA_ID"
    assert "begins with" in stage.view.remarks.value
    stage.desk.speak("zh")
    assert "开头" in stage.view.remarks.value


def test_an_image_form_that_is_begun_by_its_media_id(stage: Stage) -> None:
    """It has no field of its own."""
    stage.view.forms.kind.value = "image"
    assert EN["fine"] not in stage.view.remarks.value
    stage.view.medium.media_id.value = "MEDIA_ID"
    assert EN["fine"] in stage.view.remarks.value


def test_the_preview_shows_bubble_python_http_and_curl(stage: Stage) -> None:
    """Each as it will leave, and the token in none of them."""
    assert EN["look_empty"] in stage.view.look.value
    stage.fill("text", content="您好")
    assert "您好" in stage.view.look.value
    assert "none" == stage.view.code.layout.display
    for kind, wanted in (
        ("python", "send(pool, token, text('ann', '您好'))"),
        ("http", "access_token=***"),
        ("curl", "access_token=$WXCS_TOKEN"),
    ):
        stage.view.look_kind.value = kind
        assert wanted in stage.view.code.value
        assert "none" == stage.view.look.layout.display


def test_typing_counts_down_in_words(stage: Stage) -> None:
    """Fifteen seconds, or until it is hidden or a message goes out."""
    stage.comes(stage.ann.says("hello?"))
    stage.desk.show_typing()
    assert stage.ann.sees_typing
    assert escape(EN["typing_left"].format(seconds=15)) in stage.view.typing.value
    stage.sandbox.advance(4)
    stage.desk.refresh()
    assert escape(EN["typing_left"].format(seconds=11)) in stage.view.typing.value
    stage.desk.show_typing()
    assert "45081" in stage.status
    stage.desk.hide_typing()
    assert "" == stage.view.typing.value
    assert not stage.ann.sees_typing
    stage.desk.show_typing()
    stage.fill("text", content="hi")
    stage.desk.send()
    assert "" == stage.view.typing.value


def test_a_picture_is_seen_uploaded_and_lives_for_three_days(stage: Stage) -> None:
    """Its bytes leave the widget as soon as they are picked; the media_id says how long it works."""
    medium = stage.view.medium
    stage.pick(sunset())
    assert () == medium.file.value
    assert "data:image/png" in medium.seen.value
    assert "sun.png" in medium.seen.value
    stage.desk.upload()
    assert 1 == stage.calls(UPLOAD)
    assert medium.media_id.value
    assert 100 == medium.progress.value
    assert "Valid for another 72 h 0 min." in medium.life.value
    stage.view.forms.kind.value = "image"
    assert "data:image/png" in stage.view.look.value
    stage.sandbox.advance(3 * 86400)
    stage.desk.refresh()
    assert EN["media_gone"] in medium.life.value
    medium.media_id.value = "pasted"
    assert "" == medium.life.value


def test_a_path_goes_where_the_channel_ends(stage: Stage, tmp_path: Path) -> None:
    """The limit is said before anything is lost, and a picture near it says so, too."""
    medium, path = stage.view.medium, tmp_path / "sun.png"
    path.write_bytes(sunset())
    medium.path.value = str(path)
    assert "sun.png" in medium.seen.value
    stage.desk.upload()
    assert "sun.png" == stage.desk.history[-1]["filename"]
    assert stage.desk.history[-1]["bytes"] == len(sunset())
    assert "" == medium.path.value
    assert any(EN["pick_limit"] in child.value for child in medium.box.children if hasattr(child, "value"))
    stage.pick(sunset() + bytes(9_000_000))
    assert "9.0 MB is close to" in medium.seen.value
    assert "too large to be shown" in medium.seen.value
    medium.file.value = ()


def test_a_path_that_leads_nowhere(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload says what is wrong; a directory and a denied path too."""
    for path in (tmp_path / "none.png", tmp_path, Path("x" * 5000)):
        stage.view.medium.path.value = str(path)
        stage.desk.upload()
        assert "file: cannot be" in stage.status
    there = tmp_path / "sun.png"
    there.write_bytes(sunset())
    monkeypatch.setattr(Path, "read_bytes", lambda self: (_ for _ in ()).throw(PermissionError()))
    stage.view.medium.path.value = str(there)
    assert "" == stage.view.medium.seen.value
    stage.view.medium.clear()
    stage.desk.upload()
    assert EN["no_file"] in stage.status
    assert 0 == stage.calls(UPLOAD)


def test_what_was_uploaded_is_remembered_for_a_few_pictures_only(stage: Stage) -> None:
    """A long day at the desk does not fill the memory."""
    ids = []
    for _ in range(10):
        stage.pick(sunset())
        stage.desk.upload()
        ids.append(stage.view.medium.media_id.value)
    pictures = [stage.view.medium.picture({"msgtype": "image", "image": {"media_id": one}}) for one in ids]
    assert pictures[0] is None
    assert pictures[-1] == sunset()
    assert stage.view.medium.picture({"msgtype": "image"}) is None


def _is_asked_before_it_is_replaced(stage: Stage, folder: Path) -> None:
    """A first press says that a file is there, a second one replaces it; another path is asked about by itself."""
    for name in ("one.png", "two.png"):
        (folder / name).write_bytes(b"mine")
        stage.view.save_to.value = str(folder / name)
        stage.desk.save()
        assert "press &#x27;Save&#x27; again" in stage.status
        assert b"mine" == (folder / name).read_bytes()
    stage.desk.save()
    assert "Saved as" in stage.status
    assert (folder / "two.png").read_bytes() == sunset()
    assert b"mine" == (folder / "one.png").read_bytes()
    stage.desk.save()
    assert "press &#x27;Save&#x27; again" in stage.status
    (folder / "link.png").symlink_to(folder / "one.png")
    stage.view.save_to.value = str(folder / "link.png")
    stage.desk.save()
    assert "is a symbolic link" in stage.status


def test_a_customers_picture_is_downloaded_seen_and_saved(stage: Stage, tmp_path: Path) -> None:
    """Its media_id stands ready; saving is by path, or under WeChat's name."""
    stage.desk.save()
    assert EN["nothing_to_save"] in stage.status
    stage.comes(stage.ann.sends_image(sunset()))
    stage.view.more_download.value = True
    assert stage.view.download_id.value
    stage.desk.download()
    assert "data:image/png" in stage.view.downloaded.value
    stage.view.save_to.value = str(tmp_path / "saved.png")
    stage.desk.save()
    assert (tmp_path / "saved.png").read_bytes() == sunset()
    _is_asked_before_it_is_replaced(stage, tmp_path)
    stage.view.save_to.value = str(tmp_path / "no" / "such.png")
    stage.desk.save()
    assert "file: cannot be written" in stage.status
    stage.view.save_to.value = str(tmp_path / "no" / ("x" * 100))
    stage.desk.save()
    assert "x" * 40 not in stage.status
    stage.view.download_id.value = "unknown"
    stage.desk.download()
    assert "40007" in stage.status
    assert "" == stage.view.downloaded.value


def test_the_history_has_all_and_is_exported(stage: Stage, tmp_path: Path) -> None:
    """What went out and came in, with results and times; no token, no file bytes."""
    stage.comes(stage.ann.enters_session())
    stage.comes(stage.ann.says("hello?"))
    stage.comes(stage.ann.sends_image(sunset()))
    stage.fill("text", content="hi")
    stage.desk.send()
    stage.desk.show_typing()
    stage.pick(sunset())
    stage.desk.upload()
    stage.view.download_id.value = stage.view.medium.media_id.value
    stage.desk.download()
    stage.sandbox.fail_next(drop="after")
    stage.fill("text", content="lost?")
    stage.desk.send()
    assert "maybe sent: TransportError" in stage.view.log.value
    stage.view.more_export.value = True
    stage.view.export_to.value = str(tmp_path / "history.json")
    stage.desk.export()
    entries = json.loads((tmp_path / "history.json").read_text("utf-8"))
    assert [entry["what"] for entry in entries] == [*["message"] * 4, "typing", "upload", "download", "message"]
    assert ["in", "in", "in", "out"] == [entry["direction"] for entry in entries[:4]]
    assert entries == stage.desk.history
    assert "accepted" == entries[3]["result"]
    assert {"error": "TransportError", "maybe_sent": True} == entries[7]["result"]
    assert "base64" not in json.dumps(entries)


def test_a_push_from_another_thread_waits_for_the_desks_own(stage: Stage) -> None:
    """No thread touches a widget: push_app calls its handler in a worker."""
    push = Push({"FromUserName": "bob", "MsgType": "text", "CreateTime": 1767240000, "Content": "hi"})
    worker = Thread(target=stage.desk.receive, args=(push,))
    worker.start()
    worker.join()
    assert "bob" not in stage.view.log.value
    stage.desk.refresh()
    assert "bob" in stage.view.log.value
    assert ("bob",) == stage.view.touser.options
    assert "ann" == stage.view.touser.value


def test_who_writes_first_is_chosen() -> None:
    """An empty desk turns to them; the latest stands first in the list."""
    stage = Stage()
    assert EN["window_nobody"] in stage.view.window.value
    stage.comes(stage.ann.enters_session())
    assert "ann" == stage.view.touser.value
    assert EN["entered"].format(touser="ann") in stage.status
    assert "2 of 2 left, 1 min" in stage.view.window.value
    stage.comes(stage.sandbox.user("bob").says("hi"))
    assert EN["wrote"].format(touser="bob") in stage.status
    assert ("bob", "ann") == stage.view.touser.options
    stage.desk.close()


def test_an_error_stays_when_a_customer_writes(stage: Stage) -> None:
    """It is not pushed away before it could be read; the next press takes it away."""
    stage.fill("text", content="hi")
    stage.desk.send()
    stage.comes(stage.ann.says("hello?"))
    assert "45015" in stage.status
    stage.desk.send()
    assert EN["sent"].format(touser="ann") in stage.status


def test_a_push_with_an_impossible_time_counts_from_now(stage: Stage) -> None:
    """A plain push's body is not signed: anybody may have written it."""
    stage.desk.receive(Push({"FromUserName": "ann", "MsgType": "text", "CreateTime": 10**18, "Content": "hi"}))
    assert "5 of 5 left, 48 h 0 min" in stage.view.window.value


def test_another_event_opens_no_window(stage: Stage) -> None:
    """Only messages and the entry do."""
    stage.desk.receive(Push({"FromUserName": "ann", "MsgType": "event", "Event": "other", "CreateTime": 1767240000}))
    assert EN["window_unknown"] in stage.view.window.value
    assert "[event] other" in stage.view.log.value


def test_the_language_is_switched_and_everything_follows(stage: Stage) -> None:
    """Labels, choices, status and errors; what was typed and chosen stays."""
    stage.fill("link", title="t")
    stage.fill("text", content="hi")
    stage.desk.send()
    stage.desk.switch_language()
    assert "zh" == stage.desk.lang
    assert "发送" == stage.view.buttons["send"].description
    assert [
        "文本",
        "图片",
        "图文链接",
        "小程序卡片",
        "原始 JSON",
    ] == [label for label, _ in stage.view.forms.kind.options]
    assert "hi" == stage.view.forms.fields["text"]["content"].value
    assert "原因" in stage.status
    stage.view.forms.kind.value = "link"
    stage.desk.switch_language()
    assert "link" == stage.view.forms.kind.value
    assert "t" == stage.view.forms.fields["link"]["title"].value


def test_an_unexpected_exception_is_a_visible_line(stage: Stage) -> None:
    """With its class, and not a word of its text; also from a hook and from a refresh."""

    def broken(rejected: str | None = None) -> str:
        raise KeyError("SECRET")

    desk = Desk(stage.pool, broken, touser="ann")
    desk.view.forms.fields["text"]["content"].value = "hi"
    desk.send()
    assert "Unexpected: KeyError" in desk.view.status.value
    assert "SECRET" not in desk.view.status.value
    assert desk.view.buttons["send"].disabled is False
    desk.close()
    stage.desk.after_each.append(broken)
    stage.desk.switch_language()
    assert "KeyError" in stage.status


def test_a_rejected_token_is_replaced_at_the_next_press_only(stage: Stage) -> None:
    """Nothing is sent again by itself; the second press asks fresh_token for another one."""
    stage.comes(stage.ann.says("hello?"))
    stage.sandbox.advance(60)  # fresh_token asks again after ten seconds at the earliest
    stage.sandbox.fail_next(errcode=40001, path=SEND)
    stage.fill("text", content="hi")
    stage.desk.send()
    assert EN["token_callable"] in stage.status
    assert 1 == stage.calls(SEND)
    assert 1 == stage.calls("/cgi-bin/stable_token")
    stage.sandbox.advance(60)
    stage.desk.send()
    assert 2 == stage.calls("/cgi-bin/stable_token")


def test_a_plain_token_works_and_its_remedy_differs(stage: Stage) -> None:
    """A str is used as it is; once rejected, a new desk is needed."""
    token = fetch_token(stage.pool, stage.sandbox.appid, stage.sandbox.secret)
    desk = Desk(stage.pool, str(token), touser="ann", clock=stage.sandbox.clock)
    stage.ann.says("hello?")
    desk.view.forms.fields["text"]["content"].value = "hi"
    desk.send()
    assert 1 == len(stage.ann.inbox)
    stage.sandbox.advance(7201)
    desk.view.forms.fields["text"]["content"].value = "hi"
    desk.send()
    assert EN["token_string"] in desk.view.status.value
    desk.close()


def test_a_callable_of_ones_own_is_told_which_token_was_rejected() -> None:
    """Once, at the next call, by the name `rejected`, as fresh_token is."""
    told: list[str | None] = []

    def own(rejected: str | None = None) -> str:
        told.append(rejected)
        return "t"

    held = Held(own)
    held()
    held.reject("old")
    assert ["t", "t"] == [held(), held()]
    assert [None, "old", None] == told
    assert "<Held: a callable>" == repr(held)


@pytest.mark.parametrize("given", [None, FromAppid("wx0"), CloudbaseToken("80_made-up")])
def test_a_callable_may_give_what_cloud_hosting_has(given: str | None) -> None:
    """With the class that says where it stands in the query; a str of that class may be given as it is, too."""
    held = Held(lambda rejected=None: given)
    assert held() is given
    held.reject(given)
    assert held() is given
    if given is not None:
        assert Held(given)() is given
        assert hide_if_str(given) is given


def test_a_callable_around_fresh_token_gets_another_token_at_the_next_press(stage: Stage) -> None:
    """One of the user's own works as fresh_token itself does."""
    fresh = fresh_token(stage.pool, stage.sandbox.appid, stage.sandbox.secret, clock=stage.sandbox.clock)
    desk = Desk(stage.pool, lambda rejected=None: fresh(rejected), touser="ann", clock=stage.sandbox.clock)
    stage.ann.says("hello?")
    fresh()
    stage.sandbox.advance(60)
    fetch_token(stage.pool, stage.sandbox.appid, stage.sandbox.secret, force_refresh=True)
    desk.view.forms.fields["text"]["content"].value = "hi"
    desk.send()
    assert () == stage.ann.inbox
    desk.send()
    assert 1 == len(stage.ann.inbox)
    desk.close()


@pytest.mark.parametrize("token", [lambda: "t", lambda rejected: "t", lambda old=None: "t"])
def test_a_callable_that_cannot_be_told_is_refused_in_words(token: Any) -> None:
    """It would get 40001 at every press; the error names what to write."""
    with pytest.raises(TypeError, match=r"lambda rejected=None: fresh\(rejected\)"):
        Desk(Sandbox().pool(), token)


def test_a_callable_without_a_signature_is_taken_at_its_word() -> None:
    """Some callables written in C do not say what they take."""
    assert "<Held: a callable>" == repr(
        Held(type("Own", (), {"__call__": lambda self, **_: "t", "__signature__": 5})())
    )


@pytest.mark.parametrize("token", ["", None, 5])
def test_what_is_no_token(token: Any) -> None:
    """A usage error, in both languages, before anything is shown."""
    with pytest.raises(TypeError, match="non-empty str, or a callable"):
        Desk(Sandbox().pool(), token)


def test_what_is_no_pool() -> None:
    """Pool first, token second."""
    with pytest.raises(TypeError, match="pool first, token second"):
        Desk("token", "token")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="PoolManager"):
        Desk(urllib3.PoolManager(), "token")  # type: ignore[arg-type]


def test_a_closed_desk_does_nothing(stage: Stage) -> None:
    """Its buttons are gone; a push that still comes is ignored."""
    stage.fill("text", content="hi")
    stage.desk.close()
    stage.desk.close()
    stage.desk.send()
    stage.desk.refresh()
    stage.comes(stage.ann.says("hello?"))
    assert 0 == stage.calls(SEND)
    assert "<Desk, closed>" == repr(stage.desk)
    assert {"text/plain": "<Desk, closed>"} == stage.desk._repr_mimebundle_()


def test_python_lines_make_just_this_message() -> None:
    """With its builder if there is one, otherwise with the dict itself; they run as they are."""
    plain = {"touser": "ann", "msgtype": "text", "text": {"content": "hi"}}
    for message in (
        plain,
        {**plain, "aimsgcontext": {"is_ai_msg": 1}},
        {**plain, "aimsgcontext": {"is_ai_msg": 0}},
        {**plain, "customservice": {"kf_account": "a@b"}},
        {**plain, "text": {"content": "hi", "more": 1}},
        {"touser": "ann", "msgtype": "link", "link": dict.fromkeys(("title", "description", "url", "thumb_url"), "'x")},
        {"touser": "ann", "msgtype": "voice", "voice": {"media_id": "M"}},
    ):
        sent: list[Any] = []
        names: dict[str, Any] = {"pool": None, "token": None}
        code = as_python(message)
        header, call = code.split("\n\n", 1)
        exec(header, names)
        names["send"] = lambda pool, token, made, sent=sent: sent.append(made)
        exec(call, names)
        assert sent == [message]
    assert "with_ai_label(text(" in as_python({**plain, "aimsgcontext": {"is_ai_msg": 1}})
