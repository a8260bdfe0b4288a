"""The page's files and words: complete in both languages, and each word is used."""

import re
from html.parser import HTMLParser
from pathlib import Path

from wxcs_lite.look.words import LANGUAGES, ROWS
from wxcs_lite.sandbox import door
from wxcs_lite.sandbox.door.page_files import FILES, first_page, read
from wxcs_lite.sandbox.door.page_words import page_words
from wxcs_lite.sandbox.rules.refusals import TEXTS

EN, ZH = (page_words(lang) for lang in LANGUAGES)
ROOM = Path(door.__file__).parent


def test_both_languages_say_everything_with_the_same_places() -> None:
    """A word that lacks a place would be a KeyError on the page."""
    assert set(EN) == set(ZH)
    for key in EN:
        assert sorted(re.findall(r"{\w+}", EN[key])) == sorted(re.findall(r"{\w+}", ZH[key]))
        assert EN[key]
        assert ZH[key]


def test_no_word_is_left_over() -> None:
    """A text that nothing names would be translated in vain; some keys are put together."""
    sources = [*ROOM.glob("*.py"), *ROOM.glob("files/*")]
    source = "".join(path.read_text("utf-8") for path in sources if path.name != "page_words.py")
    together = re.compile("(answer|drop|api)_")
    named = {key for key in EN if f'"{key}"' in source or f"{{{{{key}}}}}" in source}
    assert set() == set(EN) - set(ROWS) - named - {key for key in EN if together.match(key)}


class Ids(HTMLParser):
    """The ids of a page, and what refers to one."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.named: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.named += (given.get("aria-labelledby") or "").split()


def test_what_the_program_of_the_page_looks_for_is_there() -> None:
    """Each id once."""
    found = Ids(first_page("en", ["wx"]))
    program = read("page.js").decode()
    wanted = set(re.findall(r'element\("([\w-]+)"\)', program)) | set(re.findall(r'showRows\("(\w+)"', program))
    assert wanted
    assert wanted | set(found.named) <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))


def test_nothing_is_loaded_from_elsewhere() -> None:
    """Neither by the style sheets nor by the program."""
    for name in FILES:
        source = read(name).decode().replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in source
        assert "https:" not in source
        assert "url(" not in source
        assert "@import" not in source


def test_markup_is_put_in_at_one_place_only() -> None:
    """Everything else that comes from outside is put in as text."""
    program = read("page.js").decode()
    assert 1 == program.count("innerHTML")
    assert not re.search(
        r"insertAdjacentHTML|outerHTML|document\.write|eval\(|setAttribute\(.(on|style|href|src)", program
    )


def test_every_errcode_can_be_planned() -> None:
    """Success is no fault."""
    planned = set(map(int, re.findall(r"errcode&quot;:(-?\d+)", first_page("zh", ["wx"]))))
    assert set(TEXTS) - {0} == planned
    assert ">45047 超出下发条数<" in first_page("zh", ["wx"])


def test_an_account_is_chosen_by_its_appid_as_it_is() -> None:
    """The text of an option loses a second blank, and the sandbox would not know what is left."""
    assert '<option value="a  &quot;&lt;b&gt;">a  &quot;&lt;b&gt;</option>' in first_page("en", ['a  "<b>'])
