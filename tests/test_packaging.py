"""What the package is as a file: a zipapp that bare Python runs, and metadata that are true."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import urllib3

import wxcs_lite
from tests.test_readme import PAGES, ROOT, block, page

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that README's two commands make; the first one's work, pip's, is done by copying."""
    install, make = block("README.md", "zipapp").splitlines()
    assert install.endswith("--target build .")
    folder = tmp_path_factory.mktemp("zipapp")
    for package in (urllib3, wxcs_lite):
        source = Path(package.__path__[0])
        shutil.copytree(source, folder / "build" / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    python, *arguments = make.split()
    assert ".venv/bin/python" == python
    subprocess.run([sys.executable, *arguments], cwd=folder, check=True)
    return folder / "wxcs_lite.pyz"


def run(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as on a machine that has only Python."""
    command = [sys.executable, "-I", "-S", str(file), *arguments]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, timeout=120, check=False)


def test_one_file_runs_the_whole_tour_on_bare_python(zipapp: Path) -> None:
    """From the first step to the last."""
    done = run(zipapp)
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.count("\n11. ") == 1


def test_one_file_says_by_its_status_that_something_failed(zipapp: Path) -> None:
    """zipapp's own starter would pass over what `main` returns."""
    command = f"exec {sys.executable} -I -S {zipapp} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert 2 == done.returncode
    assert "stdout is closed" in done.stderr


def test_one_file_can_be_imported(zipapp: Path) -> None:
    """As README says, with PYTHONPATH."""
    code = f"import sys; sys.path.insert(0, {str(zipapp)!r}); import wxcs_lite.sandbox; print(wxcs_lite.__file__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(zipapp))


def test_one_file_has_the_page(zipapp: Path) -> None:
    """Its HTML, style sheets and program are read from within."""
    code = f"""import sys; sys.path.insert(0, {str(zipapp)!r})
from urllib.request import urlopen
from wxcs_lite.sandbox import Sandbox
with Sandbox().page() as url, Sandbox().serve() as api:
    print(*(len(urlopen(url + name).read()) > 100 for name in ("", "page.css", "look.css", "page.js", "icon.svg")))
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert "True True True True True" == done.stdout.strip()


@pytest.mark.parametrize("name", PAGES)
def test_its_size_is_what_readme_says(name: str, zipapp: Path) -> None:
    """In megabytes, to one place."""
    assert f"{zipapp.stat().st_size / 1e6:.1f} MB" in page(name)


def test_the_metadata_say_what_is_true() -> None:
    """Typed, with the marker in the package; the oldest Python that is named is the one that is required."""
    project = PROJECT["project"]
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert f">={versions[0]}" == project["requires-python"]
    assert versions == sorted(versions, key=lambda version: int(version.partition(".")[2]))
    assert "Typing :: Typed" in project["classifiers"]
    assert any(line.startswith("Topic :: ") for line in project["classifiers"])
    assert (Path(wxcs_lite.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("name", PAGES)
def test_pages_name_the_wheel_that_is_made(name: str) -> None:
    """Its name has the version in it."""
    named = set(re.findall(r"dist/(wxcs_lite-[^\[\s'`]+)", page(name)))
    assert {f"wxcs_lite-{wxcs_lite.__version__}-py3-none-any.whl"} == named


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_what_the_source_distribution_has(name: str) -> None:
    """A reader without the repository reads the same pages there."""
    included = [*PROJECT["tool"]["flit"]["sdist"]["include"], "README.md", "LICENSE", "wxcs_lite/", "pyproject.toml"]
    links = [link for link in re.findall(r"\]\(([^)#]+)", page(name)) if "://" not in link]
    assert links
    assert [] == [link for link in links if not any(link == one or link.startswith(one) for one in included)]
