"""How the recipes are run: as README says, in processes of their own, with the sandbox in place of WeChat."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wxcs_lite.sandbox import Sandbox

RECIPES = Path(__file__).parents[2] / "notebooks" / "recipes"
PUSH_TOKEN, AES_KEY = "madeUp", "x" * 42 + "A"


def account(sandbox: Sandbox, url: str) -> dict[str, str]:
    """Return the settings that README names, with the values of a sandbox served at this URL."""
    return {
        "WXCS_APPID": sandbox.appid,
        "WXCS_SECRET": sandbox.secret,
        "WXCS_OPENID": "ann",
        "WXCS_PUSH_TOKEN": PUSH_TOKEN,
        "WXCS_AES_KEY": AES_KEY,
        "WXCS_BASE_URL": url,
    }


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with no account but the one given, and warnings as errors."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WXCS_", "COV_"))}
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(variables)


def run(recipe: str, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Python in the directory of a recipe, to its end."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=RECIPES / recipe,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def command_in(recipe: str, start: str) -> list[str]:
    """Return the words of the command in a recipe's README that starts so; both languages have the same."""
    english, chinese = (
        re.search(rf"^{re.escape(start)}.*", (RECIPES / recipe / name).read_text("utf-8"), re.MULTILINE)
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english
    assert chinese
    assert english[0] == chinese[0]
    return english[0].replace("'", "").split()


@contextmanager
def served(recipe: str, command: list[str], **variables: str) -> Iterator[tuple[str, list[str]]]:
    """Start a server as a README says, at a free port; give its URL, and what it prints while it runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=RECIPES / recipe,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    url = ""
    for line in process.stdout:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:[1-9]\d*", line):
            url = found[0]
            break
    reader = threading.Thread(target=_read_on, args=(process.stdout, lines))
    reader.start()
    try:
        assert url, "".join(lines)
        yield url, lines
    finally:
        process.terminate()
        process.wait(30)
        reader.join(30)
        process.stdout.close()


def _read_on(stream: IO[str], lines: list[str]) -> None:
    lines.extend(stream)
