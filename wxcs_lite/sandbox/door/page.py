"""The sandbox as a web page: phones, the log of calls and pushes, time and faults, at an address that nobody can guess.

Other pages that the same browser has open are the danger, because they can send requests to this machine, too. So the
address contains a token made for this run; a request must name this machine as its host, or a foreign name could be
made to point here; one that comes from another page is refused; and nothing of the answers may be run, framed, stored
or told to others. Whatever customers and callers write is text, here and in the browser.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from hmac import compare_digest
from re import fullmatch

from wxcs_lite.look.words import Language
from wxcs_lite.sandbox.core import Core
from wxcs_lite.sandbox.door.actions import MAX_PICTURE, NotPossibleError, act, send_picture
from wxcs_lite.sandbox.door.board import Asked, Board
from wxcs_lite.sandbox.door.details import Part, call_details, push_details
from wxcs_lite.sandbox.door.page_files import FILES, first_page, read
from wxcs_lite.sandbox.door.page_words import page_words
from wxcs_lite.sandbox.http.http11 import Conversation
from wxcs_lite.sandbox.http.server import serving
from wxcs_lite.sandbox.http.values import Answer, Reply, Request, page

__all__ = ["paging"]

_HOLD = 20.0  # seconds that a request for news is held
_FORM = 64 * 2**10  # bytes of what is written on the page
_HOST = r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?"  # any port: it may be forwarded

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types look"
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "no-referrer"),  # a link that is clicked does not take the address along
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


@contextmanager
def paging(cores: Sequence[Core], port: int) -> Iterator[str]:
    """Serve the page during the block, which gets its URL."""
    with ExitStack() as stack:
        boards = {core.account.appid: Board(core) for core in cores}
        for board in boards.values():
            stack.enter_context(board.core.watch(board.note))
        served = _Page(boards, secrets.token_urlsafe(24))
        url = stack.enter_context(serving(served.converse, port))
        for board in boards.values():
            stack.callback(board.close)  # first, so that no thread waits when the server ends
        yield f"{url}{served.root}"


class _Page:
    """What is at the address: files, news, details, and what can be done."""

    def __init__(self, boards: Mapping[str, Board], token: str) -> None:
        self.root = f"/{token}/"
        self._boards = boards

    def converse(self) -> Conversation:
        return Conversation(self._answer, admit=self._admit)

    def _admit(self, head: Request) -> Request | Answer:
        """Let in what comes from the page itself, before any of its body is read."""
        refused = _stranger(head) or self._lost(head) or _too_large(head, head.path[len(self.root) :])
        return head if refused is None else Answer(_closing(refused))

    def _lost(self, head: Request) -> Reply | None:
        root, name = head.path[: len(self.root)], head.path[len(self.root) :]
        if not compare_digest(root.encode(), self.root.encode()) or (name and name not in FILES | _ANSWERS.keys()):
            return page(404)
        method = _ANSWERS[name][0] if name in _ANSWERS else "GET"
        if head.method == method:
            return None
        return page(405)._replace(headers=(("Content-Type", "text/html"), ("Allow", method)))

    def _answer(self, request: Request) -> Answer:
        name, lang = request.path[len(self.root) :], _language(request)
        if name in _ANSWERS:
            board = self._boards.get(request.parameter("account"))
            reply = page(404) if board is None else _ANSWERS[name][1](request, board, lang)
        elif name:
            reply = Reply(200, (("Content-Type", FILES[name]),), read(name))
        else:
            content = first_page(lang, [*self._boards]).encode("utf-8", "replace")
            reply = Reply(200, (("Content-Type", "text/html; charset=utf-8"),), content)
        return Answer(reply._replace(headers=(*reply.headers, *_HEADERS)))


def _stranger(head: Request) -> Reply | None:
    """Refuse what was sent to another name, or by another page."""
    host, origin = head.headers.get("host", ""), head.headers.get("origin")
    if fullmatch(_HOST, host) is None:
        return _text(403, "This page is at 127.0.0.1 only.\n此页面只能通过 127.0.0.1 访问。\n")
    # Browsers say from where a POST comes, and newer ones, for each request, whether it is from elsewhere. A link to
    # the page may be anywhere, in a web mail or a chat.
    elsewhere = head.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    followed = head.method == "GET" and head.headers.get("sec-fetch-mode") == "navigate"
    own = f"http://{host}"
    if origin not in ((own,) if head.method == "POST" else (None, own)) or (elsewhere and not followed):
        return _text(403, "Other pages cannot use this one.\n其他页面不能使用此页面。\n")
    return None


def _too_large(head: Request, name: str) -> Reply | None:
    length = head.headers.get("content-length", "0")
    limit, said = {"act": (_FORM, "64 KB"), "picture": (MAX_PICTURE, "10 MB")}.get(name, (0, "0"))
    if fullmatch("[0-9]{1,15}", length) and int(length) <= limit:
        return None
    return _error(413, page_words(_language(head))["too_large"].format(limit=said))


def _closing(refused: Reply) -> Reply:
    return refused._replace(headers=(*refused.headers, *_HEADERS, ("Connection", "close")))


def _language(request: Request) -> Language:
    lang = request.parameter("lang") or request.headers.get("accept-language", "")[:2].lower()
    return "zh" if lang == "zh" else "en"


def _news(request: Request, board: Board, lang: Language) -> Reply:
    since, have = (_whole(request.parameter(name)) for name in ("since", "have"))
    asked = Asked(request.parameter("openid"), since, have, request.parameter("state"), lang)
    return _json(200, board.wait(asked, _HOLD))


def _call(request: Request, board: Board, lang: Language) -> Reply:
    found = board.call(_whole(request.parameter("id")))
    return _details(None if found is None else call_details(found, lang), lang)


def _push(request: Request, board: Board, lang: Language) -> Reply:
    found = board.push(_whole(request.parameter("id")))
    return _details(None if found is None else push_details(found, lang), lang)


def _details(details: Sequence[Part] | None, lang: Language) -> Reply:
    return _error(404, page_words(lang)["gone"]) if details is None else _json(200, details)


def _act(request: Request, board: Board, lang: Language) -> Reply:
    try:
        fields = json.loads(request.body)
    except (ValueError, RecursionError):
        fields = None
    return _done(lambda: act(board.core, fields if isinstance(fields, dict) else {}), board, lang)


def _picture(request: Request, board: Board, lang: Language) -> Reply:
    return _done(lambda: send_picture(board.core, request.parameter("openid"), request.body), board, lang)


def _done(action: Callable[[], None], board: Board, lang: Language) -> Reply:
    try:
        action()
    except NotPossibleError as error:
        return _error(400, page_words(lang)[error.key].format(why=error.why))
    board.wake()
    return _json(200, {})


def _whole(text: str) -> int:
    return int(text) if fullmatch("[0-9]{1,15}", text) else 0


def _error(status: int, text: str) -> Reply:
    return _json(status, {"error": text})


def _json(status: int, value: object) -> Reply:
    return Reply(status, (("Content-Type", "application/json"),), json.dumps(value).encode())


def _text(status: int, text: str) -> Reply:
    return Reply(status, (("Content-Type", "text/plain; charset=utf-8"),), text.encode())


_ANSWERS: Mapping[str, tuple[str, Callable[[Request, Board, Language], Reply]]] = {
    "news": ("GET", _news),
    "call": ("GET", _call),
    "push": ("GET", _push),
    "act": ("POST", _act),
    "picture": ("POST", _picture),
}
