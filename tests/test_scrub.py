"""Text from outside loses what is named like a secret or as long as one, and keeps what helps."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxcs_lite.scrub import scrub


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("", ""),
        ("/media/get?access_token=80_x&media_id=M", "/media/get?access_token=***&media_id=M"),
        ("/media/get?media_id=M&access_token=80_x", "/media/get?media_id=M&access_token=***"),
        ("grant_type=client_credential&appid=A&secret=S", "grant_type=client_credential&appid=A&secret=***"),
        ('{"access_token":"80_x","expires_in":7200}', '{"access_token":"***","expires_in":7200}'),
        ('{"appid": "A", "secret" : "S"}', '{"appid": "A", "secret" : "***"}'),
        ("{'appsecret': 'S', 'session_key': 'K'}", "{'appsecret': '***', 'session_key': '***'}"),
        ("ACCESS_TOKEN=80_x", "ACCESS_TOKEN=***"),
        ("aes_key=K, AESKey: K", "aes_key=***, AESKey: ***"),
        ("the token " + "a" * 32 + " is wrong", "the token *** is wrong"),
        ("http://x/?t=" + "%3D" * 11, "http://x/?***"),
        ("a" * 31, "a" * 31),
    ],
)
def test_scrubbing_blanks_what_is_named_or_long(text: str, scrubbed: str) -> None:
    """A value named like a secret, or as long as one, becomes three stars; the rest stays readable."""
    assert scrubbed == scrub(text)


@pytest.mark.parametrize(
    "errmsg",
    [
        "access_token missing rid: 6aac0064-355b48ab-4c5b487e",
        "invalid appsecret rid: 67b81456-7702e5f9-2c9e1783",
        "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: 6aac005a-01bfdbee-79769285",
        "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, "
        "more details at https://mmbizurl.cn/s/JtxxFh33r rid: 6aac0075-1b3628cf-4ed2dcbf",
        "empty post data hint: [fEmAsDOre-5_d8LA] rid: 62183ab5-2b35a499-4ccae8ac",
    ],
)
def test_scrubbing_keeps_what_helps(errmsg: str) -> None:
    """Texts of WeChat's errors, with rid, hint and address, are not taken for secrets."""
    assert errmsg == scrub(errmsg)


@settings(deadline=None)
@given(
    before=st.text(max_size=40),
    form=st.sampled_from(
        ["access_token=%s&a=1", '"secret":"%s"', "'secret': '%s'", '"appsecret" : "%s"', "aes_key=%s"]
    ),
    secret=st.text(st.sampled_from("MARKERmarker0189_-"), min_size=6, max_size=40),
    after=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
def test_no_named_secret_survives(before: str, form: str, secret: str, after: str) -> None:
    """Whatever surrounds it, a secret in a named place is removed."""
    secret = f"~{secret}~"
    assert secret not in scrub(before + form % secret + after)
