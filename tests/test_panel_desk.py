"""The desk: every button is a method, and each of them does what it says, once, in plain sight."""

import json
from collections.abc import Iterator
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
DOWNLOAD = "/cgi-bin/media/get"


def picked(file: Any, content: bytes, name: str = "sun.png") -> None:
    """Do to a FileUpload what the browser does."""
    about = {"name": name, "type": "image/png", "size": len(content), "last_modified": 0}
    file.set_state({"value": [{**about, "content": memoryview(content)}]})


def write(desk: Desk, text: str) -> None:
    """Write into the desk's field of one line, or of many."""
    desk.view.composer.fields["content"].value = text


def bubbles(desk: Desk) -> str:
    """Return the conversation that is shown, as markup."""
    return "".join(desk.view.talk.markup)


class Stage:
    """A desk on a sandbox, with all requests that left."""

    def __init__(self, **settings: Any) -> None:
        self.sandbox = Sandbox()
        self.seen: list[Seen] = []
        self.pool = self.sandbox.pool(on_request=self.seen.append)
        self.token = fresh_token(self.pool, self.sandbox.appid, self.sandbox.secret, clock=self.sandbox.clock)
        self.desk = Desk(self.pool, self.token, clock=self.sandbox.clock, **settings)
        self.view = self.desk.view
        self.ann = self.sandbox.user("ann")

    def comes(self, event: CustomerEvent) -> None:
        """Let the desk receive what a customer did."""
        fields = {"FromUserName": event.openid, "MsgType": event.kind, "CreateTime": int(event.at), **event.fields}
        self.desk.receive(Push(fields))

    def fill(self, kind: str, **fields: str) -> None:
        self.view.composer.kind.value = kind
        for name, value in fields.items():
            self.view.composer.fields[name].value = value

    def pick(self, content: bytes, name: str = "sun.png") -> None:
        picked(self.view.composer.file, content, name)

    def calls(self, path: str) -> int:
        return sum(seen.path == path for seen in self.seen)

    @property
    def status(self) -> str:
        return str(self.view.status.value)

    @property
    def rows(self) -> list[str]:
        return [
            text.replace("\u2060", "").replace("\u2003", "").replace("\u200b", " | ")
            for text, _ in self.view.people.list.options
        ]


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(touser="ann")
    yield made
    made.desk.close()


def test_a_text_goes_out_and_the_field_is_emptied(stage: Stage) -> None:
    """One request, one message; the bubble says that WeChat accepted it."""
    stage.comes(stage.ann.says("hello?"))
    write(stage.desk, "您好")
    stage.desk.send()
    assert ["您好"] == [delivered.message["text"]["content"] for delivered in stage.ann.inbox]
    assert 1 == stage.calls(SEND)
    assert "" == stage.view.composer.fields["content"].value
    assert EN["accepted"] in stage.view.talk.markup[-1]
    assert "4 of 5 left, 48 h 0 min" in stage.view.head.value
    assert "" == stage.status


def test_a_refused_message_is_put_back(stage: Stage) -> None:
    """With errcode, cause, remedy and rid in view, and a badge on the bubble."""
    write(stage.desk, "您好")
    stage.desk.send()
    assert "您好" == stage.view.composer.fields["content"].value
    for wanted in ("45015", "Cause", "Do", "Retry", "rid", EN["surely_not"]):
        assert wanted in stage.status
    assert "not sent: 45015" in stage.view.talk.markup[-1]


def test_an_expired_window_is_said_before_and_explained_after(stage: Stage) -> None:
    """The window is advice: it never locks Send."""
    stage.comes(stage.ann.says("hello?"))
    stage.sandbox.advance(48 * 3600 + 1)
    write(stage.desk, "too late")
    stage.desk.refresh()  # as each second does
    assert EN["window_closed"] in stage.view.head.value
    assert stage.view.composer.send.disabled is False
    stage.desk.send()
    assert 1 == stage.calls(SEND)
    assert "45015" in stage.status


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_image_link_and_card_go_out(lang: str) -> None:
    """A picture is picked, seen and sent; each form makes the message of its builder."""
    stage = Stage(touser="ann", lang=lang)
    stage.comes(stage.ann.says("hello?"))
    stage.pick(sunset())
    stage.desk.send()
    stage.fill("link", title="t", description="d", url="https://a.cn/", thumb_url="https://a.cn/i.png")
    stage.desk.send()
    stage.fill("miniprogrampage", title="t", pagepath="pages/a")
    stage.pick(sunset())
    stage.desk.send()
    assert ["image", "link", "miniprogrampage"] == [delivered.message["msgtype"] for delivered in stage.ann.inbox]
    assert stage.ann.inbox[0].picture == stage.ann.inbox[2].picture == sunset()
    assert 0 == stage.calls(DOWNLOAD)  # what was uploaded here is shown from memory
    assert 2 == bubbles(stage.desk).count("data:image/png")
    stage.desk.close()


def test_raw_json_goes_out_as_it_is(stage: Stage) -> None:
    """To the customer of the conversation; with a label if that is chosen."""
    stage.comes(stage.ann.says("hello?"))
    stage.fill("raw", raw='{"msgtype": "text", "text": {"content": "raw"}}')
    stage.view.composer.ai_label.value = True
    stage.desk.send()
    (delivered,) = stage.ann.inbox
    assert {"content": "raw"} == delivered.message["text"]
    assert delivered.ai_label
    stage.fill("raw", raw="{")
    assert "line 1, column 2" in stage.view.remarks.value
    stage.desk.send()
    assert "line 1, column 2" in stage.status
    assert 1 == stage.calls(SEND)


@pytest.mark.parametrize(
    "raw", ["{}", '{"msgtype": null}', '{"msgtype": ["text"]}', '{"msgtype": "image", "image": 1}']
)
def test_raw_json_in_the_making_is_no_error(stage: Stage, raw: str) -> None:
    """Whatever it makes so far is drawn: remarks tell what is missing, the status stays."""
    for look in ("phone", "python", "http", "curl"):
        stage.view.look_kind.value = look
        stage.fill("raw", raw="")
        stage.fill("raw", raw=raw)
        assert "" == stage.status
    assert "wxcs-warn" in stage.view.remarks.value


def test_remarks_are_there_when_there_is_something_to_remark(stage: Stage) -> None:
    """In the panel's language; an untouched form is not scolded, and a good one is not praised."""
    assert "" == stage.view.remarks.value
    write(stage.desk, "好" * 700)
    assert "2100 bytes" in stage.view.remarks.value
    write(stage.desk, "hi")
    assert "" == stage.view.remarks.value
    stage.fill("miniprogrampage", title="t", pagepath="/pages/a")
    assert "thumb_media_id" in stage.view.remarks.value
    stage.view.composer.fields["media_id"].value = "MEDIA_ID"
    assert "begins with" in stage.view.remarks.value
    stage.desk.speak("zh")
    assert "开头" in stage.view.remarks.value


def test_the_preview_shows_bubble_python_http_and_curl(stage: Stage) -> None:
    """Each as it will leave, and the token in none of them; folded away until it is asked for."""
    assert "wxcs-gone" in stage.view.look._dom_classes
    stage.view.look_kind.value = "phone"
    assert EN["look_empty"] in stage.view.look.value
    write(stage.desk, "您好")
    assert "您好" in stage.view.look.value
    assert "wxcs-gone" in stage.view.code._dom_classes
    for kind, wanted in (
        ("python", "send(pool, token, text('ann', '您好'))"),
        ("http", "access_token=***"),
        ("curl", "access_token=$WXCS_TOKEN"),
    ):
        stage.view.look_kind.value = kind
        assert wanted in stage.view.code.value
        assert "wxcs-gone" in stage.view.look._dom_classes
    empty = Stage()
    empty.view.look_kind.value = "phone"
    assert EN["look_empty"] in empty.view.look.value
    empty.desk.close()


def test_typing_counts_down_on_its_button(stage: Stage) -> None:
    """Fifteen seconds, or until it is hidden or a message goes out."""
    button = stage.view.composer.typing
    stage.comes(stage.ann.says("hello?"))
    stage.desk.toggle_typing()
    assert stage.ann.sees_typing
    assert "Hide typing (15 s)" == button.description
    stage.sandbox.advance(4)
    stage.desk.refresh()
    assert "Hide typing (11 s)" == button.description
    stage.desk.show_typing()
    assert "45081" in stage.status
    stage.desk.toggle_typing()
    assert "Show typing" == button.description
    assert not stage.ann.sees_typing
    stage.desk.show_typing()
    stage.desk.hide_typing()
    assert not stage.ann.sees_typing
    stage.desk.show_typing()
    write(stage.desk, "hi")
    stage.desk.send()
    assert "Show typing" == button.description


def test_a_path_and_a_media_id_are_pictures_too(stage: Stage, tmp_path: Path) -> None:
    """For what is larger than a notebook can carry, and for what was uploaded elsewhere."""
    path = tmp_path / "sun.png"
    path.write_bytes(sunset() + bytes(5_000_000))
    stage.comes(stage.ann.says("hello?"))
    stage.fill("image", path=str(path))
    assert "too large to be shown" in stage.view.composer.fields["picture"].value
    stage.desk.send()
    assert stage.ann.inbox[0].picture == path.read_bytes()
    media_id = stage.desk.history[-1]["message"]["image"]["media_id"]
    stage.fill("image", media_id=media_id)
    stage.desk.send()
    assert 2 == len(stage.ann.inbox)
    assert 1 == stage.calls(UPLOAD)
    stage.fill("image", path=str(tmp_path / "none.png"))
    assert "cannot be read" in stage.status
    stage.view.composer.fields["path"].value = " "
    assert stage.desk.conversation is not None
    assert stage.desk.conversation.draft.picture is None


def test_a_picture_whose_message_was_refused_is_not_uploaded_twice(stage: Stage) -> None:
    """The second press sends the media_id that is there; after three days it is uploaded again."""
    stage.pick(sunset())
    stage.desk.send()
    assert "45015" in stage.status
    stage.comes(stage.ann.says("hello?"))
    stage.desk.send()
    assert (1, 2) == (stage.calls(UPLOAD), stage.calls(SEND))
    assert sunset() == stage.ann.inbox[0].picture


def test_a_picture_that_cannot_be_uploaded_sends_nothing(stage: Stage) -> None:
    """That the upload may have arrived says nothing about the message."""
    stage.comes(stage.ann.says("hello?"))
    stage.sandbox.fail_next(drop="after", path=UPLOAD)
    stage.pick(sunset())
    stage.desk.send()
    assert 0 == stage.calls(SEND)
    assert EN["surely_not"] in stage.status
    assert "not sent: TransportError" in stage.view.talk.markup[-1]
    assert "picture" in stage.view.composer.fields


def test_a_customers_picture_is_seen_and_saved(stage: Stage, tmp_path: Path) -> None:
    """It is downloaded once, when it is first seen; saving is by path, or under WeChat's name."""
    stage.desk.save()
    assert EN["nothing_to_save"] in stage.status
    assert EN["surely_not"] not in stage.status
    stage.comes(stage.ann.sends_image(sunset()))
    assert "data:image/png" in stage.view.talk.markup[-1]
    stage.desk.select("bob")
    stage.desk.select("ann")
    assert 1 == stage.calls(DOWNLOAD)
    stage.view.save_to.value = str(tmp_path / "saved.png")
    stage.desk.save()
    assert (tmp_path / "saved.png").read_bytes() == sunset()
    _is_asked_before_it_is_replaced(stage, tmp_path)
    stage.view.save_to.value = str(tmp_path / "no" / ("x" * 100))
    stage.desk.save()
    assert "file: cannot be written" in stage.status
    assert "x" * 40 not in stage.status


def _is_asked_before_it_is_replaced(stage: Stage, folder: Path) -> None:
    """A first press says that a file is there, a second one replaces it; another path is asked about by itself."""
    for name in ("one.png", "two.png"):
        (folder / name).write_bytes(b"mine")
        stage.view.save_to.value = str(folder / name)
        stage.desk.save()
        assert "press the button again" in stage.status
        assert b"mine" == (folder / name).read_bytes()
    stage.desk.save()
    assert "Saved as" in stage.status
    assert (folder / "two.png").read_bytes() == sunset()
    assert b"mine" == (folder / "one.png").read_bytes()
    (folder / "link.png").symlink_to(folder / "one.png")
    stage.view.save_to.value = str(folder / "link.png")
    stage.desk.save()
    stage.desk.save()
    assert "is a symbolic link" in stage.status


def test_a_picture_that_cannot_be_loaded_says_so_and_is_tried_again(stage: Stage) -> None:
    """When the conversation is opened the next time; an error that is no answer is named by its class."""
    stage.sandbox.fail_next(errcode=40007, path=DOWNLOAD)
    stage.comes(stage.ann.sends_image(sunset()))
    assert "not loaded: 40007" in stage.view.talk.markup[-1]
    stage.sandbox.fail_next(drop="before", path=DOWNLOAD)
    stage.desk.select("ann")
    assert "not loaded: TransportError" in stage.view.talk.markup[-1]
    stage.desk.select("ann")
    assert "data:image/png" in stage.view.talk.markup[-1]


def test_the_history_is_exported(stage: Stage, tmp_path: Path) -> None:
    """What went out and came in, with results and times; no token, no file bytes."""
    stage.comes(stage.ann.enters_session())
    stage.comes(stage.ann.says("hello?"))
    stage.pick(sunset())
    stage.desk.send()
    stage.sandbox.fail_next(drop="after")
    write(stage.desk, "lost?")
    stage.desk.send()
    assert "maybe sent: TransportError" in stage.view.talk.markup[-1]
    stage.view.export_to.value = str(tmp_path / "history.json")
    stage.desk.export()
    entries = json.loads((tmp_path / "history.json").read_text("utf-8"))
    assert ["in", "in", "out", "out"] == [entry["direction"] for entry in entries]
    assert entries == stage.desk.history
    assert "accepted" == entries[2]["result"]
    assert {"error": "TransportError", "maybe_sent": True} == entries[3]["result"]
    assert "base64" not in json.dumps(entries)
    stage.view.export_to.value = str(tmp_path)
    stage.desk.select("bob")  # an error of a customer's is shown beside that customer
    stage.desk.export()
    assert "file: cannot be written" in stage.status
    assert EN["surely_not"] not in stage.status


def test_a_push_from_another_thread_waits_for_the_desks_own(stage: Stage) -> None:
    """No thread touches a widget: push_app calls its handler in a worker."""
    push = Push({"FromUserName": "bob", "MsgType": "text", "CreateTime": 1767240000, "Content": "hi"})
    for tell in (lambda: stage.desk.receive(push), lambda: stage.desk.report("a line is broken", "有一行无法读取")):
        worker = Thread(target=tell)
        worker.start()
        worker.join()
    assert ["ann"] == [touser for _, touser in stage.view.people.list.options]
    stage.desk.refresh()
    assert ["ann", "bob"] == [touser for _, touser in stage.view.people.list.options]
    assert "a line is broken" in stage.status
    stage.desk.speak("zh")
    stage.desk.report("a line is broken", "有一行无法读取")
    assert "有一行无法读取" in stage.status


def test_the_first_customer_who_writes_is_shown() -> None:
    """An empty desk says what connects it, and nothing about messages that nothing would bring."""
    stage = Stage()
    assert "Nothing brings messages" in stage.status
    stage.desk.send()
    stage.desk.show_typing()
    assert EN["choose"] in stage.status
    assert not stage.seen
    other = Stage()
    other.desk.inbound.add("http://127.0.0.1:8080/")
    other.desk.refresh()
    assert "Connected by http://127.0.0.1:8080/" in other.status
    other.desk.close()
    stage.comes(stage.ann.enters_session())
    assert stage.desk.conversation is not None
    assert "ann" == stage.desk.conversation.touser
    assert EN["session_line"] in bubbles(stage.desk)
    assert "2 of 2 left, 1 min" in stage.view.head.value
    stage.desk.close()


def test_an_error_stays_when_a_customer_writes(stage: Stage) -> None:
    """It is not pushed away before it could be read; the next press takes it away."""
    write(stage.desk, "hi")
    stage.desk.send()
    stage.comes(stage.ann.says("hello?"))
    assert "45015" in stage.status
    stage.desk.send()
    assert "" == stage.status


def test_another_event_is_a_line_and_opens_no_window(stage: Stage) -> None:
    """Only messages and the entry do; a push of a kind that nobody knows is an entry that says so."""
    stage.desk.receive(Push({"FromUserName": "ann", "MsgType": "event", "Event": "other", "CreateTime": 1767240000}))
    assert EN["window_unknown"] in stage.view.head.value
    assert "other" in bubbles(stage.desk)
    stage.desk.receive(Push({"FromUserName": "ann", "MsgType": "hologram", "CreateTime": 1767240000}))
    assert "hologram" in bubbles(stage.desk)
    assert "[hologram]" in stage.rows[0]


def test_the_language_is_switched_and_everything_follows(stage: Stage) -> None:
    """Labels, choices, bubbles, status and errors; what was typed and chosen stays."""
    stage.fill("link", title="t")
    stage.fill("text", content="hi")
    stage.desk.send()
    stage.view.more.click()
    stage.desk.switch_language()
    assert "zh" == stage.desk.lang
    assert "发送" == stage.view.composer.send.description
    kinds = ["文本", "图片", "图文链接", "小程序卡片", "原始 JSON"]
    assert kinds == [label for label, _ in stage.view.composer.kind.options]
    assert "hi" == stage.view.composer.fields["content"].value
    assert "原因" in stage.status
    assert ZH["refused"] in bubbles(stage.desk)
    assert ZH["less"] == stage.view.more.description
    stage.view.composer.kind.value = "link"
    stage.desk.switch_language()
    assert "link" == stage.view.composer.kind.value
    assert "t" == stage.view.composer.fields["title"].value


def test_an_unexpected_exception_is_a_visible_line(stage: Stage) -> None:
    """With its class, and not a word of its text; also from a hook and from a refresh."""

    def broken(rejected: str | None = None) -> str:
        raise KeyError("SECRET")

    desk = Desk(stage.pool, broken, touser="ann")
    write(desk, "hi")
    desk.send()
    assert "Unexpected: KeyError" in desk.view.status.value
    assert "SECRET" not in desk.view.status.value
    desk.close()
    stage.desk.after_each.append(broken)
    stage.desk.switch_language()
    assert "KeyError" in stage.status


def test_a_rejected_token_is_replaced_at_the_next_press_only(stage: Stage) -> None:
    """Nothing is sent again by itself; the second press asks fresh_token for another one."""
    stage.comes(stage.ann.says("hello?"))
    stage.sandbox.advance(60)  # fresh_token asks again after ten seconds at the earliest
    stage.sandbox.fail_next(errcode=40001, path=SEND)
    write(stage.desk, "hi")
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
    write(desk, "hi")
    desk.send()
    assert 1 == len(stage.ann.inbox)
    stage.sandbox.advance(7201)
    write(desk, "hi")
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
    write(desk, "hi")
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
    """Its buttons are gone."""
    write(stage.desk, "hi")
    stage.desk.close()
    stage.desk.close()
    stage.desk.send()
    stage.desk.select("bob")
    stage.desk.refresh()
    assert 0 == stage.calls(SEND)
    assert "<Desk, closed>" == repr(stage.desk)
    assert {"text/plain": "<Desk, closed>"} == stage.desk._repr_mimebundle_()


def test_closing_ends_what_brings_the_pushes(stage: Stage) -> None:
    """Once, the latest first; what is connected to a closed desk is ended at once."""
    ended: list[str] = []
    stage.desk.on_close(lambda: ended.append("first"))
    stage.desk.on_close(lambda: ended.append("second"))
    assert stage.desk.is_open
    stage.desk.close()
    stage.desk.close()
    assert not stage.desk.is_open
    stage.desk.on_close(lambda: ended.append("late"))
    assert ["second", "first", "late"] == ended


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
