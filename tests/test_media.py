"""What the calls for media give, and how a medium is saved: under a safe name, and over nothing that is there."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxcs_lite.errors import InvalidMessage
from wxcs_lite.media import Media
from wxcs_lite.multipart import safe_name
from wxcs_lite.replies import read_media

JPEG, AMR = b"\xff\xd8\xff\xe0 made up", b"#!AMR\n"
MEDIA_TYPES = (".jpg", ".jpeg", ".png", ".gif", ".amr", ".mp3", ".mp4", ".bin")
RESERVED = ("CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10)))
NAMES = [
    ("MEDIA_ID.jpg", "MEDIA_ID.jpg"),
    ("a.JPEG", "a.JPEG"),
    ("eYJ1M-b_x.png", "eYJ1M-b_x.png"),
    ("_a.tar.mp3", "_a.tar.mp3"),
    ("conftest.py", "media.jpg"),
    ("setup.py", "media.jpg"),
    ("Makefile", "media.jpg"),
    ("index.html", "media.jpg"),
    ("desktop.ini", "media.jpg"),
    ("a.jpg.exe", "media.jpg"),
    ("a.jpg.", "media.jpg"),
    ("a.jpg ", "media.jpg"),
    ("jpg", "media.jpg"),
    (".jpg", "media.jpg"),
    ("..jpg", "media.jpg"),
    ("../a.jpg", "media.jpg"),
    ("a.jpg:b.jpg", "media.jpg"),
    ("a\n.jpg", "media.jpg"),
    ("照片.jpg", "media.jpg"),
    ("", "media.jpg"),
    ("-rf", "media.jpg"),
    ("-rf.jpg", "media-rf.jpg"),
    ("NUL", "media.jpg"),
    ("nul.jpg", "media-nul.jpg"),
    ("Com1.tar.jpg", "media-Com1.tar.jpg"),
    ("COM10.jpg", "COM10.jpg"),
    ("nullify.jpg", "nullify.jpg"),
]


@pytest.mark.parametrize(("name", "safe"), NAMES)
def test_the_server_chooses_no_dangerous_name(name: str, safe: str) -> None:
    """A name is plain, has the extension of a medium, and is neither an option nor a device of Windows."""
    assert safe == safe_name(name, JPEG)
    assert "media.bin" == safe_name("conftest.py", AMR)


@pytest.mark.parametrize("device", RESERVED)
def test_a_device_of_windows_is_no_name(device: str) -> None:
    """In any case, and whatever follows a dot."""
    for name in (f"{device}.jpg", f"{device.lower()}.tar.png", f"{device.title()}..gif"):
        assert f"media-{name}" == safe_name(name, b"")


@given(st.text(max_size=120) | st.from_regex(r"[-._A-Za-z0-9]{0,120}\\.(jpg|PNG|gif|py|mp4)", fullmatch=True))
def test_any_name_becomes_a_safe_one(name: str) -> None:
    """Whatever a server says."""
    safe = safe_name(name, AMR)
    assert safe.isascii()
    assert safe[0] not in "-."
    assert not set(safe) & set("/\\: \n\0*?\"'<>|$`")
    assert len(safe) <= 110
    assert safe.lower().endswith(MEDIA_TYPES)
    assert safe.partition(".")[0].upper() not in RESERVED
    assert safe == safe_name(safe, AMR) or "media.bin" == safe


@pytest.mark.parametrize("name", [*(name for name, _ in NAMES), "/etc/cron.d/job.jpg", r"C:\Windows\a.jpg"])
def test_what_is_downloaded_has_a_safe_name(name: str) -> None:
    """As `Media.filename` and as `Stream.filename`, which comes from here."""
    medium = read_media(200, {"Content-Disposition": f'attachment; filename="{name}"'}, JPEG)
    assert medium.filename == safe_name(medium.filename, JPEG)


@pytest.mark.parametrize(("name", "safe"), NAMES)
def test_a_medium_that_was_made_by_hand_is_saved_under_a_safe_name(name: str, safe: str, tmp_path: Path) -> None:
    """A `Media` is a tuple: anybody can put anything into it."""
    assert tmp_path / safe == Media(JPEG, "image/jpeg", name).save(tmp_path)
    assert [safe] == [found.name for found in tmp_path.iterdir()]
    assert JPEG == (tmp_path / safe).read_bytes()


MEDIUM = Media(JPEG, "image/jpeg", "a.jpg")


@pytest.mark.parametrize("kind", [Path, str])
def test_a_medium_is_saved_under_any_path(kind: type, tmp_path: Path) -> None:
    """The caller's own name is theirs to choose; its path comes back."""
    for name in ("b.jpg", "conftest.py"):
        assert tmp_path / name == MEDIUM.save(kind(tmp_path / name))
        assert JPEG == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("into", [".", "a.jpg"])
def test_a_file_that_is_there_stays_unless_told_otherwise(into: str, tmp_path: Path) -> None:
    """Under a name of the server's or of one's own: the error names what to pass."""
    there = tmp_path / "a.jpg"
    there.write_bytes(b"mine, and longer than what comes")
    with pytest.raises(InvalidMessage, match=r"a\.jpg' exists already: pass replace=True") as caught:
        MEDIUM.save(tmp_path / into)
    assert "replace" == caught.value.field
    assert b"mine, and longer than what comes" == there.read_bytes()
    assert there == MEDIUM.save(tmp_path / into, replace=True)
    assert JPEG == there.read_bytes()


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("to", ["no-such-file", "there.jpg"])
@pytest.mark.parametrize("into", [".", "a.jpg"])
def test_a_link_is_not_followed(into: str, to: str, replace: bool, tmp_path: Path) -> None:
    """Whether it leads somewhere or nowhere."""
    (tmp_path / "there.jpg").write_bytes(b"mine")
    (tmp_path / "a.jpg").symlink_to(tmp_path / to)
    with pytest.raises(InvalidMessage, match=r"^path: .*a\.jpg' is a symbolic link: name the file itself"):
        MEDIUM.save(tmp_path / into, replace=replace)
    assert b"mine" == (tmp_path / "there.jpg").read_bytes()
    assert not (tmp_path / "no-such-file").exists()


@pytest.mark.parametrize("replace", [False, True])
def test_a_directory_of_that_name_is_told(replace: bool, tmp_path: Path) -> None:
    """It is not entered once more."""
    (tmp_path / "a.jpg").mkdir()
    with pytest.raises(InvalidMessage, match=r"^path: .*a\.jpg' exists and is not a regular file"):
        MEDIUM.save(tmp_path, replace=replace)


def test_a_long_path_is_not_quoted_whole(tmp_path: Path) -> None:
    """Its end is, where the name is."""
    with pytest.raises(InvalidMessage) as caught:
        MEDIUM.save(MEDIUM.save(tmp_path / ("a long name " * 12 + ".jpg")))
    assert len(str(caught.value)) < 300
    assert "a long name .jpg'" in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are missing")
@pytest.mark.parametrize("replace", [False, True])
def test_a_pipe_of_that_name_is_told(replace: bool, tmp_path: Path) -> None:
    """Otherwise saving would wait until somebody reads."""
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(InvalidMessage, match="is not a regular file"):
        MEDIUM.save(tmp_path, replace=replace)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("made", ["file", "link", "dangling link"])
def test_what_appears_between_the_look_and_the_opening_stays(
    made: str, replace: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The opening itself refuses it, with the system's error; a file alone is replaced where that was asked for."""
    mine, target, real = tmp_path / "mine", tmp_path / "a.jpg", os.open
    mine.write_bytes(b"mine")

    def late(path: str, flags: int, mode: int) -> int:
        if made == "file":
            target.write_bytes(b"late")
        else:
            target.symlink_to(mine if made == "link" else tmp_path / "nowhere")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", late)
    if replace and made == "file":
        MEDIUM.save(target, replace=True)
        assert JPEG == target.read_bytes()
    else:
        with pytest.raises(OSError, match=r"File exists|symbolic links"):
            MEDIUM.save(target, replace=replace)
    assert b"mine" == mine.read_bytes()
    assert not (tmp_path / "nowhere").exists()


def test_what_the_system_refuses_is_its_error(tmp_path: Path) -> None:
    """No such directory, no permission, no space."""
    with pytest.raises(FileNotFoundError):
        MEDIUM.save(tmp_path / "no" / "such.jpg")
