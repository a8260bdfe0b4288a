"""A client from npm, unchanged, behind the proxy: node-easywechat, which asks the official address through axios."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# The second is required by the first; its 1.5.3 was published empty.
PACKAGES = ("node-easywechat@3.6.2", "node-socialite@1.4.1")
PROGRAM = """
const {MiniApp} = require("node-easywechat");
(async () => {
  const app = new MiniApp({app_id: "wxsandbox000000001", secret: "sandbox-secret-of-no-real-account"});
  for (const touser of ["ann", "bob"]) {
    const message = {touser, msgtype: "text", text: {content: "你好 😀"}};
    const reply = await app.getClient().postJson("/cgi-bin/message/custom/send", message);
    console.log(JSON.stringify(reply.toObject()));
  }
  process.exit(7);
})();
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
    subprocess.run(command, check=True, timeout=300)
    (folder / "bot.js").write_text(PROGRAM, encoding="utf-8")
    return folder


def test_node_easywechat_behind_the_proxy(folder: Path) -> None:
    """It fetches its token, and sends: to a customer who has written, and to one who has not."""
    command = [sys.executable, "-m", "wxcs_lite", "sandbox", "--proxy", "--customer=ann", "--verbose"]
    command += ["--", "node", str(folder / "bot.js")]
    # It keeps its token in a file of the working directory.
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert 7 == done.returncode, done.stderr
    sent, refused = map(json.loads, done.stdout.splitlines())
    assert {"errcode": 0, "errmsg": "ok"} == sent
    assert 45015 == refused["errcode"]
    assert 2 == done.stderr.count("POST /cgi-bin/message/custom/send [")
