"""What the course's site is made of; tests/browser/test_site.py builds it, and runs every lesson in it."""

import json
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from tests.site import aes, runtime
from tests.site.lessons import FOR_TEACHERS, LANGUAGES, OPENS_A_SOCKET, copy_lessons, lessons

NOTEBOOKS = runtime.ROOT / "notebooks"
REQUIREMENTS = Path(runtime.__file__).with_name("requirements.txt")


# --- the AES that stands in for cryptography's


@pytest.mark.parametrize(
    ("size", "encrypted"),
    [
        (16, "69c4e0d86a7b0430d8cdb78070b4c55a"),
        (24, "dda97ca4864cdfe06eaf70a0ec0d7191"),
        (32, "8ea2b7ca516745bfeafc49904b496089"),
    ],
)
def test_the_published_blocks(size: int, encrypted: str) -> None:
    """Those of FIPS 197, appendix C."""
    key, block = aes.AES(bytes(range(size))), bytes.fromhex("00112233445566778899aabbccddeeff")
    assert encrypted == key.encrypted(block).hex()
    assert block == key.decrypted(bytes.fromhex(encrypted))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)), st.data())
def test_it_encrypts_as_the_real_one_does(key: bytes, data: st.DataObject) -> None:
    """In one piece or in several; and both decrypt what the other has encrypted."""
    vector = data.draw(st.binary(min_size=16, max_size=16))
    plain = data.draw(st.binary(max_size=6).map(lambda part: (part * 16)[: len(part) * 16]))
    cut = data.draw(st.integers(0, len(plain)))
    ours = aes.Cipher(aes.AES(key), aes.CBC(vector))
    real = Cipher(algorithms.AES(key), modes.CBC(vector))
    context, other = ours.encryptor(), real.encryptor()
    encrypted = context.update(plain[:cut]) + context.update(plain[cut:]) + context.finalize()
    assert other.update(plain) + other.finalize() == encrypted
    opener = ours.decryptor()
    assert plain == opener.update(encrypted) + opener.finalize()


def test_it_refuses_what_the_real_one_refuses() -> None:
    """A key, a vector or data of a wrong length."""
    with pytest.raises(ValueError, match="16, 24 or 32 bytes"):
        aes.AES(bytes(17))
    with pytest.raises(ValueError, match="has 16 bytes"):
        aes.CBC(bytes(15))
    context = aes.Cipher(aes.AES(bytes(16)), aes.CBC(bytes(16))).encryptor()
    context.update(bytes(17))
    with pytest.raises(ValueError, match="multiple of the block length"):
        context.finalize()


_SECURE = """
import sys
sys.path.insert(0, sys.argv[1])
import cryptography
from wxcs_lite.push import push_app, transfer_to_agent
from wxcs_lite.sandbox import Sandbox

assert cryptography.__file__.startswith(sys.argv[1])
sandbox, seen = Sandbox(), []
customer, key = sandbox.user("ann"), "sEcretKey" + "x" * 33 + "G"
app = push_app(lambda push: seen.append(push.Content) or transfer_to_agent(push), token="t", aes_key=key)
with sandbox.push_to(app, token="t", aes_key=key) as pushes:
    customer.says("Hello")
print(seen, pushes.log[-1].answer)
"""


def test_encrypted_pushes_run_on_its_wheel(tmp_path: Path) -> None:
    """Decrypted by the one side, answered, and encrypted again."""
    made = runtime.stand_in(tmp_path)
    done = subprocess.run([sys.executable, "-c", _SECURE, str(made.file)], capture_output=True, text=True, timeout=60)
    assert ("['Hello'] transfer\n", "") == (done.stdout, done.stderr)


# --- what is fetched


def test_what_is_fetched_is_pinned() -> None:
    """Each line names one version and its hash, and ours are versions that this package allows."""
    lines = [line for line in REQUIREMENTS.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert all(line.partition(" --hash=sha256:")[2].isalnum() for line in lines)
    pinned = dict(line.partition(" ")[0].split("==") for line in lines)
    project = tomllib.loads((runtime.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for needed in map(Requirement, (*project["dependencies"], *project["optional-dependencies"]["panel"])):
        assert needed.specifier.contains(pinned[needed.name])


def test_the_workflow_builds_it_as_the_documentation_says() -> None:
    """With the same extra and the same command."""
    workflow = (runtime.ROOT / ".github/workflows/site.yml").read_text("utf-8")
    for page in ("README.md", "README.zh-CN.md"):
        text = (runtime.ROOT / page).read_text("utf-8")
        for command in ("pip install -q '.[site]'", "python -m tests.site "):
            assert command in text
            assert command in workflow
    project = tomllib.loads((runtime.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "site" in project["optional-dependencies"]


# --- the lessons


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "course"
    copy_lessons(NOTEBOOKS, folder)
    return folder


def test_every_lesson_is_in_the_site_under_its_title(course: Path) -> None:
    """In their order, in both languages."""
    for lang, prefix in LANGUAGES.items():
        expected = sorted(f"{prefix}{path.name}" for path in (NOTEBOOKS / prefix).glob("*.ipynb"))
        found = list(lessons(course, lang))
        assert expected == [lesson.path for lesson in found]
        titles = {lesson.title for lesson in found}
        assert len(found) == len(titles)
        assert "" not in titles


def test_what_a_browser_tab_has_no_use_for_is_left_out(course: Path, tmp_path: Path) -> None:
    """The teachers' page and tools: neither beside the lessons, nor among the modules that a lesson can import."""
    assert {(NOTEBOOKS / name).is_file() for name in FOR_TEACHERS} == {True}
    assert [] == [path.name for path in course.rglob("*") if path.name in FOR_TEACHERS]
    made = runtime.course(tmp_path)
    assert ("checks", "course", "course_zh") == made.imports
    with zipfile.ZipFile(made.file) as wheel:
        assert [] == [name for name in wheel.namelist() if name.rpartition("/")[2] in FOR_TEACHERS]


def test_a_cell_that_opens_a_socket_is_shown_and_not_run(course: Path) -> None:
    """With one sentence that says why; all other cells stay as they are."""
    tagged = 0
    for lesson in (each for lang in LANGUAGES for each in lessons(course, lang)):
        before, after = (json.loads((folder / lesson.path).read_text("utf-8")) for folder in (NOTEBOOKS, course))
        for cell, shown in zip(before["cells"], after["cells"], strict=True):
            source = "".join(cell["source"])
            if OPENS_A_SOCKET in cell["metadata"].get("tags", []):
                tagged += 1
                assert {"id", "cell_type", "metadata", "source"} == set(shown)
                note, _, code = shown["source"].partition("\n\n```python\n")
                assert ("markdown", f"{source}\n```") == (shown["cell_type"], code)
                assert note.startswith("*浏览器" if lesson.path.startswith("zh/") else "*A browser tab cannot open")
            else:
                assert (cell["cell_type"], source) == (shown["cell_type"], "".join(shown["source"]))
    assert len(LANGUAGES) <= tagged


def test_outputs_are_shown_as_they_were_saved(course: Path) -> None:
    """Before anything has run: trusted, or no figure would be seen; in one piece, or there would be commas in texts."""
    for path in course.rglob("*.ipynb"):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            assert cell["cell_type"] != "code" or cell["metadata"]["trusted"]
            for output in cell.get("outputs", []):
                values = [*output.items(), *output.get("data", {}).items()]
                assert [] == [name for name, value in values if isinstance(value, list)]


def test_pictures_are_the_same_in_ascii(course: Path) -> None:
    """Character references stand for what is beyond it."""
    pictures = sorted(path.relative_to(NOTEBOOKS) for path in NOTEBOOKS.glob("images/*.svg"))
    assert pictures
    for picture in pictures:
        assert (course / picture).read_bytes().isascii()
        before, after = (ET.canonicalize((folder / picture).read_text("utf-8")) for folder in (NOTEBOOKS, course))
        assert before == after
