"""The body of an upload: what an independent parser finds in it, and what WeChat is picky about."""

import copy
import email.parser
import email.policy
import io
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.multipart import PIECE, Multipart, extension_of, media_part, pieces

MAGIC = {".jpg": b"\xff\xd8\xff", ".png": b"\x89PNG\r\n\x1a\n", ".gif": b"GIF89a"}
JPEG = MAGIC[".jpg"] + b"\xe0 made up"
BOUNDARY = "made-up-boundary"
BOUNDARIES = st.none() | st.text(st.sampled_from("0123456789ABCXYZabcxyz_.-"), min_size=30, max_size=70)


def parsed(body: Multipart, content_type: str) -> tuple[Any, bytes]:
    """Return the only part and its content, as Python's mail parser reads them."""
    whole = b"".join(body)
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        b"MIME-Version: 1.0\r\nContent-Type: " + content_type.encode("ascii") + b"\r\n\r\n" + whole
    )
    (part,) = cast(Any, message.get_payload())
    assert not message.defects
    assert not part.defects
    return part, whole


def content_of(part: Any, whole: bytes, boundary: str) -> bytes:
    """Return the content between the part's head and the closing boundary: a mail parser changes line ends in it."""
    begin = whole.index(b"\r\n\r\n") + 4
    closing = b"\r\n--" + boundary.encode("ascii") + b"--\r\n"
    assert whole.endswith(closing)
    assert "form-data" == part.get_content_disposition()
    return whole[begin : -len(closing)]


@settings(deadline=None)
@given(
    content=st.binary(min_size=1, max_size=400) | st.sampled_from(sorted(MAGIC.values())),
    filename=st.text(max_size=60).map(lambda stem: f"{stem}.png"),
    boundary=BOUNDARIES,
    as_file=st.booleans(),
)
def test_an_independent_parser_finds_one_file(
    content: bytes, filename: str, boundary: str | None, as_file: bool
) -> None:
    """One part named media, with a plain ASCII filename, its extension, and the content to the byte."""
    source: bytes | BinaryIO = io.BytesIO(content) if as_file else content
    body, content_type = media_part(source, filename, boundary)
    part, whole = parsed(body, content_type)
    assert content == content_of(part, whole, content_type.partition("=")[2])
    assert len(whole) == len(body)
    assert "media" == part.get_param("name", header="content-disposition")
    name = part.get_filename()
    assert name.isascii()
    assert name.isprintable()
    assert name.rpartition(".")[0]
    assert name.endswith(extension_of(content) or ".png")
    assert b"filename*" not in body.head


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=100).map(lambda start: MAGIC[".gif"] + start), st.text(max_size=80))
def test_any_filename_fits_a_picture(content: bytes, filename: str) -> None:
    """A picture is known by its first bytes: no name can make it anything else, or break the head."""
    body, content_type = media_part(content, filename, None)
    part, _ = parsed(body, content_type)
    assert part.get_filename().endswith(".gif")
    assert "image/gif" == part.get_content_type()
    assert 4 == len(body.head.splitlines())


@settings(deadline=None)
@given(size=st.integers(1, 300_000), as_file=st.booleans())
def test_bodies_leave_in_pieces(size: int, as_file: bool) -> None:
    """No piece is larger than 64 KiB, and len() is their sum: it becomes the Content-Length."""
    content = bytes(size)
    body, _ = media_part(io.BytesIO(content) if as_file else content, "a.amr", None)
    sizes = [len(piece) for piece in body]
    assert len(body) == sum(sizes)
    assert max(sizes) <= 65536
    assert b"".join(body) == body.head + content + body.tail


@pytest.mark.parametrize("source", [JPEG * 9999, bytearray(JPEG), memoryview(JPEG), io.BytesIO(JPEG * 9999)])
def test_each_iteration_starts_anew(source: Any) -> None:
    """A second attempt sends the same bytes: WeChat answers 41005 or 44001 to a file that is at its end."""
    body, _ = media_part(source, "a.jpg", BOUNDARY)
    assert b"".join(body) == b"".join(body)


def test_a_file_is_sent_whole_wherever_it_stands() -> None:
    """A file that was just written or half read goes out from its start."""
    file = io.BytesIO(JPEG)
    file.seek(0, 2)
    body, _ = media_part(file, "a.jpg", BOUNDARY)
    file.seek(3)
    assert [body.head, JPEG, body.tail] == list(body)


def test_a_file_on_disk_can_be_sent(tmp_path: Path) -> None:
    """Buffered or not, a file of the system will do."""
    path = tmp_path / "a.jpg"
    path.write_bytes(JPEG)
    for buffering in (0, -1):
        with path.open("rb", buffering=buffering) as file:
            assert 1 == b"".join(media_part(file, "a.jpg", BOUNDARY)[0]).count(JPEG)
    with tempfile.SpooledTemporaryFile() as spooled:
        spooled.write(JPEG)
        assert 1 == b"".join(media_part(cast(BinaryIO, spooled), "a.jpg", BOUNDARY)[0]).count(JPEG)


def test_a_file_that_shrinks_is_noticed() -> None:
    """The length was announced, so the rest cannot be made up."""
    file = io.BytesIO(JPEG)
    body, _ = media_part(file, "a.jpg", BOUNDARY)
    file.truncate(5)
    with pytest.raises(InvalidMessage, match=f"^file: became {len(JPEG) - 5} bytes shorter while it was being sent"):
        list(body)


def test_a_file_that_grows_is_cut_at_its_announced_length() -> None:
    """What is appended in the meantime is not part of this upload."""
    file = io.BytesIO(JPEG)
    body, _ = media_part(file, "a.jpg", BOUNDARY)
    file.seek(0, 2)
    file.write(b"more")
    assert [body.head, JPEG, body.tail] == list(body)


@pytest.mark.parametrize(
    ("filename", "content", "name", "part_type"),
    [
        ("photo.jpg", JPEG, "photo.jpg", "image/jpeg"),
        ("photo.JPEG", JPEG, "photo.jpeg", "image/jpeg"),
        ("photo.png", JPEG, "photo.jpg", "image/jpeg"),
        ("photo", JPEG, "photo.jpg", "image/jpeg"),
        ("photo.jpg", MAGIC[".png"], "photo.png", "image/png"),
        ("photo.jpeg", MAGIC[".png"], "photo.png", "image/png"),
        ("photo.jpg", b"GIF87a", "photo.gif", "image/gif"),
        (None, MAGIC[".gif"], "media.gif", "image/gif"),
        ("", JPEG, "media.jpg", "image/jpeg"),
        ("照片.jpg", JPEG, "media.jpg", "image/jpeg"),
        ("图.png", b"not a picture", "media.png", "image/png"),
        (".jpg", JPEG, "media.jpg", "image/jpeg"),
        ("/tmp/a b/c d.jpg", JPEG, "c-d.jpg", "image/jpeg"),
        (r"C:\Users\me\photo.jpg", JPEG, "photo.jpg", "image/jpeg"),
        ('a";\r\nX: y".jpg', JPEG, "a-X-y.jpg", "image/jpeg"),
        ("a.jpg\n", JPEG, "a.jpg", "image/jpeg"),
        ("tmp/phpA1b2C3", JPEG, "phpA1b2C3.jpg", "image/jpeg"),
        ("x" * 300 + ".jpg", JPEG, "x" * 60 + ".jpg", "image/jpeg"),
        ("a.tar.webp", b"RIFF....WEBP", "a-tar.webp", "application/octet-stream"),
        ("voice.AMR", b"#!AMR\n", "voice.amr", "audio/amr"),
        ("voice.mp3", b"ID3", "voice.mp3", "audio/mpeg"),
        ("video.mp4", b"\x00\x00\x00\x18ftyp", "video.mp4", "video/mp4"),
    ],
)
def test_the_name_is_plain_and_fits_the_content(
    filename: str | None, content: bytes, name: str, part_type: str
) -> None:
    """WeChat judges by the extension: a picture gets its own, anything else keeps the one it was given."""
    body, _ = media_part(content, filename, BOUNDARY)
    expected = (
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="media"; filename="{name}"\r\n'
        f"Content-Type: {part_type}\r\n\r\n"
    )
    assert expected.encode("ascii") == body.head
    assert f"\r\n--{BOUNDARY}--\r\n".encode("ascii") == body.tail


@pytest.mark.parametrize("filename", [None, "", "photo", "照片", "a.b", "a.toolong", "a.", "a.é", "a.jpg/"])
def test_an_unknown_content_needs_a_name_with_an_extension(filename: str | None) -> None:
    """WeChat would answer 40005."""
    with pytest.raises(InvalidMessage, match=r"^filename: is required, with an extension.*40005"):
        media_part(b"not a picture", filename, None)


@pytest.mark.parametrize("filename", [b"a.jpg", Path("a.jpg"), 7])
def test_a_name_is_a_str(filename: Any) -> None:
    """Bytes and paths are refused by name, not by some TypeError of a regular expression."""
    with pytest.raises(InvalidMessage, match=f"^filename: must be a str, not {type(filename).__name__}"):
        media_part(JPEG, filename, None)


@pytest.mark.parametrize("filename", ["a.jpg", None])
@pytest.mark.parametrize("content", [b"", bytearray(), io.BytesIO()], ids=["bytes", "bytearray", "file"])
def test_nothing_is_not_sent(content: Any, filename: str | None) -> None:
    """An empty file is refused here, whatever its name; WeChat would answer 44001."""
    with pytest.raises(InvalidMessage, match=r"^file: is empty: WeChat answers 44001"):
        media_part(content, filename, None)


def test_a_file_in_text_mode_is_told_how_to_open_it(tmp_path: Path) -> None:
    """Both a text that decodes and a picture that does not get the same advice."""
    for content in (b"text", JPEG):
        path = tmp_path / "a.jpg"
        path.write_bytes(content)
        with path.open(encoding="utf-8") as file, pytest.raises(InvalidMessage, match=r"text mode: open it with 'rb'"):
            media_part(cast(Any, file), "a.jpg", None)


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


def test_a_stream_is_refused_with_a_way_out() -> None:
    """Its length is unknown, and WeChat answers a chunked body with HTTP 412."""
    with pytest.raises(InvalidMessage, match=r"^file: cannot be rewound.*pass file\.read\(\)"):
        media_part(Pipe(JPEG), "a.jpg", None)


def _closed() -> io.BytesIO:
    file = io.BytesIO(JPEG)
    file.close()
    return file


class Odd(io.BytesIO):
    """A file that reads well until its start is known, and then gives something else."""

    def __init__(self, gives: Any, *, sound: int = 1) -> None:
        super().__init__(JPEG + bytes(200_000))
        self.gives, self.sound = gives, sound

    def read(self, size: int | None = -1) -> Any:
        self.sound -= 1
        return super().read(size) if self.sound >= 0 else self.gives


ODD = {
    "too many bytes": (bytes(70_000), r"its read\(\d+\) gave 70000 bytes"),
    "another request": (bytes(65_536) + b"POST / HTTP/1.1\r\n\r\n", r"its read\(\d+\) gave 655\d\d bytes"),
    "None": (None, r"its read\(\d+\) gave None"),
    "bytearray": (bytearray(8), r"its read\(\d+\) gave bytearray"),
    "str": ("text", "is open in text mode"),
    "nothing": (b"", "became 200012 bytes shorter while it was being sent"),
}


@pytest.mark.parametrize("sound", [0, 1])
@pytest.mark.parametrize("name", ODD)
def test_a_file_that_is_not_read_as_files_are_is_refused(name: str, sound: int) -> None:
    """Neither more than was announced may leave, nor anything but bytes: not at the start, and not later."""
    gives, problem = ODD[name]
    left: list[bytes] = []
    with pytest.raises(InvalidMessage, match=rf"^file: .*{problem if sound or name != 'nothing' else 'is empty'}"):
        left.extend(media_part(Odd(gives, sound=sound), "a.jpg", BOUNDARY)[0])
    assert sound == len(left)


class Seeking(io.BytesIO):
    """A file whose `seek` and `tell` return the given values."""

    def __init__(self, *, seek: Any = None, tell: Any = None) -> None:
        super().__init__(JPEG)
        self._seek, self._tell = seek, tell

    def seek(self, at: int, whence: int = 0) -> Any:
        super().seek(at, whence)
        return self._seek

    def tell(self) -> Any:
        return super().tell() if self._tell is None else self._tell


@pytest.mark.parametrize("seek", [None, "7", 3])
def test_what_seek_returns_does_not_matter(seek: object) -> None:
    """Some files return None; `tell` knows where the end is."""
    body, _ = media_part(Seeking(seek=seek), "a.jpg", BOUNDARY)
    assert JPEG in b"".join(body)
    assert len(body) == len(b"".join(body))


@pytest.mark.parametrize("tell", ["7", 0, -1, 15.0])
def test_a_file_without_a_size_is_refused(tell: object) -> None:
    """An empty part would go out instead."""
    with pytest.raises(InvalidMessage, match=r"^file: has no known size, like a device or a pipe"):
        media_part(Seeking(tell=tell), "a.jpg", None)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no such files here")
@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/dev/zero", "has no known size"),
        ("/dev/null", "is empty"),
        ("/proc/self/status", "has no known size"),
    ],
)
def test_an_open_device_is_refused(path: str, problem: str) -> None:
    """Its size is unknown, although it can be sought."""
    with Path(path).open("rb") as file, pytest.raises(InvalidMessage, match=f"^file: {problem}"):
        media_part(file, "a.jpg", None)


class Unended(io.BytesIO):
    def seek(self, at: int, whence: int = 0) -> int:
        if whence:
            raise OSError(22, "Invalid argument")
        return super().seek(at)


def test_a_file_whose_end_cannot_be_sought_has_no_size() -> None:
    """As the files of /proc on some systems."""
    with pytest.raises(InvalidMessage, match=r"^file: has no known size"):
        media_part(Unended(JPEG), "a.jpg", None)


def test_a_file_that_is_closed_before_it_is_sent_is_told() -> None:
    """A request is a value and may be kept; its file has to stay open."""
    file = io.BytesIO(JPEG)
    body, _ = media_part(file, "a.jpg", None)
    file.close()
    with pytest.raises(InvalidMessage, match=r"^file: is closed: keep it open until it has been sent"):
        list(body)


def test_a_file_that_is_open_for_writing_is_told(tmp_path: Path) -> None:
    """Its mode is the mistake."""
    with (
        (tmp_path / "a.jpg").open("wb") as file,
        pytest.raises(InvalidMessage, match=r"^file: cannot be read: open it"),
    ):
        media_part(cast(BinaryIO, file), "a.jpg", None)


@pytest.mark.parametrize(
    "view", [memoryview(JPEG + b"abc")[::2], memoryview(JPEG)[::-1], memoryview(bytes(24)).cast("B", (4, 6))[1:]]
)
def test_a_view_with_gaps_is_sent_as_what_it_shows(view: memoryview) -> None:
    """Its bytes in their order, as `bytes(view)` gives them."""
    body, _ = media_part(cast(bytes, view), "a.amr", BOUNDARY)
    assert [body.head, view.tobytes(), body.tail] == list(body)


def test_a_view_that_was_released_is_refused() -> None:
    """By name, as a closed file."""
    view = memoryview(JPEG)
    view.release()
    with pytest.raises(InvalidMessage, match=r"^file: must be bytes or an open binary file, not memoryview"):
        media_part(cast(bytes, view), "a.jpg", None)


@pytest.mark.parametrize("content", ["a.jpg", None, 7, Path("a.jpg"), [JPEG], _closed()])
def test_what_is_no_file_is_refused(content: Any) -> None:
    """The error says what it got, and where a path goes."""
    with pytest.raises(InvalidMessage, match=r"^file: must be bytes or an open binary file, not .*pass a path to"):
        media_part(content, "a.jpg", None)


@pytest.mark.parametrize(
    "wrong", ["", "x" * 71, "a b", 'a"b', "a\r\nb", "边界", "a;b", "a,b", "a:b", "a=b", "a'b", "a\n"]
)
def test_a_boundary_needs_no_quotes(wrong: str) -> None:
    """Servers have failed over a quoted boundary, so one that would need quotes is refused."""
    with pytest.raises(InvalidMessage, match=r"^boundary: must be 1 to 70 ASCII letters, digits, _ . or -"):
        media_part(JPEG, None, wrong)


def test_the_boundary_cannot_be_foreseen() -> None:
    """Unless given it is random, so that no file can hold it on purpose."""
    types = {media_part(JPEG, None, None)[1] for _ in range(50)}
    assert 50 == len(types)
    assert {len(content_type) for content_type in types} == {len("multipart/form-data; boundary=") + 32}


@pytest.mark.parametrize("wide", [memoryview(bytes(range(240))).cast("d"), bytearray(240), bytes(240)])
def test_pieces_count_bytes(wide: Any) -> None:
    """A view of wider items is cut by bytes, not by items."""
    assert memoryview(wide).tobytes() == b"".join(pieces(wide))
    body = Multipart(b"", wide, b"")
    assert 240 == len(body)


def test_pieces_are_bytes_of_their_own() -> None:
    """A recorder that keeps one, for example, keeps what was sent at that moment."""
    content = bytearray(PIECE + 1)
    kept = list(pieces(content))
    content[0] = 1
    assert [bytes(PIECE), bytes(1)] == kept
    assert {bytes} == {type(piece) for piece in kept}


def test_equal_parts_make_equal_bodies() -> None:
    """A body is a value, and what is equal has the same hash."""
    body = Multipart(b"head", b"content", b"tail")
    mutable: Any = bytearray(b"content")
    assert body == Multipart(b"head", mutable, b"tail")
    assert hash(body) == hash(Multipart(b"head", mutable, b"tail"))
    assert body == copy.copy(body)
    assert body != Multipart(b"head", b"other", b"tail")
    assert body != b"headcontenttail"


def test_repr_shows_sizes() -> None:
    """Never the content."""
    assert "<Multipart, 7 bytes of content, 15 in all>" == repr(Multipart(b"head", b"content", b"tail"))


@pytest.mark.parametrize(
    ("start", "extension"),
    [
        (b"\xff\xd8\xff\xdb", ".jpg"),
        (b"\x89PNG\r\n\x1a\n", ".png"),
        (b"GIF87a", ".gif"),
        (b"GIF89a", ".gif"),
        (b"GIF88a", None),
        (b"\xff\xd8", None),
        (b"RIFF\0\0\0\0WEBP", None),
        (b"<svg", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_magic(start: bytes, extension: str | None) -> None:
    """JPEG, PNG and GIF, and nothing else."""
    assert extension == extension_of(start)
