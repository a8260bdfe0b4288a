"""The map of the house: everything that it names exists, and no room is missing."""

import json
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import wxcs_lite
from tests.test_house import CLIENT, MODULES, SANDBOX_FLOORS, ours

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FLOORS = PAGE.partition("```\n")[2].partition("```")[0]


def test_every_file_it_names_is_there() -> None:
    """A map that leads nowhere is worse than none."""
    named = set(re.findall(r"(?<![\w/.])((?:\.ci|cassettes|tests|wxcs_lite)/[\w./]*)", PAGE))
    named |= set(re.findall(r"`([\w.]+\.(?:md|json|py|toml))`", PAGE))
    assert {"wxcs_lite/catalogue.py", ".ci/run", "CHANGELOG.md", "cassettes/"} <= named
    assert [] == sorted(name for name in named if not (ROOT / name.rstrip(".")).exists())


def test_every_module_it_runs_is_there() -> None:
    """`python -m tests.bench` and its like."""
    run = set(re.findall(r"python -m ([\w.]+)", PAGE))
    assert {"tests.bench", "tests.notebook_tools"} <= run
    assert [] == [name for name in run if find_spec(name) is None]


def test_every_room_has_its_floor_on_the_map() -> None:
    """To add a module is to put it onto the map, too."""
    shown = [name for line in FLOORS.splitlines() for name in line[:40].split()]
    rooms = {name.partition("/")[0] for name in MODULES if "/" in name}
    assert sorted({*CLIENT, *rooms}) == sorted(shown)


def test_the_floors_on_the_map_are_floors() -> None:
    """A module is on no line above one that it needs; the package itself, and the houses beside, are on no line."""
    line = {name: number for number, text in enumerate(FLOORS.splitlines()) for name in text[:40].split()}
    above = {
        name: [below for below in ours(path) & CLIENT.keys() if line[below] > line[name]]
        for name, path in CLIENT.items()
    }
    assert {} == {name: below for name, below in above.items() if below}


def test_the_floors_of_the_sandbox_are_those_that_hold() -> None:
    """As `tests/test_house.py` has them."""
    (told,) = re.findall(r"own layers are ([\w <,]+)\.", PAGE)
    shown = [set(floor.split(", ")) for floor in told.split(" < ")]
    assert [floor for floor in shown if not any(floor <= real for real in SANDBOX_FLOORS)] == []


def test_every_confidence_it_names_is_one() -> None:
    """The marks on the facts are those of the data."""
    for name, key in (("published", "confidence_labels"), ("published_errcodes", "published")):
        labels = json.loads((ROOT / "tests" / f"{name}.json").read_text("utf-8"))[key]
        (told,) = re.findall(rf"`tests/{name}\.json`, by .*: ([\w ,-]+);", PAGE)
        assert set(told.split(", ")) <= set(labels)


def test_it_travels_with_the_source() -> None:
    """The archive of the source contains the map."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert {"CONTRIBUTING.md", ".ci/run"} <= set(project["tool"]["flit"]["sdist"]["include"])
    assert Path(wxcs_lite.__file__).is_relative_to(ROOT)
