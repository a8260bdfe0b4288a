"""Python for the browser: Pyodide from npm, wheels from PyPI, and three wheels that are made here.

What is fetched is pinned by hash: five files of Pyodide's package (6 MB, unpacked 14), and some twenty pure Python
wheels (5 MB) that `requirements.txt` lists. npm and pip keep what they fetched in their own caches.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.site.lessons import FOR_TEACHERS

__all__ = ["DATED", "PRELOADED", "ROOT", "course", "stand_in", "write_runtime"]

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
DATED = os.environ | {"SOURCE_DATE_EPOCH": "1767240000"}  # the age of every file, so that two builds are equal
PYODIDE = "pyodide@314.0.6"  # the one that the kernel of jupyterlite-pyodide-kernel 0.8.6 is made for
INTEGRITY = "BKDTJyIqFxC4BExLqeRS3f5xvXZIjOt8C3zGLN/Cc7tFxSwvKVhVkchQQ2AGLOtR4YrVOIFxbV8poyDOOmWwxQ=="
# A browser runs a module only if the server calls it JavaScript, and many servers do not know the ending .mjs.
FILES = {
    "pyodide.asm.mjs": "pyodide.asm.js",
    "pyodide.asm.wasm": "pyodide.asm.wasm",
    "pyodide.mjs": "pyodide.js",
    "python_stdlib.zip": "python_stdlib.zip",
}
LOCK = "pyodide-lock.json"

KERNEL = ("micropip", "packaging", "ipython", "jedi")  # what the kernel loads; the lock says what these need
PRELOADED = ["wxcs-lite", "wxcs-lite-course", "cryptography", "ipywidgets"]
_OURS = {"comm": (), "ipywidgets": ("comm", "ipython", "traitlets"), "urllib3": ()}
# A wheel of ours has these fields in the lock; its names have hyphens there, or the kernel never starts.
_ENTRY = {"install_dir": "site", "package_type": "package", "unvendored_tests": False}


def write_runtime(folder: Path, work: Path) -> None:
    """Put into a folder what the browser's Python loads; `work` is for what is fetched on the way."""
    with tarfile.open(_fetch_pyodide(work)) as package:
        for name, new_name in FILES.items():
            content = _member(package, name)
            if name == "pyodide.mjs":
                content = content.replace(b"pyodide.asm.mjs", b"pyodide.asm.js")
            (folder / new_name).write_bytes(content)
        lock = json.loads(_member(package, LOCK))
    wheels = {wheel.name: wheel for wheel in _fetch_wheels(work)}
    packages: dict[str, Any] = {}
    for name in _closure(lock["packages"], KERNEL):
        entry = packages[name] = lock["packages"][name]
        if entry["file_name"] not in wheels:
            raise SystemExit(f"{PYODIDE} has {entry['file_name']}, and {HERE / 'requirements.txt'} has not")
    for name, depends in _OURS.items():
        (file,) = (each for each in wheels if each.startswith(f"{name}-"))
        packages[name] = {"file_name": file, "depends": [*depends], "imports": [name]}
    for made in (_package(work), stand_in(work), course(work)):
        wheels[made.file.name] = made.file
        packages[made.name] = {"file_name": made.file.name, "depends": [*made.depends], "imports": [*made.imports]}
    for name, entry in packages.items():
        content = wheels[entry["file_name"]].read_bytes()
        (folder / entry["file_name"]).write_bytes(content)
        version = entry["file_name"].split("-")[1]
        entry |= {"name": name, "version": version, "sha256": hashlib.sha256(content).hexdigest(), **_ENTRY}
    lock["packages"] = packages
    (folder / LOCK).write_text(json.dumps(lock, separators=(",", ":"), sort_keys=True), "utf-8")


def _member(package: tarfile.TarFile, name: str) -> bytes:
    member = package.extractfile(f"package/{name}")
    assert member is not None
    return member.read()


def _closure(packages: Mapping[str, Any], wanted: Iterable[str]) -> set[str]:
    todo, found = [*wanted], set[str]()
    while todo:
        name = todo.pop()
        name = name if name in packages else name.replace("_", "-")
        if name not in found:
            found.add(name)
            todo += packages[name]["depends"]
    return found


def _fetch_pyodide(work: Path) -> Path:
    subprocess.run(["npm", "pack", "--silent", PYODIDE], cwd=work, check=True, stdout=subprocess.DEVNULL)
    (package,) = work.glob("pyodide-*.tgz")
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != INTEGRITY:
        raise SystemExit(f"{PYODIDE} is not the one that was tested: sha512-{found}")
    return package


def _fetch_wheels(work: Path) -> Iterable[Path]:
    folder = work / "wheels"
    options = ["--quiet", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.14", "--require-hashes"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder)]
    subprocess.run([*command, "--requirement", str(HERE / "requirements.txt")], check=True)
    return folder.glob("*.whl")


class Made(NamedTuple):
    """A wheel that is made here, as the lock names it."""

    name: str
    file: Path
    depends: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


def _package(work: Path) -> Made:
    """Make the wheel of this checkout."""
    command = [sys.executable, "-m", "flit_core.wheel", "--outdir", str(work)]
    subprocess.run(command, cwd=ROOT, env=DATED, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (wheel,) = work.glob("wxcs_lite-*.whl")
    return Made("wxcs-lite", wheel, ("urllib3",), ("wxcs_lite",))


_CIPHERS = "cryptography/hazmat/primitives/ciphers/"


def stand_in(work: Path) -> Made:
    """Make the wheel that stands in for cryptography, which has none for the browser on PyPI: AES-CBC, and no more."""
    files = dict.fromkeys(
        ("cryptography/__init__.py", "cryptography/hazmat/__init__.py", "cryptography/hazmat/primitives/__init__.py"),
        b"",
    )
    files[_CIPHERS + "aes.py"] = (HERE / "aes.py").read_bytes()
    files[_CIPHERS + "__init__.py"] = b"from .aes import Cipher, CipherContext\n"
    files[_CIPHERS + "algorithms.py"] = b"from .aes import AES\n"
    files[_CIPHERS + "modes.py"] = b"from .aes import CBC\n"
    return Made("cryptography", _write_wheel(work, "cryptography", files), imports=("cryptography",))


def course(work: Path) -> Made:
    """Make a wheel of the modules that lie beside the lessons, and of their pictures.

    The kernel could read them from the course's folder only through a service worker, which a browser starts for https
    and for the same computer alone.
    """
    lessons = ROOT / "notebooks"
    paths = [*lessons.glob("*.py"), *(lessons / "zh").glob("*.py"), *(lessons / "images").iterdir()]
    paths = [path for path in paths if path.name not in FOR_TEACHERS]
    files = {path.name if path.suffix == ".py" else f"images/{path.name}": path.read_bytes() for path in paths}
    imports = tuple(sorted(path.stem for path in paths if path.suffix == ".py"))
    if len(files) != len(paths):
        raise SystemExit(f"two files of the course have one name: {sorted(path.name for path in paths)}")
    return Made("wxcs-lite-course", _write_wheel(work, "wxcs_lite_course", files), ("wxcs-lite",), imports)


def _write_wheel(work: Path, name: str, files: Mapping[str, bytes]) -> Path:
    wheel, info = work / f"{name}-0-py3-none-any.whl", f"{name}-0.dist-info/"
    tags = b"Wheel-Version: 1.0\nGenerator: tests.site\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\nSummary: part of the course in a browser\n"
    record = "".join(f"{path},,\n" for path in [*files, *(info + each for each in ("METADATA", "WHEEL", "RECORD"))])
    more = {info + "METADATA": about.encode(), info + "WHEEL": tags, info + "RECORD": record.encode()}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted({**files, **more}.items()):
            archive.writestr(zipfile.ZipInfo(path), content, zipfile.ZIP_DEFLATED)
    return wheel
