"""The verbs: what each sends, what it returns, and what it refuses."""

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.hostile import OK, Heard, Peer, Server, answers, bare, cut_after_request, once, reply, then_stall
from wxcs_lite import (
    ApiError,
    BadReply,
    InvalidMessage,
    MediaRejected,
    QuotaExceeded,
    Stream,
    TokenRejected,
    TransportError,
    TypingRejected,
    Uploaded,
    WindowClosed,
    call,
    clear_quota,
    download,
    fetch_token,
    get_callback_ip,
    get_quota,
    get_rid,
    image,
    send,
    set_typing,
    showing_typing,
    stream,
    text,
    transport,
    upload,
    with_businessid,
)
from wxcs_lite.endpoints import Command
from wxcs_lite.pools import Pool
from wxcs_lite.sandbox import Sandbox

TOKEN = "80_made-up"
FINE = {"errcode": 0, "errmsg": "ok"}
JPEG = b"\xff\xd8\xff\xe0 made up"
PNG = b"\x89PNG\r\n\x1a\n made up"
DONE = reply(b'{"type":"image","media_id":"MEDIA_ID","created_at":1672500000}')
JPEG_REPLY = reply(
    JPEG, "200 OK", "Content-Type: image/jpeg", 'Content-disposition: attachment; filename="MEDIA_ID.jpg"'
)


def refused(errcode: int) -> bytes:
    return reply(b'{"errcode":%d,"errmsg":"made up"}' % errcode)


@pytest.fixture
def wechat() -> Iterator[Server]:
    """Answers every call with errcode 0."""
    with Server(answers(reply())) as server:
        yield server


def shown(pool: Pool, block: Callable[[], object] = int) -> None:
    """Run the block while typing is shown."""
    with showing_typing(pool, TOKEN, "OPENID"):
        block()


def divide() -> None:
    _ = 1 / 0


def commands(server: Server) -> list[str]:
    """The typing commands that a server has heard."""
    return [json.loads(heard.body)["command"] for heard in server.heard]


# send and typing


def test_send_returns_wechats_answer(wechat: Server) -> None:
    """The reply of a message that was taken is errcode 0."""
    with wechat.pool() as pool:
        assert FINE == send(pool, TOKEN, text("OPENID", "你好"))


def test_send_sends_raw_utf8(wechat: Server) -> None:
    r"""Chinese leaves as UTF-8: customers have read \u escapes literally."""
    with wechat.pool() as pool:
        send(pool, TOKEN, text("OPENID", "你好"))
    assert '{"touser":"OPENID","msgtype":"text","text":{"content":"你好"}}' == wechat.last.body.decode()


def test_send_for_a_sub_merchant_has_a_path_of_its_own(wechat: Server) -> None:
    """A businessid changes the path."""
    with wechat.pool() as pool:
        send(pool, TOKEN, with_businessid(text("OPENID", "hello"), 7))
    assert "/cgi-bin/message/custom/business/send" == wechat.last.target.partition("?")[0]


def test_send_takes_a_handmade_dict(wechat: Server) -> None:
    """A type that we do not know passes as it is."""
    with wechat.pool() as pool:
        send(pool, TOKEN, {"touser": "OPENID", "msgtype": "made_up", "made_up": {"a": 1}})
    assert b'{"touser":"OPENID","msgtype":"made_up","made_up":{"a":1}}' == wechat.last.body


def test_send_refuses_before_anything_is_sent(wechat: Server) -> None:
    """A message that is certainly wrong opens no connection."""
    with wechat.pool() as pool:
        with pytest.raises(InvalidMessage):
            send(pool, TOKEN, {"touser": "", "msgtype": "text", "text": {"content": "hello"}})
        assert 0 == wechat.connections


@pytest.mark.parametrize(
    ("errcode", "kind"), [(45047, WindowClosed), (40001, TokenRejected), (40007, MediaRejected), (99999, ApiError)]
)
def test_send_raises_what_wechat_refuses(errcode: int, kind: type[ApiError]) -> None:
    """An errcode is raised as the class that the catalogue gives it."""
    with Server(answers(refused(errcode))) as server, server.pool() as pool, pytest.raises(ApiError) as caught:
        send(pool, TOKEN, image("OPENID", "MEDIA_ID"))
    assert kind == caught.type
    assert errcode == caught.value.errcode
    assert "made up" == caught.value.errmsg


@pytest.mark.parametrize("command", ["Typing", "CancelTyping"])
def test_set_typing_sends_the_command(command: Command, wechat: Server) -> None:
    """The status is a command in a JSON body."""
    with wechat.pool() as pool:
        assert FINE == set_typing(pool, TOKEN, "OPENID", command)
    assert "/cgi-bin/message/custom/typing" == wechat.last.target.partition("?")[0]
    assert {"touser": "OPENID", "command": command} == json.loads(wechat.last.body)


def test_set_typing_for_a_sub_merchant(wechat: Server) -> None:
    """A businessid changes the path, and goes along."""
    with wechat.pool() as pool:
        set_typing(pool, TOKEN, "OPENID", businessid=7)
    assert "/cgi-bin/message/custom/business/typing" == wechat.last.target.partition("?")[0]
    assert 7 == json.loads(wechat.last.body)["businessid"]


def test_set_typing_raises_what_wechat_refuses() -> None:
    """While it shows, it cannot be renewed."""
    with Server(answers(refused(45081))) as server, server.pool() as pool, pytest.raises(TypingRejected):
        set_typing(pool, TOKEN, "OPENID")


def test_showing_typing_shows_and_takes_away(wechat: Server) -> None:
    """Typing on entry, CancelTyping on exit."""
    with wechat.pool() as pool:
        with showing_typing(pool, TOKEN, "OPENID"):
            assert ["Typing"] == commands(wechat)
        assert ["Typing", "CancelTyping"] == commands(wechat)


def test_showing_typing_for_a_sub_merchant(wechat: Server) -> None:
    """The businessid goes along both times."""
    with wechat.pool() as pool, showing_typing(pool, TOKEN, "OPENID", businessid=7):
        pass
    assert ["Typing", "CancelTyping"] == commands(wechat)
    assert [7, 7] == [json.loads(request.body)["businessid"] for request in wechat.heard]
    paths = {request.target.partition("?")[0] for request in wechat.heard}
    assert {"/cgi-bin/message/custom/business/typing"} == paths


def test_showing_typing_takes_away_after_an_error(wechat: Server) -> None:
    """A block that raises takes the status away, too, and raises its own."""
    with wechat.pool() as pool:
        with pytest.raises(ZeroDivisionError), showing_typing(pool, TOKEN, "OPENID"):
            _ = 1 / 0
        assert ["Typing", "CancelTyping"] == commands(wechat)


def test_showing_typing_takes_away_after_an_interrupt(wechat: Server) -> None:
    """So does one that is interrupted."""
    with wechat.pool() as pool:
        with pytest.raises(KeyboardInterrupt), showing_typing(pool, TOKEN, "OPENID"):
            raise KeyboardInterrupt
        assert ["Typing", "CancelTyping"] == commands(wechat)


def test_showing_typing_passes_over_a_refusal() -> None:
    """Typing is a courtesy: what WeChat refuses of it does not stop the block."""
    ran = False
    with Server(answers(refused(45081))) as server, server.pool() as pool, showing_typing(pool, TOKEN, "OPENID"):
        ran = True
    assert ran


@pytest.mark.parametrize("trouble", [cut_after_request, once(refused(-1)), once(reply(b"<html>"))])
def test_showing_typing_is_a_courtesy(trouble: Callable[[Peer], object]) -> None:
    """Its own trouble on entry keeps nobody from answering, and on exit is not taken for the message's."""
    ran = []
    with Server(trouble, trouble) as server, server.pool() as pool:
        with showing_typing(pool, TOKEN, "OPENID"):
            ran.append(True)
        assert [True] == ran


def test_showing_typing_refuses_a_mistake_on_entry() -> None:
    """An empty openid is nobody's trouble but the caller's."""
    with Server(answers(reply())) as server, server.pool() as pool:
        with pytest.raises(InvalidMessage, match="touser"), showing_typing(pool, TOKEN, ""):
            raise AssertionError
        assert 0 == server.connections


@pytest.mark.parametrize("trouble", [cut_after_request, once(refused(-1)), once(reply(b"<html>"))])
def test_showing_typing_never_hides_the_blocks_own_error(trouble: Callable[[Peer], object]) -> None:
    """Whatever goes wrong on exit, the block's error comes out."""
    with Server(once(reply()), trouble) as server, server.pool() as pool, pytest.raises(ZeroDivisionError):
        shown(pool, divide)


# upload


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    file = tmp_path / "photo.jpg"
    file.write_bytes(JPEG)
    return file


def at_its_end(content: bytes) -> BinaryIO:
    file = io.BytesIO(content)
    file.seek(0, 2)
    return file


@pytest.mark.parametrize(
    "made",
    [
        lambda path: path,
        str,
        lambda path: Path(path),
        lambda path: path.read_bytes(),
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
        lambda path: memoryview(bytearray(path.read_bytes())),
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: at_its_end(path.read_bytes()),
    ],
    ids=[
        "Path",
        "str",
        "PathLike",
        "bytes",
        "bytearray",
        "memoryview",
        "writable view",
        "BytesIO",
        "BytesIO at its end",
    ],
)
def test_upload_takes_a_path_bytes_or_a_file(made: Callable[[Path], Any], picture: Path) -> None:
    """Each form of the same picture arrives whole."""
    with Server(answers(DONE)) as server, server.pool() as pool:
        assert Uploaded("MEDIA_ID", "image", 1672500000) == upload(pool, TOKEN, made(picture))
    assert b"\r\n\r\n" + JPEG + b"\r\n--" in server.last.body


def disposition(server: Server) -> str:
    return server.last.body.decode("latin-1").splitlines()[1]


def sent_name(server: Server) -> str:
    return disposition(server).rpartition("filename=")[2].strip('"')


def test_upload_sends_an_open_file_whole(picture: Path) -> None:
    """An open file leaves from its start, wherever it stands, and stays open; its name goes along."""
    with Server(answers(DONE)) as server, server.pool() as pool, picture.open("rb") as file:
        file.read(3)
        upload(pool, TOKEN, file)
        assert JPEG in server.last.body
        assert not file.closed
        assert "photo.jpg" == sent_name(server)


def test_upload_closes_what_it_opened(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is opened and closed again, also after a failure."""
    opened: list[BinaryIO] = []
    real = transport._opened

    def noted(path: Path) -> BinaryIO:
        opened.append(real(path))
        return opened[-1]

    monkeypatch.setattr(transport, "_opened", noted)
    with Server(cut_after_request) as server, server.pool() as pool, pytest.raises(TransportError):
        upload(pool, TOKEN, picture)
    assert [True] == [file.closed for file in opened]


def test_upload_takes_a_file_without_a_name() -> None:
    """The name of a temporary file is a number; the picture's own bytes give the extension."""
    with Server(answers(DONE)) as server, server.pool() as pool, tempfile.TemporaryFile() as file:
        assert isinstance(file.name, int)
        file.write(JPEG)
        upload(pool, TOKEN, file)
        assert "media.jpg" == sent_name(server)


@pytest.mark.parametrize(
    ("content", "filename", "sent"),
    [
        (JPEG, None, "media.jpg"),
        (PNG, None, "media.png"),
        (PNG, "photo.jpg", "photo.png"),
        (JPEG, "photo.jpeg", "photo.jpeg"),
        (JPEG, "/home/me/照片.jpg", "media.jpg"),
        (b"#!AMR made up", "voice.amr", "voice.amr"),
    ],
)
def test_upload_names_the_part(content: bytes, filename: str | None, sent: str) -> None:
    """The name is plain ASCII with the extension that fits the content."""
    with Server(answers(DONE)) as server, server.pool() as pool:
        upload(pool, TOKEN, content, filename=filename)
    assert sent == sent_name(server)


def test_upload_says_the_type(picture: Path) -> None:
    """The type is a parameter after the token."""
    with Server(answers(DONE)) as server, server.pool() as pool:
        upload(pool, TOKEN, picture, type="thumb")
    assert f"/cgi-bin/media/upload?access_token={TOKEN}&type=thumb" == server.last.target


class Unseekable(io.RawIOBase):
    name = "photo.jpg"

    def readable(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("/no/such/file.jpg", "cannot be opened"),
        (os.curdir, "cannot be opened"),
        (Path("/no/such/file.jpg"), "cannot be opened"),
        ("with\0null.jpg", "cannot be opened"),
        (io.StringIO("text"), "text mode"),
        (Unseekable(), "cannot be rewound"),
        (b"", "is empty"),
        (io.BytesIO(), "is empty"),
        (None, "must be a path, bytes or an open binary file, not None"),
        (7, "must be a path, bytes or an open binary file, not int"),
        ("https://example.com/a.png", "download it first"),
        ([JPEG], "must be a path, bytes or an open binary file, not list"),
    ],
    ids=lambda value: value if isinstance(value, str) and "\0" not in value else type(value).__name__,
)
def test_upload_names_a_file_that_will_not_do(file: Any, problem: str, wechat: Server) -> None:
    """A file that cannot be sent whole from its start is InvalidMessage, before anything is sent."""
    with wechat.pool() as pool:
        with pytest.raises(InvalidMessage, match=problem) as caught:
            upload(pool, TOKEN, file, filename="photo.jpg")
        assert "file" == caught.value.field
        assert 0 == wechat.connections


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are missing")
@pytest.mark.parametrize("name", ["/dev/null", "/dev/zero", "pipe"])
def test_upload_names_a_path_that_is_no_file(name: str, tmp_path: Path, wechat: Server) -> None:
    """A device has no size, and a pipe would hold the call until somebody writes to it."""
    path = tmp_path / name  # an absolute name stands for itself
    if name == "pipe":
        os.mkfifo(path)
    with wechat.pool() as pool:
        with pytest.raises(InvalidMessage, match="is not a regular file but a device or a pipe") as caught:
            upload(pool, TOKEN, path, filename="photo.jpg")
        assert "file" == caught.value.field
        assert not caught.value.maybe_sent
        assert 0 == wechat.connections


@pytest.mark.parametrize("picture", ["/9j/" + "A" * 8_000_000, "1" * 8_000_000, "data:image/png;base64," + "A" * 999])
def test_upload_quotes_no_picture_that_is_given_as_a_path(picture: str, wechat: Server) -> None:
    """A picture in base64 is not a path: the error stays short."""
    with wechat.pool() as pool, pytest.raises(InvalidMessage, match=r"^file: cannot be opened") as caught:
        upload(pool, TOKEN, picture, filename="photo.jpg")
    assert len(str(caught.value)) < 300
    assert len(repr(caught.value)) < 300


def test_upload_refuses_a_text_mode_file(picture: Path, wechat: Server) -> None:
    """A real file in text mode, too."""
    picture.write_text("plain")
    with wechat.pool() as pool, picture.open() as file, pytest.raises(InvalidMessage, match="text mode"):
        upload(pool, TOKEN, file)  # type: ignore[arg-type]


def test_upload_refuses_a_closed_file(picture: Path, wechat: Server) -> None:
    """And a closed one."""
    with picture.open("rb") as file:
        pass
    with wechat.pool() as pool, pytest.raises(InvalidMessage, match="file"):
        upload(pool, TOKEN, file)


def test_upload_wants_an_extension(wechat: Server) -> None:
    """Bytes of an unknown kind need a filename: WeChat answers 40005 otherwise."""
    with wechat.pool() as pool, pytest.raises(InvalidMessage) as caught:
        upload(pool, TOKEN, b"unknown")
    assert "filename" == caught.value.field


def test_upload_raises_what_wechat_refuses(picture: Path) -> None:
    """A refused medium is MediaRejected."""
    with Server(answers(refused(40005))) as server, server.pool() as pool, pytest.raises(MediaRejected):
        upload(pool, TOKEN, picture)


def test_upload_can_be_done_again_with_the_same_file() -> None:
    """After a cut the same file object can be sent again, whole."""
    file = io.BytesIO(JPEG + bytes(200_000))
    with Server(cut_after_request, answers(DONE)) as server, server.pool() as pool:
        with pytest.raises(TransportError):
            upload(pool, TOKEN, file)
        upload(pool, TOKEN, file)
        assert [200_000 + len(JPEG)] * 2 == [
            heard.body.find(b"\r\n--") - heard.body.find(JPEG) for heard in server.heard
        ]


# download and stream


def test_download_returns_the_medium() -> None:
    """Bytes, content type and WeChat's filename."""
    with Server(answers(JPEG_REPLY)) as server, server.pool() as pool:
        medium = download(pool, TOKEN, "MEDIA_ID")
    assert (JPEG, "image/jpeg", "MEDIA_ID.jpg") == tuple(medium)


def entered(pool: Pool) -> None:
    """Enter a stream and leave it at once."""
    with stream(pool, TOKEN, "MEDIA_ID"):
        pass


def read_into(chunks: list[bytes], pool: Pool) -> None:
    with stream(pool, TOKEN, "MEDIA_ID") as medium:
        chunks.extend(medium)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (refused(40007), MediaRejected),
        (reply(b'{"errcode":40007,"errmsg":"x"}', "200 OK", "Content-Type: image/jpeg"), MediaRejected),
        (reply(b'{"video_url":"http://made.up/"}'), BadReply),
        (reply(b""), BadReply),
        (reply(b"null"), BadReply),
        (reply(b'[{"errcode":40007}]'), BadReply),
        (reply('{"errcode":40007,"errmsg":"x"}'.encode("utf-16")), MediaRejected),
        (reply('{"errcode":40007,"errmsg":"x"}'.encode("utf-16-be")), MediaRejected),
        (reply(b"<html>", "502 Bad Gateway"), BadReply),
        (reply(JPEG, "404 Not Found"), BadReply),
        (reply(JPEG, "200 OK", "Content-Encoding: gzip"), BadReply),
    ],
)
@pytest.mark.parametrize("way", ["download", "stream"])
def test_no_medium_is_an_error(way: str, data: bytes, kind: type[Exception]) -> None:
    """An error of the API, or an unreadable reply, is raised by both: by stream on entry."""
    with Server(answers(data)) as server, server.pool() as pool, pytest.raises(kind):
        download(pool, TOKEN, "MEDIA_ID") if way == "download" else entered(pool)


def test_stream_gives_chunks_and_headers() -> None:
    """Chunks of at most 64 KiB make up the medium; headers, content type and filename are known at once."""
    content = JPEG + os.urandom(300_000)
    data = reply(content, "200 OK", 'Content-disposition: attachment; filename="M.jpg"')
    with Server(answers(data)) as server, server.pool() as pool, stream(pool, TOKEN, "MEDIA_ID") as medium:
        chunks = list(medium)
        assert content == b"".join(chunks)
        assert max(map(len, chunks)) <= 64 * 1024
        assert "image/jpeg" == medium.content_type
        assert "M.jpg" == medium.filename
        assert str(len(content)) == medium.headers["content-LENGTH"]


def test_stream_gives_the_connection_back() -> None:
    """A medium that was read to its end leaves a connection to be used again."""
    with Server(answers(JPEG_REPLY)) as server, server.pool() as pool:
        for _ in range(3):
            with stream(pool, TOKEN, "MEDIA_ID") as medium:
                assert JPEG == b"".join(medium)
        assert 1 == server.connections


def test_stream_shows_no_content() -> None:
    """Its repr holds name and type only."""
    with Server(answers(JPEG_REPLY)) as server, server.pool() as pool, stream(pool, TOKEN, "MEDIA_ID") as medium:
        assert "<Stream MEDIA_ID.jpg, image/jpeg>" == repr(medium)
        assert type(medium) is Stream


LARGE = reply(JPEG + bytes(1_000_000))


def test_leaving_a_stream_early_closes_its_connection() -> None:
    """The next call does not read what was left unread; the place in the pool is free."""
    with Server(answers(LARGE, reply())) as server, server.pool() as pool:
        with stream(pool, TOKEN, "MEDIA_ID") as medium:
            next(iter(medium))
        assert JPEG == download(pool, TOKEN, "MEDIA_ID").content[: len(JPEG)]
        assert 2 == server.connections


def test_an_error_in_the_block_closes_the_connection() -> None:
    """So does an error of the block, which comes out as itself."""
    with Server(answers(LARGE)) as server, server.pool() as pool:
        with pytest.raises(ZeroDivisionError), stream(pool, TOKEN, "MEDIA_ID"):
            _ = 1 / 0
        download(pool, TOKEN, "MEDIA_ID")
        assert 2 == server.connections


def test_an_error_on_entry_frees_the_place() -> None:
    """A pool of one place has it again after errors on entry."""
    with Server(answers(refused(40007))) as server, server.pool() as pool:
        for _ in range(20):
            with pytest.raises(MediaRejected):
                entered(pool)
        assert 1 == (pool.pool.qsize() if pool.pool else None)


CHUNKED = bare("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"1000\r\n" + JPEG.ljust(0x1000) + b"\r\n")


@pytest.mark.parametrize("data", [LARGE, CHUNKED, JPEG_REPLY], ids=["length", "chunked", "small"])
def test_a_stream_that_was_left_cannot_be_read(data: bytes) -> None:
    """As with a closed file: what was not read is lost, and must not be taken for the end of the medium."""
    with Server(answers(data)) as server, server.pool() as pool:
        with stream(pool, TOKEN, "MEDIA_ID") as medium:
            next(iter(medium))
        with pytest.raises(ValueError, match="inside its with block"):
            list(medium)


def test_a_stream_that_was_read_is_at_its_end() -> None:
    """A second round has no more chunks."""
    with Server(answers(LARGE)) as server, server.pool() as pool, stream(pool, TOKEN, "MEDIA_ID") as medium:
        list(medium)
        assert [] == list(medium)


def test_a_cut_on_the_way_is_raised_after_the_chunks() -> None:
    """The chunks before the cut come, then TransportError."""
    chunks: list[bytes] = []
    with (
        Server(once(reply(JPEG.ljust(99), length=9999))) as server,
        server.pool() as pool,
        pytest.raises(TransportError),
    ):
        read_into(chunks, pool)
    assert JPEG.ljust(99) == b"".join(chunks)


def bytewise(data: bytes) -> Callable[[Peer], object]:
    def script(peer: Peer) -> None:
        peer.read()
        peer.send(bare("HTTP/1.1 200 OK", f"Content-Length: {len(data)}"))
        for at in range(len(data)):
            peer.send(data[at : at + 1])
            peer.server.stopped.wait(0.005)

    return script


def test_a_medium_may_come_byte_by_byte() -> None:
    """Enough is read to tell a picture from an error, however small the packets."""
    with Server(bytewise(JPEG)) as server, server.pool() as pool, stream(pool, TOKEN, "MEDIA_ID") as medium:
        assert "image/jpeg" == medium.content_type
        assert JPEG == b"".join(medium)


@pytest.mark.parametrize("blank", [b"\r\n", b" " * 30])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_an_error_may_come_byte_by_byte(blank: bytes, encoding: str) -> None:
    """And an error from a picture, whatever stands before it."""
    data = (blank.decode() + '{"errcode":40007,"errmsg":"invalid media_id"}').encode(encoding)
    with Server(bytewise(data)) as server, server.pool() as pool, pytest.raises(MediaRejected):
        entered(pool)


def test_white_space_without_end_is_not_kept() -> None:
    """Some of it is enough to say that no medium comes."""
    data = then_stall(reply(b" " * 200_000, length=10**9))
    with Server(data) as server, server.pool() as pool, pytest.raises(BadReply, match="is empty"):
        entered(pool)


def test_an_error_after_much_white_space_is_an_error() -> None:
    """A body that begins with white space is read on until it is clear what it is."""
    data = reply(b" " * 20 + b'{"errcode":40007,"errmsg":"invalid media_id"}')
    with Server(answers(data)) as server, server.pool() as pool, pytest.raises(MediaRejected):
        entered(pool)


# tokens and the rest


def test_fetch_token_asks_stable_token() -> None:
    """The request is a POST with appid and secret, and forces only if asked to."""
    with Server(answers(reply(b'{"access_token":"T","expires_in":7200}'))) as server, server.pool() as pool:
        token = fetch_token(pool, "APPID", "made-up secret", clock=lambda: 1000.0)
    expected = {
        "grant_type": "client_credential",
        "appid": "APPID",
        "secret": "made-up secret",
        "force_refresh": False,
    }
    assert "/cgi-bin/stable_token" == server.last.target
    assert expected == json.loads(server.last.body)
    assert "T" == str(token)
    assert 8200.0 == token.expires_at


def test_fetch_token_forces_when_told() -> None:
    """force_refresh is the caller's to say."""
    with Server(answers(reply(b'{"access_token":"T","expires_in":7200}'))) as server, server.pool() as pool:
        fetch_token(pool, "APPID", "made-up secret", force_refresh=True)
    assert json.loads(server.last.body)["force_refresh"] is True


def test_fetch_token_counts_from_before_it_asked() -> None:
    """The token's life is counted from the moment of asking, so that it never seems to last too long."""
    times = iter([1000.0, 1030.0])
    with Server(answers(reply(b'{"access_token":"T","expires_in":7200}'))) as server, server.pool() as pool:
        assert 8200.0 == fetch_token(pool, "APPID", "made-up secret", clock=lambda: next(times)).expires_at


@pytest.mark.parametrize("errcode", [40125, 40164])
def test_fetch_token_raises_what_wechat_refuses(errcode: int) -> None:
    """A wrong secret or address is an ApiError."""
    with Server(answers(refused(errcode))) as server, server.pool() as pool, pytest.raises(ApiError) as caught:
        fetch_token(pool, "APPID", "made-up secret")
    assert errcode == caught.value.errcode


def test_get_rid_takes_the_token_out() -> None:
    """WeChat's record of a call holds its URL; the token in it is blanked."""
    noted = {
        "errcode": 0,
        "errmsg": "ok",
        "request": {
            "invoke_time": 1635156704,
            "cost_in_ms": 30,
            "request_url": "access_token=50_another+token&next_openid=",
            "request_body": "",
            "response_body": '{"errcode":45009,"errmsg":"reach max api daily quota limit"}',
            "client_ip": "113.0.0.1",
        },
    }
    with Server(answers(reply(json.dumps(noted).encode()))) as server, server.pool() as pool:
        found = get_rid(pool, TOKEN, "RID")
    assert {**noted["request"], "request_url": "access_token=***&next_openid="} == found["request"]  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request_body", '{"appid":"APPID","secret":"tiny secret"}'),
        ("response_body", '{"access_token":"50_tiny","expires_in":7200}'),
    ],
)
def test_get_rid_takes_secrets_out_of_bodies(field: str, value: str) -> None:
    """The call that was noted may have been the one that fetches a token."""
    noted = reply(json.dumps({"errcode": 0, "request": {field: value}}).encode())
    with Server(answers(noted)) as server, server.pool() as pool:
        found = str(get_rid(pool, TOKEN, "RID"))
    assert "tiny secret" not in found
    assert "50_tiny" not in found


@pytest.mark.parametrize("request_", [None, "text", [], {}])
def test_get_rid_takes_what_comes(request_: object) -> None:
    """A note in another form is returned as it is."""
    data = {"errcode": 0, "request": request_}
    with Server(answers(reply(json.dumps(data).encode()))) as server, server.pool() as pool:
        assert data == get_rid(pool, TOKEN, "RID")


def test_get_quota_asks_for_a_path() -> None:
    """The daily allowance of sending, unless another path is given."""
    quota = {"errcode": 0, "errmsg": "ok", "quota": {"daily_limit": 10, "used": 4, "remain": 6}}
    with Server(answers(reply(json.dumps(quota).encode()))) as server, server.pool() as pool:
        assert quota == get_quota(pool, TOKEN)
    assert {"cgi_path": "/cgi-bin/message/custom/send"} == json.loads(server.last.body)


def test_clear_quota_names_the_account(wechat: Server) -> None:
    """In the body, as the official page has it."""
    with wechat.pool() as pool:
        assert {"errcode": 0, "errmsg": "ok"} == clear_quota(pool, TOKEN, "APPID")
    assert f"POST /cgi-bin/clear_quota?access_token={TOKEN} HTTP/1.1" == wechat.last.start
    assert {"appid": "APPID"} == json.loads(wechat.last.body)


def test_clear_quota_clears() -> None:
    """In the sandbox a spent allowance is whole again, and only ten times a month."""
    sandbox = Sandbox()
    pool = sandbox.pool()
    token = fetch_token(pool, sandbox.appid, sandbox.secret)
    path = "/cgi-bin/stable_token"
    assert 1 == get_quota(pool, token, path)["quota"]["used"]
    for _ in range(10):
        clear_quota(pool, token, sandbox.appid)
    assert 0 == get_quota(pool, token, path)["quota"]["used"]
    with pytest.raises(QuotaExceeded) as caught:
        clear_quota(pool, token, sandbox.appid)
    assert 48006 == caught.value.errcode


def test_call_makes_any_call(wechat: Server) -> None:
    """A body makes a POST of raw UTF-8; without one it is a GET; the token comes first in the query."""
    with wechat.pool() as pool:
        assert {"errcode": 0, "errmsg": "ok"} == call(pool, TOKEN, "/cgi-bin/business/update", {"nickname": "苹果"})
        call(pool, TOKEN, "/customservice/kfaccount/del", query={"kf_openid": "K"})
    first, second = wechat.heard
    assert f"POST /cgi-bin/business/update?access_token={TOKEN} HTTP/1.1" == first.start
    assert '{"nickname":"苹果"}'.encode() == first.body
    assert f"GET /customservice/kfaccount/del?access_token={TOKEN}&kf_openid=K HTTP/1.1" == second.start


def test_call_goes_without_a_token(wechat: Server) -> None:
    """None means that the call takes no token; an empty one is a mistake, as everywhere."""
    with wechat.pool() as pool:
        call(pool, None, "/cgi-bin/clear_quota/v2", method="POST", query={"appid": "A", "appsecret": "made-up"})
        with pytest.raises(InvalidMessage, match=r"^token: "):
            call(pool, "", "/cgi-bin/getcallbackip")
    assert "POST /cgi-bin/clear_quota/v2?appid=A&appsecret=made-up HTTP/1.1" == wechat.last.start
    assert "0" == wechat.last.headers["content-length"]


def test_call_raises_what_wechat_refuses() -> None:
    """With the same classes as every other call."""
    with Server(answers(refused(65401))) as server, server.pool() as pool, pytest.raises(ApiError) as caught:
        call(pool, TOKEN, "/customservice/kfaccount/update", {"kf_account": "a@b"})
    assert "65401 made up: " == caught.value.en[:15]
    with Server(answers(refused(42001))) as server, server.pool() as pool, pytest.raises(TokenRejected):
        call(pool, TOKEN, "/cgi-bin/customservice/getkflist")


def test_call_hides_a_token_that_it_brings() -> None:
    """It is a str as WeChat gave it, but no notebook cell shows it."""
    with Server(answers(reply(b'{"access_token":"81_made-up","expires_in":7200}'))) as server, server.pool() as pool:
        found = call(pool, None, "/cgi-bin/stable_token", {"appid": "A", "secret": "made-up"})
    assert {"access_token": "81_made-up", "expires_in": 7200} == found
    assert "81_made-up" not in repr(found)


def test_call_hides_what_is_named_like_a_secret_at_every_level() -> None:
    """The tokens of third-party platforms and the answers to their calls lie deeper."""
    brought = b'{"authorization_info":{"authorizer_access_token":"81_made-up","list":[{"session_key":"made-up"}]}}'
    with Server(answers(reply(brought))) as server, server.pool() as pool:
        found = call(pool, TOKEN, "/cgi-bin/component/api_query_auth", {})
    assert "made-up" not in repr(found)
    assert "81_made-up" == found["authorization_info"]["authorizer_access_token"]


def test_call_takes_echoes_of_all_secrets_out() -> None:
    """Even if there is also a token, a secret of the body does not stay in the error."""
    echo = b'{"errcode":40125,"errmsg":"no made-up-a-secret!"}'
    with Server(answers(reply(echo))) as server, server.pool() as pool, pytest.raises(ApiError) as caught:
        call(pool, TOKEN, "/x", {"more": {"component_appsecret": "made-up-a-secret!"}})
    assert "no ***" == caught.value.errmsg


def test_get_callback_ip_has_no_errcode() -> None:
    """WeChat leaves errcode out on success."""
    with Server(answers(reply(b'{"ip_list":["127.0.0.1"]}'))) as server, server.pool() as pool:
        assert {"ip_list": ["127.0.0.1"]} == get_callback_ip(pool, TOKEN)
    assert f"GET /cgi-bin/getcallbackip?access_token={TOKEN} HTTP/1.1" == server.last.start


def test_an_answer_does_not_repeat_the_token() -> None:
    """A server that echoes the token gets it back as three stars."""

    def echo(heard: Heard) -> bytes:
        return reply(json.dumps({"errcode": 0, "errmsg": f"hello {TOKEN}"}).encode())

    with Server(answers(echo)) as server, server.pool() as pool:
        assert "hello ***" == send(pool, TOKEN, text("OPENID", "hello"))["errmsg"]


@pytest.mark.parametrize("secret", ["t", "ok", "72", "token", "errcode"])
def test_a_short_secret_spoils_no_reply(secret: str) -> None:
    """A part of common words is not a secret: an accepted call must not look like an unclear one."""
    sandbox = Sandbox(secret=secret)
    pool = sandbox.pool()
    token = fetch_token(pool, sandbox.appid, secret, clock=sandbox.clock)
    assert 1767247200 == token.expires_at
    with Server(answers(reply(OK))) as server, server.pool() as other:
        assert {"errcode": 0, "errmsg": "ok"} == send(other, secret, text("OPENID", "hello"))


def test_a_medium_of_unknown_length_is_whole() -> None:
    """Without a Content-Length it is read in pieces, to the end of the connection."""
    content = JPEG + bytes(200_000)

    def endless(peer: Peer) -> None:
        peer.read()
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content)

    with Server(endless) as server, server.pool() as pool:
        assert content == download(pool, TOKEN, "MEDIA_ID").content


def test_a_medium_that_is_announced_too_large_is_not_read() -> None:
    """Its length alone refuses it."""
    with Server(answers(reply(JPEG + bytes(2000)))) as server, server.pool() as pool, pytest.raises(BadReply):
        download(pool, TOKEN, "MEDIA_ID", max_bytes=1000)


def test_a_medium_that_holds_the_token_is_not_changed() -> None:
    """A medium is bytes: nothing in it is replaced."""
    content = JPEG + TOKEN.encode() + OK
    with Server(answers(reply(content))) as server, server.pool() as pool:
        assert content == download(pool, TOKEN, "MEDIA_ID").content
