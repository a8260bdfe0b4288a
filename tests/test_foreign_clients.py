"""Other people's SDKs, unchanged, against the served sandbox: they know nothing of us, so they judge us.

Those at the end run as `python -m wxcs_lite sandbox --proxy -- COMMAND`, with the official address in them.
`tests/browser/test_node_client.py` has one from npm.
"""

import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from wxcs_lite.sandbox import Sandbox, sunset

ROOT = Path(__file__).parents[1]
ENOUGH = 120  # seconds after which whoever hangs fails the test

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class _ToSandbox(HTTPAdapter):
    """wechatpy writes the official host into its token call, so requests to that are led to the sandbox, too."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.sandbox_url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://api.weixin.qq.com", self.sandbox_url)
        return super().send(request, *args, **kwargs)


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.user("ann").says("hello?")
    return sandbox


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeChatClient]:
    with sandbox.serve() as url:
        monkeypatch.setattr(WeChatClient, "API_BASE_URL", f"{url}/cgi-bin/")
        client = WeChatClient(sandbox.appid, sandbox.secret)
        client._http.mount("https://api.weixin.qq.com", _ToSandbox(url))
        yield client
        client._http.close()


def jpeg_named(name: str) -> io.BytesIO:
    file = io.BytesIO(sunset())
    file.name = name
    return file


def test_wechatpy_fetches_a_token(client: WeChatClient) -> None:
    """It calls GET /cgi-bin/token, which the client of this package does not."""
    token = client.access_token
    assert 100 < len(token)
    assert 7190 <= client.expires_at - time.time() <= 7200
    assert token == client.access_token


def test_wechatpy_sends_a_text(client: WeChatClient, sandbox: Sandbox) -> None:
    """Chinese and emoji arrive as they were written."""
    client.message.send_text("ann", "你好 😀")
    assert ["你好 😀"] == [delivered.message["text"]["content"] for delivered in sandbox.user("ann").inbox]


def test_wechatpy_uploads_and_sends_a_picture(client: WeChatClient, sandbox: Sandbox) -> None:
    """The sandbox accepts requests' multipart body, and the phone shows the picture."""
    media_id = client.media.upload("image", jpeg_named("sunset.png"))["media_id"]
    client.message.send_image("ann", media_id)
    assert [sunset()] == [delivered.picture for delivered in sandbox.user("ann").inbox]


def test_wechatpy_sends_a_card(client: WeChatClient, sandbox: Sandbox) -> None:
    """The card of an SDK that was written for Official Accounts has the sender's own appid in it."""
    cover = client.media.upload("image", jpeg_named("cover.png"))["media_id"]
    card = {"title": "订单", "appid": sandbox.appid, "pagepath": "pages/order", "thumb_media_id": cover}
    client.message.send_mini_program_page("ann", card)
    (delivered,) = sandbox.user("ann").inbox
    assert "订单" == delivered.message["miniprogrampage"]["title"]
    assert sunset() == delivered.picture


def test_wechatpy_downloads_a_picture(client: WeChatClient, sandbox: Sandbox) -> None:
    """A customer's picture comes back as bytes, not as JSON."""
    media_id = sandbox.user("ann").sends_image(sunset()).fields["MediaId"]
    assert sunset() == client.media.download(media_id).content


def test_wechatpy_understands_the_errors(client: WeChatClient, sandbox: Sandbox) -> None:
    """A closed window is its exception, with errcode and errmsg."""
    with pytest.raises(WeChatClientException) as caught:
        client.message.send_text("bob", "hello")
    assert 45015 == caught.value.errcode


def test_wechatpy_renews_an_expired_token(client: WeChatClient, sandbox: Sandbox) -> None:
    """42001 makes it fetch a new token and go on."""
    client.message.send_text("ann", "one")
    sandbox.advance(7201)
    client.message.send_text("ann", "two")
    assert 2 == len(sandbox.user("ann").inbox)


def test_wechatpy_with_a_file_without_a_name_gets_what_wechat_answers(client: WeChatClient) -> None:
    """A known trap of requests: the field's name becomes the filename, which has no extension."""
    with pytest.raises(WeChatClientException) as caught:
        client.media.upload("image", io.BytesIO(sunset()))
    assert 40005 == caught.value.errcode


def run_behind_the_proxy(*command: str) -> subprocess.CompletedProcess[str]:
    ours = [sys.executable, "-m", "wxcs_lite", "sandbox", "--proxy", "--customer", "ann", "--verbose", "--"]
    return subprocess.run([*ours, *command], capture_output=True, text=True, cwd=ROOT, check=False, timeout=ENOUGH)


WECHATPY = """
import io
from wechatpy import WeChatClient
client = WeChatClient("wxsandbox000000001", "sandbox-secret-of-no-real-account")
picture = io.BytesIO(b"\\xff\\xd8\\xff" + bytes(200_000))
picture.name = "a.jpg"
media_id = client.media.upload("image", picture)["media_id"]
client.message.send_image("ann", media_id)
print(len(client.media.download(media_id).content))
"""


def test_wechatpy_behind_the_proxy() -> None:
    """Not a line of it is changed, and no address: a picture goes up, to a customer, and comes down."""
    done = run_behind_the_proxy(sys.executable, "-W", "ignore", "-c", WECHATPY)
    assert (0, "200003\n") == (done.returncode, done.stdout), done.stderr
    assert 4 == done.stderr.count("HTTP 200")
    assert "POST /cgi-bin/message/custom/send" in done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_curl_behind_the_proxy(scheme: str) -> None:
    """It obeys the environment, with either scheme."""
    done = run_behind_the_proxy("curl", "-sS", f"{scheme}://api.weixin.qq.com/cgi-bin/getcallbackip?access_token=x")
    assert 0 == done.returncode, done.stderr
    assert 40001 == json.loads(done.stdout)["errcode"]


OURS = """
import os
from wxcs_lite import errors, fetch_token, open_pool, send, text
pool = open_pool(proxy=os.environ["HTTPS_PROXY"])
token = fetch_token(pool, "wxsandbox000000001", "sandbox-secret-of-no-real-account")
print(send(pool, token, text("ann", "hello")))
"""


def test_this_package_behind_the_proxy() -> None:
    """It reads no proxy from the environment, and uses this one when it is passed."""
    done = run_behind_the_proxy(sys.executable, "-c", OURS)
    assert (0, "{'errcode': 0, 'errmsg': 'ok'}\n") == (done.returncode, done.stdout), done.stderr
