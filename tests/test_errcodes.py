"""The error catalogue: complete, bilingual, readable, and safe to print."""

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from wxcs_lite import catalogue, errcodes
from wxcs_lite.errcodes import RETRY, Explanation, explain

# What is published, and where: the one list that the catalogue and the sandbox are both compared with.
PUBLISHED = json.loads((Path(__file__).parent / "published_errcodes.json").read_text(encoding="utf-8"))
CODES = {row["errcode"]: row for row in PUBLISHED["rows"]}
KINDS = {"token", "window", "quota", "media", "typing"}

CHINESE = re.compile(r"[\u2e80-\uffef]")
EVERY = sorted({*CODES, 0, 99999})
WHITELIST = "Add the address that errmsg names to the IP whitelist in the console; it takes 5 to 10 minutes to work."


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


def test_every_code_has_one_row() -> None:
    """In the catalogue, and in what is published; test_completeness.py checks that none is missing."""
    for codes in ([row[0] for row in catalogue.ROWS], [row["errcode"] for row in PUBLISHED["rows"]]):
        assert {} == {errcode: count for errcode, count in Counter(codes).items() if count > 1}


def test_every_published_code_says_where_it_was_published() -> None:
    """A reader who doubts a row can look it up."""
    for row in CODES.values():
        assert set(row) - {"errcode"} <= PUBLISHED.keys()
        assert set() < set(row["published"].split()) <= PUBLISHED["published"].keys()


@pytest.mark.parametrize("row", catalogue.ROWS, ids=lambda row: str(row[0]))
def test_the_row_says_what_is_published(row: catalogue.Row) -> None:
    """The class of the error and what a retry is worth."""
    errcode, kind, retry, *_ = row
    assert (kind, retry) == (CODES[errcode]["kind"], CODES[errcode]["retry"])


def test_every_kind_and_every_worth_of_a_retry_is_used() -> None:
    """And no row has any other."""
    assert {"", *KINDS} == {row["kind"] for row in CODES.values()}
    assert set(RETRY) == {row["retry"] for row in CODES.values()}


def test_every_code_can_be_searched_for() -> None:
    """A reader who searches the file for a number finds it."""
    source = Path(catalogue.__file__).read_text(encoding="utf-8")
    assert {int(number) for number in re.findall(r"-?\b\d+\b", source)} >= CODES.keys()


@pytest.mark.parametrize(
    ("errcode", "seen"),
    [
        (45015, ("seconds after a successful send (2020, 2023)", "几秒后又报此码")),
        (70000, ("seen in 2024, with an errmsg in Chinese", "errmsg 为中文")),
        (-1, ("a card whose thumb_media_id looked like a permanent", "thumb_media_id 像是永久素材")),
    ],
)
def test_what_was_seen_beside_the_meaning_is_admitted(errcode: int, seen: tuple[str, str]) -> None:
    """What was seen, but is not covered by the published meaning, is given with its year, in both languages."""
    it = explain(errcode)
    assert seen[0] in it.cause
    assert seen[1] in it.cause_zh


def test_success_is_explained_too() -> None:
    """Code 0 is not an error: it says that the call succeeded and that a retry is not needed."""
    it = explain(0)
    expected = Explanation(*catalogue.SUCCESS)
    assert expected == it
    assert {"", "ok", "成功", 0} < set(it)
    assert "Not needed." in it.retry_text
    assert "无需重试。" in it.retry_text


@pytest.mark.parametrize("errcode", [1, -2, 99999, 2**64])
def test_an_unknown_code_says_so(errcode: int) -> None:
    """A code without a row claims nothing, and points to errmsg, rid and the official page."""
    it = explain(errcode, "something new rid: 6aac005a-01bfdbee-79769285")
    assert (errcode, "", "", "not in the catalogue") == it[:4]
    assert all(word in it.remedy and word in it.remedy_zh for word in ("errmsg", "rid", "developers.weixin.qq.com"))
    assert it.retry_text[0].startswith("Unknown")


def test_the_reply_window_is_explained_with_its_numbers() -> None:
    """45047 says how many messages there are and for how long, and to wait for the customer."""
    it = explain(45047)
    assert all(number in it.cause and number in it.cause_zh for number in ("5", "48", "2", "1"))
    assert "when the user writes again" in it.remedy
    assert "等用户再次发来消息" in it.remedy_zh


@pytest.mark.parametrize(
    ("errmsg", "address"),
    [
        ("invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: 6aac005a-01bfdbee-79769285", "1.2.3.4"),
        ("invalid ip 101.45.43.1 ipv6 ::ffff:101.45.43.1, not in whitelist hint: [jotvMa01143580]", "101.45.43.1"),
        ("invalid ip 1.2.3.4, not in whitelist", "1.2.3.4"),
        ("invalid ip 1.2.3.4", "1.2.3.4"),
        ("invalid ip 2001:db8::1 ipv6 2001:db8::1, not in whitelist", "2001:db8::1"),
        ("invalid ip  ipv6 2001:db8::1, not in whitelist", "2001:db8::1"),
        ("invalid ip unknown ipv6 ::ffff:1.2.3.4, not in whitelist", "1.2.3.4"),
        ("invalid ip 999.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist", "1.2.3.4"),
    ],
)
def test_the_address_to_whitelist_is_named(errmsg: str, address: str) -> None:
    """For 40164 the remedy names the address that WeChat saw, as plain IPv4 where it is one."""
    it = explain(40164, errmsg)
    assert f"{WHITELIST} The address to add: {address}" == it.remedy
    assert it.remedy_zh.endswith(f"要添加的地址：{address}")


@pytest.mark.parametrize(
    "errmsg",
    [
        "",
        "not in whitelist",
        "invalid ip <b>1.2.3.4</b>, not in whitelist",
        "invalid ip 1.2.3.4<script>alert(1)</script>, not in whitelist",
        "invalid ip 1.2.3.4\x1b[31m, not in whitelist",
        "invalid ip 1.2.3, not in whitelist",
        "invalid ip 1.2.3.4.5, not in whitelist",
        "invalid ip 01.2.3.4, not in whitelist",
        "invalid ip ١.٢.٣.٤, not in whitelist",
        "invalid ip fe80::1%<b>, not in whitelist",
        "invalid ip " + "1" * 10_000 + ", not in whitelist",
        "invalid ip " * 10_000,
    ],
)
def test_only_a_true_address_gets_through(errmsg: str) -> None:
    """An errmsg comes from outside: markup, escapes and near misses leave the remedy as it is."""
    assert explain(40164) == explain(40164, errmsg)


def test_errmsg_changes_nothing_else() -> None:
    """An address in the errmsg of another code is not taken for advice."""
    assert explain(40001) == explain(40001, "invalid ip 1.2.3.4, not in whitelist")


@pytest.mark.parametrize(("wrong", "name"), [("45047", "str"), (45047.0, "float"), (True, "bool"), (None, "NoneType")])
def test_anything_but_an_int_is_refused_with_advice(wrong: Any, name: str) -> None:
    """A string, float or bool is a mistake in the call, and the text says what to pass."""
    with pytest.raises(TypeError, match=rf"not {name}: .*explain\(45047\).*explain\(error\.errcode\)"):
        explain(wrong)


@pytest.mark.parametrize("errcode", EVERY)
def test_the_text_fits_a_terminal(errcode: int) -> None:
    """An English block, then a Chinese one, 80 columns wide, with nothing lost at the breaks."""
    it = explain(errcode)
    english, chinese = str(it).split("\n\n")
    retry, retry_zh = it.retry_text
    assert not [line for line in str(it).splitlines() if columns(line) > 80 or line != line.rstrip()]
    assert f"{errcode}{it.meaning}Cause{it.cause}Do{it.remedy}Retry{retry}".replace(" ", "") == "".join(english.split())
    assert f"{errcode}{it.meaning_zh}原因{it.cause_zh}处理{it.remedy_zh}重试{retry_zh}".replace(" ", "") == "".join(
        chinese.split()
    )
    assert not [line for line in chinese.splitlines() if re.match(r"\s*[，。；：、！？）》”]", line)]


def test_long_words_and_stray_quotes_are_kept() -> None:
    """Text that cannot be broken nicely is still printed whole."""
    it = explain(0)._replace(cause="“ " + "x" * 100, cause_zh="“ ”（）")
    assert "  Cause  “\n         " + "x" * 100 in str(it)
    assert "  原因   “ ”（）" in str(it)


def test_a_notebook_shows_a_table_in_both_languages() -> None:
    """The table is well formed, holds every text, and sets no colour, so it suits light and dark themes."""
    it = explain(45047)
    html = it._repr_html_()
    stack: list[str] = []
    texts: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert tag == stack.pop()

        def handle_data(self, data: str) -> None:
            texts.append(data)

    Reader().feed(html)
    assert not stack
    assert ["45047", it.meaning, "45047", it.meaning_zh, "Cause", it.cause, "原因", it.cause_zh] == texts[:8]
    assert ["Do", it.remedy, "处理", it.remedy_zh, "Retry", it.retry_text[0], "重试", it.retry_text[1]] == texts[8:]
    assert "color" not in html
    assert "background" not in html


def test_the_table_escapes_everything() -> None:
    """Whatever ends up in a field is text in a notebook, never markup."""
    nasty = "<img src=x onerror=\"alert('1')\">&"
    html = Explanation(1, nasty, nasty, nasty, nasty, nasty, nasty, nasty, nasty)._repr_html_()
    assert "<img" not in html
    escaped = "&lt;img src=x onerror=&quot;alert(&#x27;1&#x27;)&quot;&gt;&amp;"
    assert [escaped] * 6 == re.findall(re.escape(escaped), html)


def test_every_table_is_escaped() -> None:
    """The catalogue's own angle brackets do not become tags either."""
    assert "&lt;a&gt;" in explain(45086)._repr_html_()


def test_importing_is_cheap() -> None:
    """A script pays for html and ipaddress only when it meets a notebook or a 40164."""
    script = (
        "import sys, types, importlib.util as u\n"
        "package = types.ModuleType('wxcs_lite'); package.__path__ = sys.argv[1:]; sys.modules['wxcs_lite'] = package\n"
        "before = set(sys.modules)\n"
        "import wxcs_lite.errcodes\n"
        "costly = {'html', 'ipaddress', 'dataclasses', 'inspect', 'textwrap', 'urllib3'}\n"
        "print(*costly & (set(sys.modules) - before))"
    )
    folder = str(errcodes.__file__).rpartition("errcodes")[0]
    done = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
