"""Build the site: JupyterLite's notebook page, Python for the browser, the lessons, and a first page.

The page of a lesson exists twice, `notebooks/` in English and `zh/notebooks/` in Chinese, because JupyterLite has one
language for each page (and opens notebooks only where the address says `notebooks`). Both run the same Python, and keep
a reader's changes in the same place, the browser's own storage.
"""

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path

from tests.site.lessons import LANGUAGES, Lesson, copy_lessons, lessons
from tests.site.runtime import DATED, PRELOADED, ROOT, write_runtime

__all__ = ["build", "pack"]

HERE = Path(__file__).parent
APP = "notebooks/"  # the page of a lesson, below the folder of a language
RUNTIME = "static/python/"
CONFIG = "jupyter-lite.json"
_EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "@jupyterlite/pyodide-kernel-extension")
_KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
_LANGUAGE = "@jupyterlab/translation-extension:plugin"
# What the pages do not ask for: sources, the documentation, and fonts for browsers of ten years ago.
_PRUNED = (
    "rspack.config*.js", "doc", "build/fa-*.svg", "build/fa-*.eot", "build/fa-*.ttf", "build/fa-*.woff",
    "jupyterlite.schema.v0.json", "package.json", "*/package.json", "bootstrap.js", "service-worker.js",
)  # fmt: skip


def build(out: Path) -> None:
    """Build the site in a folder, in place of an earlier one."""
    if out.exists() and not (out / RUNTIME / "pyodide.js").exists():
        raise SystemExit(f"{out} was not built by this command: name a folder that does not exist")
    # JupyterLite sets the time of every file beside its output, so that has a folder to itself.
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        lite, built = work / "lite", work / "built" / "site"
        lite.mkdir()
        copy_lessons(ROOT / "notebooks", lite / "course")
        _configure(lite)
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(lite), "--contents", "course"]
        command += ["--output-dir", str(built), "--no-sourcemaps", "--apps", "notebooks", "--apps", "edit"]
        done = subprocess.run(command, cwd=lite, env=DATED, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        (built / RUNTIME).mkdir(parents=True)
        write_runtime(built / RUNTIME, work)
        _finish(built, lite / "course")
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(built, out)


def pack(site: Path) -> Path:
    """Write a zip of a site, whose one folder has the site's name."""
    packed = site.with_name(f"{site.name}.zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(site.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{site.name}/{path.relative_to(site).as_posix()}")
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed


def _configure(lite: Path) -> None:
    kernel = {
        "pyodideUrl": f"./{RUNTIME}pyodide.js",
        "disablePyPIFallback": True,  # no other host is asked
        "loadPyodideOptions": {"lockFileURL": f"./{RUNTIME}pyodide-lock.json", "packages": PRELOADED},
    }
    config: dict[str, Any] = {
        "appName": "wxcs_lite",
        "appUrl": "./notebooks",
        "litePluginSettings": {_KERNEL: kernel},
        "settingsOverrides": {
            "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}
        },  # dark where the system is
        "disabledExtensions": [
            # It would give Python the course's folder where a browser allows it; the site is the same everywhere.
            "@jupyterlite/application-extension:service-worker-manager",
            # "Last Checkpoint: 10 months ago": it tells the date that all files get, so that two builds are equal.
            "@jupyter-notebook/notebook-extension:checkpoints",
        ],
    }
    _write(lite / CONFIG, {"jupyter-lite-schema-version": 0, "jupyter-config-data": config})
    found = {name: _extension(name) for name in _EXTENSIONS}
    chosen = {"ignore_sys_prefix": ["federated_extensions"], "federated_extensions": list(found.values())}
    _write(lite / "jupyter_lite_config.json", {"LiteBuildConfig": chosen})


def _extension(name: str) -> str:
    """Return the folder of an extension of JupyterLab's; the others that are installed have no place here."""
    for folder in jupyter_path("labextensions"):
        if (Path(folder) / name / "package.json").is_file():
            return str(Path(folder) / name)
    raise SystemExit(f"the extension {name} of JupyterLab is missing: pip install -e '.[site]'")


def _finish(site: Path, course: Path) -> None:
    """Add what JupyterLite lacks: a page in each language, links between lessons, a first page."""
    page, chinese = site / APP, site / "zh" / APP
    shutil.copytree(page, chinese)
    for file in (chinese / "index.html", chinese / CONFIG):  # one folder deeper
        file.write_text(re.sub(r"""(?<=["'])\.\.(?=["'/])""", "../..", file.read_text("utf-8")), "utf-8")
    shutil.copy(site / "jupyter-lite.ipynb", chinese.parent)
    _write(chinese.parent / CONFIG, {"jupyter-config-data": {"settingsOverrides": {_LANGUAGE: {"locale": "zh_CN"}}}})
    for lang, prefix in LANGUAGES.items():
        found = [*lessons(course, lang)]
        _add_script(site / prefix / APP / "index.html", found[0].path)
        _write_first_page(site / prefix / "index.html", lang, found)
    (site / "tree").mkdir()
    shutil.copy(HERE / "tree.html", site / "tree" / "index.html")
    for pattern in _PRUNED:
        for path in site.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _add_script(page: Path, first: str) -> None:
    script = (HERE / "lesson.js").read_text("utf-8").replace("FIRST", first)
    before, end, after = page.read_text("utf-8").partition("</head>")
    assert end
    page.write_text(f"{before}<script>{script}</script>{end}{after}", "utf-8")


def _write_first_page(page: Path, lang: str, found: Sequence[Lesson]) -> None:
    links = [f"{APP}index.html?path={lesson.path}" for lesson in found]
    titles = [html.escape(lesson.title) for lesson in found]
    rows = [f'<li><a href="{link}">{title}</a></li>' for link, title in zip(links, titles, strict=True)]
    text = (HERE / f"first_page.{lang}.html").read_text("utf-8")
    parts = {"STYLE": (HERE / "style.css").read_text("utf-8"), "FIRST": links[0], "LESSONS": "\n".join(rows)}
    for name, part in parts.items():
        text = text.replace(name, part, 1)
    page.write_text(text, "utf-8")


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1), "utf-8")
