"""How long an instance of the serverless recipe takes to start, beside urllib3 alone.

    python -m tests.recipes.cold_start notebooks/recipes/serverless/build

where build is the folder made by the recipe's README. Each figure is the best of fifteen processes, which take turns:
with the compiled files that are there, and without, as in a zip made without the README's third line.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.recipes.stage import account
from wxcs_lite.sandbox import Sandbox

ROUNDS = 15
PUSH = """
import bot
from wxcs_lite.push import encrypt, read_push
event = {"requestContext": {"http": {"method": "POST"}}, "rawQueryString": "nonce=1", "body": "{}"}
assert bot.handler(event, None)["statusCode"] == 403
encrypt(b"{}", aes_key=bot.aes_key, appid=bot.appid)
"""
PROGRAMS = {
    "python3 -c pass": "pass",
    "import urllib3": "import urllib3",
    "import bot": "import bot",
    "import bot, and the first push in secure mode": PUSH,
}


def milliseconds(folder: Path, code: str) -> float:
    variables = account(Sandbox(), "http://127.0.0.1:9") | {"PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-S", "-c", code], cwd=folder, env=variables, stderr=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1000


def main(built: Path) -> None:
    with TemporaryDirectory() as there:
        bare = shutil.copytree(built, Path(there) / "bare", ignore=shutil.ignore_patterns("__pycache__"))
        best: dict[tuple[str, Path], float] = {}
        for _ in range(ROUNDS):
            for name, code in PROGRAMS.items():
                for folder in (built, bare):
                    best[name, folder] = min(best.get((name, folder), 1e9), milliseconds(folder, code))
    for name in PROGRAMS:
        print(f"{name:48} {best[name, built]:4.0f} ms   without compiled files {best[name, bare]:4.0f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
