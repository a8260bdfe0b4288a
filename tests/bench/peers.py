"""Other people's libraries, each used as its own documentation shows; missing ones are skipped."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.clients import ByHand, Library, Ours, accepted
from tests.bench.samples import HEADERS, MESSAGE, OPENID, TEXT, TOKEN, TYPING

__all__ = ["LIBRARIES", "PEERS", "open_peers"]

_CHUNK = 65536


class _Http:
    """What requests and httpx have in common."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/cgi-bin"

    def _ask(self, method: str, call: str, params: Mapping[str, str], **more: Any) -> Any:
        raise NotImplementedError

    def send(self) -> object:
        return self._post("/message/custom/send", MESSAGE)

    def typing(self) -> object:
        return self._post("/message/custom/typing", TYPING)

    def _post(self, call: str, message: Mapping[str, Any]) -> object:
        # Not json=message: it would write \u escapes, which customers have read literally.
        body = json.dumps(message, ensure_ascii=False).encode()
        return accepted(self._ask("POST", call, {"access_token": TOKEN}, body=body, headers=HEADERS).json())

    def upload(self, file: bytes | Path) -> object:
        with _opened(file) as opened:
            files = {"media": ("photo.jpg", opened, "image/jpeg")}
            params = {"access_token": TOKEN, "type": "image"}
            return accepted(self._ask("POST", "/media/upload", params, files=files).json())

    def download(self, size: int) -> bytes:
        content: bytes = self._ask("GET", "/media/get", {"access_token": TOKEN, "media_id": str(size)}).content
        return content


class _Requests(_Http):
    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._session = import_module("requests").Session()

    def _ask(self, method: str, call: str, params: Mapping[str, str], body: bytes | None = None, **more: Any) -> Any:
        return self._session.request(method, self._base + call, params=params, data=body, **more)

    def stream(self, size: int) -> Iterator[bytes]:
        with self._ask("GET", "/media/get", {"access_token": TOKEN, "media_id": str(size)}, stream=True) as reply:
            yield from reply.iter_content(_CHUNK)


class _Httpx(_Http):
    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._client = import_module("httpx").Client()

    def _ask(self, method: str, call: str, params: Mapping[str, str], body: bytes | None = None, **more: Any) -> Any:
        return self._client.request(method, self._base + call, params=params, content=body, **more)

    def stream(self, size: int) -> Iterator[bytes]:
        params = {"access_token": TOKEN, "media_id": str(size)}
        with self._client.stream("GET", self._base + "/media/get", params=params) as reply:
            yield from reply.iter_bytes(_CHUNK)


class _Wechatpy:
    def __init__(self, port: int) -> None:
        self._client = import_module("wechatpy").WeChatClient("APPID", "SECRET", access_token=TOKEN)
        self._client.API_BASE_URL = f"http://127.0.0.1:{port}/cgi-bin/"

    def send(self) -> object:
        return self._client.message.send_text(OPENID, TEXT)

    def typing(self) -> object:
        """It has no function for this; its `post` takes any call."""
        return self._client.post("message/custom/typing", data=dict(TYPING))

    def upload(self, file: bytes | Path) -> object:
        with _opened(file) as opened:
            return self._client.media.upload("image", ("photo.jpg", opened, "image/jpeg"))

    def download(self, size: int) -> bytes:
        content: bytes = self._client.media.download(str(size)).content
        return content

    def stream(self, size: int) -> Iterator[bytes]:
        """It knows only the whole."""
        yield self.download(size)


def _opened(file: bytes | Path) -> AbstractContextManager[Any]:
    return io.BytesIO(file) if isinstance(file, bytes) else file.open("rb")


PEERS: Mapping[str, Callable[[int], Library]] = {
    "requests": _Requests,
    "httpx": _Httpx,
    "wechatpy": _Wechatpy,
}
LIBRARIES: Mapping[str, Callable[[int], Library]] = {"urllib3 by hand": ByHand, "wxcs_lite": Ours, **PEERS}


def open_peers(port: int) -> dict[str, Library | None]:
    """Return a client of each, or None for one that is not installed."""
    return {name: _or_none(make, port) for name, make in PEERS.items()}


def _or_none(make: Callable[[int], Library], port: int) -> Library | None:
    try:
        return make(port)
    except ImportError:
        return None
