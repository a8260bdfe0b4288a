"""Each rule of the sandbox names its evidence, and the page of them is made from the rules alone."""

import ast
import re

import pytest

from tests.rules_page import FILES, FOLDER, PARTS, made, modules, rules, settings
from wxcs_lite.sandbox.rules.evidence import Rule
from wxcs_lite.sandbox.rules.refusals import TEXTS
from wxcs_lite.sandbox.rules.switches import Switches

SOURCES = dict(modules())
ALL = [(name, rule) for name in SOURCES for rule in rules(name)]


each_rule = pytest.mark.parametrize("rule", [rule for _, rule in ALL], ids=[rule.en[:40] for _, rule in ALL])


def numbers(node: ast.AST) -> set[int]:
    """Return the whole numbers in a piece of source."""
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and type(one.value) is int}


def refused(source: str) -> set[int]:
    """Return the errcodes that a module refuses with, where they stand in the call itself."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    named = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "RefusedError")
    return {number for call in named for argument in call.args for number in numbers(argument)}


def without_rules(source: str) -> ast.Module:
    """Return a module without its list of rules."""
    tree = ast.parse(source)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RULES")
    ]
    return tree


@pytest.mark.parametrize("lang", FILES)
def test_the_page_is_made_of_the_rules(lang: str) -> None:
    """If it is not, `python -m tests.rules_page` writes it."""
    assert made(lang) == (FOLDER / FILES[lang]).read_text(encoding="utf-8")


def test_every_module_with_rules_has_its_part_of_the_page() -> None:
    """And no part is empty."""
    assert set(PARTS) == {name for name, _ in ALL}


@pytest.mark.parametrize("name", SOURCES)
def test_every_refusal_has_a_rule_beside_it(name: str) -> None:
    """A refusal needs its rule, with its evidence, in the same module; a rule needs its refusal."""
    ruled = {errcode for rule in rules(name) for errcode in rule.errcodes}
    assert refused(SOURCES[name]) - ruled == set()
    defaults = {default for default in settings().values() if type(default) is int}
    assert ruled - numbers(without_rules(SOURCES[name])) - defaults == set()


def test_what_refuses_is_found() -> None:
    """In a choice between two codes as well; a code that is named elsewhere is not one."""
    source = "raise RefusedError(1)\nraise RefusedError(2 if 7 else 3)\nx = 4\nRULES = (Rule(5),)"
    assert {1, 2, 3, 7} == refused(source)
    assert {1, 2, 3, 7, 4} == numbers(without_rules(source))


def test_every_switch_is_ruled_once() -> None:
    """A setting is listed with the evidence for its default; so are the two of a push that stand for a doubt."""
    told = [rule.setting for _, rule in ALL if rule.setting]
    assert sorted([*Switches._fields, "content_type", "inner_json"]) == sorted(told)


@each_rule
def test_a_rule_rests_on_something(rule: Rule) -> None:
    """A page, something seen with its date or address, or an inference; its codes are known ones."""
    assert rule.page or rule.seen or rule.inferred
    assert rule.page == "" or rule.page.startswith("https://")
    assert rule.seen == "" or re.search(r"\b20[0-9]{2}\b|https://", rule.seen)
    assert set(rule.errcodes) <= TEXTS.keys()


@each_rule
def test_a_rule_is_told_twice(rule: Rule) -> None:
    """In English and Chinese, with the same numbers."""
    assert re.search("[\u4e00-\u9fff]", rule.zh)
    assert rule.en.endswith((".", ".)"))
    assert rule.zh.endswith(("。", "。）"))
    written = [sorted(re.findall(r"[0-9][0-9,.]*[0-9]|[0-9]", text)) for text in (rule.en, rule.zh)]
    assert written[0] == written[1]
