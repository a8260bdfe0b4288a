"""Recordings of VCR: what is read of them, and how the sandbox is brought to where the account was."""

import builtins
import json
from collections.abc import Sequence
from pathlib import Path
from traceback import walk_tb
from typing import Any

import pytest
import yaml

from tests.hostile import OK
from wxcs_lite.sandbox.samples import sunset
from wxcs_lite.terminal.compare.differences import Difference, grouped
from wxcs_lite.terminal.compare.recording import read_recording, replayed, secrets_of

CASSETTES = Path(__file__).parents[1] / "cassettes"
API = "https://api.weixin.qq.com"
SEND = f"{API}/cgi-bin/message/custom/send"


def call(uri: str, body: Any, answer: Any, *, method: str = "POST", headers: Any = None, status: int = 200) -> Any:
    """Return an interaction as VCR writes it; bodies that are dicts are JSON."""
    text, replied = (json.dumps(one) if isinstance(one, dict) else one for one in (body, answer))
    return {
        "request": {"method": method, "uri": uri, "body": text, "headers": headers or {}},
        "response": {
            "status": {"code": status, "message": "OK"},
            "headers": {"Content-Type": ["application/json; encoding=utf-8"]},
            "body": {"string": replied},
        },
    }


def written(folder: Path, *interactions: Any) -> str:
    """Return the path of a cassette."""
    file = folder / "cassette.yaml"
    file.write_text(yaml.safe_dump({"interactions": list(interactions), "version": 1}), "utf-8")
    return str(file)


def differences(path: str) -> Sequence[Difference]:
    exchanges = read_recording(path)
    return grouped(replayed(exchanges), secrets_of(exchanges))


@pytest.mark.parametrize("path", sorted(CASSETTES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_cassettes_here_do_not_differ(path: Path) -> None:
    """They were recorded from the sandbox, and have placeholders in place of tokens, openids and media_ids."""
    assert [] == differences(str(path))


def message(touser: str, **more: Any) -> dict[str, Any]:
    return {"touser": touser, "msgtype": "text", "text": {"content": "hi"}, **more}


TEXT = message("oOPENID")
REFUSED = {
    "errcode": 45015,
    "errmsg": "response out of time limit or subscription is canceled rid: " + "-".join(["6" * 8] * 3),
}


def test_what_the_account_accepted_was_good_before(tmp_path: Path) -> None:
    """A token that came from elsewhere, a customer who had written; whoever was refused had not."""
    path = written(
        tmp_path,
        call(f"{SEND}?access_token=80_from-elsewhere", TEXT, OK.decode()),
        call(f"{SEND}?access_token=80_from-elsewhere", message("oSOMEBODY"), REFUSED),
    )
    assert [] == differences(path)


def test_a_token_that_was_refused_is_not_good(tmp_path: Path) -> None:
    """The sandbox refuses it as well, and a call without one."""
    refusal = "invalid credential, access_token is invalid or not latest, could get access_token by "
    refusal += "getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r rid: " + "-".join(["6" * 8] * 3)
    missing = "access_token missing rid: " + "-".join(["6" * 8] * 3)
    path = written(
        tmp_path,
        call(f"{SEND}?access_token=80_old", TEXT, {"errcode": 40001, "errmsg": refusal}),
        call(SEND, TEXT, {"errcode": 41001, "errmsg": missing}),
    )
    assert [] == differences(path)


def test_a_customer_wrote_again_where_the_account_sent_more_than_five(tmp_path: Path) -> None:
    """The recording does not show it, but it must have been so."""
    path = written(tmp_path, *[call(f"{SEND}?access_token=80_x", TEXT, OK.decode())] * 11)
    assert [] == differences(path)


def test_a_medium_was_there_before(tmp_path: Path) -> None:
    """A picture from a customer is downloaded, and sent on; one that the account did not know is unknown here, too."""
    picture = call(
        f"{API}/cgi-bin/media/get?access_token=80_x&media_id=OF_A_CUSTOMER", None, sunset(4, 4), method="GET"
    )
    names = ("Content-Type", "Cache-Control", "Content-disposition")
    picture["response"]["headers"] = dict(zip(names, (["image/png"], ["no-cache"], ["attachment"]), strict=True))
    sent = {"touser": "oOPENID", "msgtype": "image", "image": {"media_id": "FROM_ELSEWHERE"}}
    part = {"title": "t", "pagepath": "p", "thumb_media_id": "FROM_ELSEWHERE"}
    card = {"touser": "oOPENID", "msgtype": "miniprogrampage", "miniprogrampage": part}
    unknown = {**sent, "image": {"media_id": "UNKNOWN"}}
    path = written(
        tmp_path,
        picture,
        call(f"{SEND}?access_token=80_x", sent, OK.decode()),
        call(f"{SEND}?access_token=80_x", card, OK.decode()),
        call(f"{SEND}?access_token=80_x", unknown, {"errcode": 40007, "errmsg": "invalid media_id"}),
    )
    # Nothing else: the account's errmsg was made up without a rid.
    assert [("end of errmsg", "hint: […] rid: …", "-")] == [one[:3] for one in differences(path)]


def test_what_an_earlier_reply_gave_is_used_later(tmp_path: Path) -> None:
    """The token, and the rid of a refusal, each in place of the account's own."""
    rid = "66666666-77777777-88888888"
    noted = dict.fromkeys(("request_url", "request_body", "response_body", "client_ip"), "")
    path = written(
        tmp_path,
        call(
            f"{API}/cgi-bin/stable_token",
            {"grant_type": "client_credential", "appid": "wx12", "secret": "made-up"},
            {"access_token": "80_given", "expires_in": 7200},
        ),
        call(
            f"{SEND}?access_token=80_given", message("o?"), {"errcode": 40003, "errmsg": f"invalid openid rid: {rid}"}
        ),
        call(
            f"{API}/cgi-bin/openapi/rid/get?access_token=80_given",
            {"rid": rid},
            {"errcode": 0, "errmsg": "ok", "request": {"invoke_time": 1, "cost_in_ms": 1, **noted}},
        ),
    )
    assert [] == differences(path)


def test_secrets_of_a_recording_are_not_shown(tmp_path: Path) -> None:
    """One that nobody scrubbed: what is named like a secret is found in its requests and replies."""
    answer = {
        "errcode": 40013,
        "errmsg": "no made-up-secret of wx-made-up for o-made-up with 80_made-up, MEDIA-made-up",
    }
    path = written(
        tmp_path,
        call(f"{SEND}?access_token=80_made-up", {**message("o-made-up"), "secret": "made-up-secret"}, answer),
        call(f"{API}/cgi-bin/x?appid=wx-made-up", None, {"errcode": 0, "media_id": "MEDIA-made-up"}, method="GET"),
    )
    shown = repr(differences(path))
    assert "40013 no *** of *** for *** with ***, ***" in shown
    assert "made-up" not in shown


BROKEN = {
    "nothing": b"",
    "a list": b"- 1",
    "no YAML": b"a: [",
    "an object": b"interactions: !!python/object/apply:os.getcwd []",
    "not UTF-8": b"\xff\xfe\x00",
    "no uri": b"interactions: [{request: {made-up: made-up}, response: {}}]",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_is_no_recording_is_refused(content: bytes, tmp_path: Path) -> None:
    """In two languages, and without a word of what is in it, because it may be a secret."""
    file = tmp_path / "cassette.yaml"
    file.write_bytes(content)
    with pytest.raises(
        ValueError, match="the cassette cannot be read: it is not a recording of VCR\n无法读取"
    ) as raised:
        read_recording(str(file))
    assert raised.value.__context__ is None
    assert "made-up" not in repr([frame.f_locals for frame, _ in walk_tb(raised.tb) if "wxcs_lite" in str(frame)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "GET /"},
        {"headers": {"Content-Type": ["a\r\nb"]}},
        {"body": 5},
        {"uri": 5},
    ],
)
def test_a_request_that_cannot_be_sent_is_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    """As if the file were no recording at all."""
    interaction = call(SEND, TEXT, OK.decode())
    interaction["request"].update(wrong)
    with pytest.raises(ValueError, match="not a recording"):
        read_recording(written(tmp_path, interaction))


def test_a_file_that_is_not_there() -> None:
    """Is reported in the system's words, and in Chinese ones."""
    with pytest.raises(ValueError, match="cannot be read: No such file or directory\n无法读取录制文件：找不到"):
        read_recording("/nowhere/cassette.yaml")


def test_without_pyyaml_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core does without; VCR brings it."""
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "yaml":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match="pip install pyyaml"):
        read_recording("cassette.yaml")
