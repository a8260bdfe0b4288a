"""Projects of other people: what README says to do, the recipe, and one that never asked for any of it."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from tests.test_readme import block
from wxcs_lite.sandbox import Sandbox
from wxcs_lite.testing.known import VARIABLES

RECIPE = Path(__file__).parents[1] / "notebooks" / "recipes" / "own_tests"
OPENID = "oCUSTOMER_of_the_sandbox_001"


def run(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a README in a process of its own, with this Python's `pytest`."""
    program, *args = command.partition("#")[0].split()
    assert "pytest" == program
    bare = {name: value for name, value in os.environ.items() if name not in VARIABLES and not name.startswith("COV_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *args],
        cwd=folder,
        env={**bare, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def secrets_in(folder: Path) -> list[str]:
    """Search as `grep -r` would."""
    texts = [path.read_text("utf-8") for path in folder.rglob("*.yaml")]
    assert texts
    known = (Sandbox().secret, Sandbox().appid, OPENID, "127.0.0.1")
    return [
        found
        for text in texts
        for found in (*re.findall(r"[A-Za-z0-9_-]{80,}", text), *(k for k in known if k in text))
    ]


def test_a_project_made_as_readme_says(tmp_path: Path) -> None:
    """Its own tests pass, a cassette is recorded without an account and replayed, and no secret is in it.

    The tests of the pages check that the Chinese one has the same code.
    """
    (tmp_path / "conftest.py").write_text(block("README.md", "own-conftest"), "utf-8")
    (tmp_path / "test_my_bot.py").write_text(block("README.md", "own-test"), "utf-8")
    record, replay = block("README.md", "own").splitlines()
    for command in (record, replay):
        done = run(tmp_path, command)
        assert "2 passed" in done.stdout, done.stdout
    assert [] == secrets_in(tmp_path / "cassettes")


def test_a_planted_secret_fails_the_test_of_that_project(tmp_path: Path) -> None:
    """And the cassette is deleted."""
    (tmp_path / "conftest.py").write_text(block("README.md", "own-conftest"), "utf-8")
    test = block("README.md", "own-test").replace('.says("hello")', '.says("80_" + "x" * 130)')
    (tmp_path / "test_my_bot.py").write_text(
        test.replace('{"content": "hello"}', '{"content": "80_" + "x" * 130}'), "utf-8"
    )
    done = run(tmp_path, "pytest --record-mode=once")
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "was removed because it contained what looks like an access_token" in done.stdout
    assert [] == list(tmp_path.rglob("*.yaml"))


def test_the_recipe_passes_and_its_cassette_is_what_is_recorded(tmp_path: Path) -> None:
    """Replayed as it is, and recorded again to the byte."""
    shutil.copytree(RECIPE, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    kept = next(RECIPE.rglob("*.yaml"))
    for command in ("pytest --block-network", "pytest --record-mode=rewrite"):
        done = run(tmp_path / "copy", command)
        assert "6 passed" in done.stdout, done.stdout
        assert kept.read_bytes() == (tmp_path / "copy" / kept.relative_to(RECIPE)).read_bytes()
    assert [] == secrets_in(tmp_path)


def test_a_project_that_does_not_ask_notices_nothing(tmp_path: Path) -> None:
    """Installing the package does not change pytest: no entry point, no fixture, no marker, and nothing is imported."""
    (tmp_path / "test_other.py").write_text(
        "import sys\n\n"
        "def test_other(request):\n"
        "    assert not [name for name in sys.modules if name.startswith('wxcs_lite')]\n"
        "    assert not [name for name, _ in request.config.pluginmanager.list_name_plugin() if 'wxcs' in name]\n"
        "    assert not [line for line in request.config.getini('markers') if 'wxcs' in line]\n",
        "utf-8",
    )
    done = run(tmp_path, "pytest")
    assert "1 passed" in done.stdout, done.stdout
    assert [] == list(distribution("wxcs_lite").entry_points)


def test_on_the_command_line_it_is_asked_for_too(tmp_path: Path) -> None:
    """With -p, and no conftest."""
    (tmp_path / "test_other.py").write_text("def test_other(wxcs_sandbox):\n    pass\n", "utf-8")
    done = run(tmp_path, "pytest -p wxcs_lite.testing")
    assert "1 passed" in done.stdout, done.stdout
