"""The sandbox itself: its settings, its entrances, and how to cause faults."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from operator import itemgetter
from time import gmtime, strftime
from typing import TYPE_CHECKING, Any

import urllib3

from wxcs_lite.sandbox.accounts import Accounts
from wxcs_lite.sandbox.api.routes import ROUTES
from wxcs_lite.sandbox.api.sending import well_formed
from wxcs_lite.sandbox.core import Core
from wxcs_lite.sandbox.customers import Customer
from wxcs_lite.sandbox.faults import Drop, RawReply
from wxcs_lite.sandbox.http.pool import open_memory_pool
from wxcs_lite.sandbox.http.server import serving
from wxcs_lite.sandbox.http.values import Seen
from wxcs_lite.sandbox.pushes.delivery import Pushed, Pushes, open_pushes
from wxcs_lite.sandbox.pushes.requests import Format, InnerJson
from wxcs_lite.sandbox.rules.account import Account
from wxcs_lite.sandbox.rules.made_up import Hidden
from wxcs_lite.sandbox.rules.people import CustomerEvent
from wxcs_lite.sandbox.rules.switches import (
    ApiSignature,
    Chunked,
    ErrmsgStyle,
    ErrorContentType,
    Escapes,
    ExhaustedCode,
    PartName,
    Switches,
    UnknownOpenidCode,
    UploadReply,
)
from wxcs_lite.sandbox.watching import Happening

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["Sandbox"]

_NOTHING: Mapping[str, int] = {}


class Sandbox:
    """A simulated WeChat: the calls of one Mini Program's customer service, with no account and no network.

    >>> from wxcs_lite.sandbox import Sandbox
    >>> sandbox = Sandbox()
    >>> sandbox.user("ann").says("hello")
    CustomerEvent(1767240000.0, 'ann', 'text', {'Content': 'hello'})
    >>> pool = sandbox.pool()
    >>> pool.request("GET", "/cgi-bin/getcallbackip").json()["errcode"]
    41001

    It keeps everything that customers did and were shown, for you to look at: some 1.4 KB for a message and its answer,
    1.4 GB for a million of them, and pictures besides. Of refused calls it keeps the last thousand, of others nothing.

    It is deterministic: the same seed, clock and calls give the same bytes. `clock` is a callable that returns epoch
    seconds; without one, it is noon in China on 2026-01-01 until `advance` moves the time.

    Switches choose what is unknown or depends on the account; notebooks/recipes/sandbox_rules.md says what each
    default rests on:

    - `unicode_escapes`: what happens to `\\u4f60` in a JSON body. "literal" shows the user the escape (last seen in
      2018), "decode" reads it as JSON, "refuse" answers 47002 (published, never seen).
    - `chunked`: "refuse" answers HTTP 412 (seen on sibling calls), "accept" reads the chunks.
    - `errmsg_style`: how error texts end. "today" is what was last seen: a rid, after a hint for 40007 (2026) and
      41005 (2025). "rid" never has a hint, "hint" is how it was before 2020, "both" has both for every code.
    - `error_content_type`: "application/json; encoding=utf-8" or "text/plain"; both were seen.
    - `upload_reply`: "live" answers an upload as real replies do, with an empty `item` and no errcode, so that code
      that expects `errcode` 0 fails here as it would there; "page" answers as the official page prints it.
    - `part_name`: "strict" wants a part called `media` in an upload; "lax" takes the first file, whatever its name.
    - `exhausted_code`: the answer when the messages of the reply window are used up; 45015 was seen, too.
    - `unknown_openid_code`: the answer for somebody who never wrote. 45015 is inferred; 40003 makes a mistyped openid
      obvious.
    - `refill_on_entry`: whether entering the session within the 48 hours fills the count up to 5 again.
    - `max_image_bytes`: the official page says both 10 MB (the default) and 2 MB.
    - `daily_limits`, `minute_limits`: calls allowed for a path, instead of the published limits of a verified account.
    - `unauthorized`: paths that answer 48001.
    - `api_signature`: "optional" verifies signed requests and signs their replies; "required" also refuses plain
      requests for the calls that can be signed; "off" has no keys (40239). `signing_keys` is what the console shows.
    - `cloud_hosting`: the paths listed in the console of WeChat cloud hosting, ["/*"] for all: calls to them need no
      token, others are refused (85107); `push_to` without a token delivers as the platform does, and `cloudbase_token`
      is the content of the file in the container. With `cloud_shared` the environment belongs to another account:
      calls need a from_appid.
    """

    def __init__(
        self,
        *,
        appid: str = "wxsandbox000000001",
        secret: str = "sandbox-secret-of-no-real-account",  # noqa: S107 it opens nothing
        seed: int = 0,
        clock: Callable[[], float] | None = None,
        unicode_escapes: Escapes = "literal",
        chunked: Chunked = "refuse",
        errmsg_style: ErrmsgStyle = "today",
        error_content_type: ErrorContentType = "application/json; encoding=utf-8",
        upload_reply: UploadReply = "live",
        part_name: PartName = "strict",
        exhausted_code: ExhaustedCode = 45047,
        unknown_openid_code: UnknownOpenidCode = 45015,
        refill_on_entry: bool = False,
        max_image_bytes: int = 10 * 2**20,
        daily_limits: Mapping[str, int] = _NOTHING,
        minute_limits: Mapping[str, int] = _NOTHING,
        unauthorized: Collection[str] = frozenset(),
        api_signature: ApiSignature = "off",
        cloud_hosting: Collection[str] | None = None,
        cloud_shared: bool = False,
    ) -> None:
        secret = Hidden(secret)
        if not appid or not secret:
            raise ValueError("appid and secret cannot be empty")
        token_paths = [path for path, route in ROUTES.items() if route.takes_token]
        switches = Switches(
            unicode_escapes=unicode_escapes, chunked=chunked, errmsg_style=errmsg_style,
            error_content_type=error_content_type, upload_reply=upload_reply, part_name=part_name,
            exhausted_code=exhausted_code, unknown_openid_code=unknown_openid_code, refill_on_entry=refill_on_entry,
            max_image_bytes=max_image_bytes, daily_limits=daily_limits, minute_limits=minute_limits,
            unauthorized=unauthorized, api_signature=api_signature, cloud_hosting=cloud_hosting,
            cloud_shared=cloud_shared,
        ).checked(frozenset(ROUTES), token_paths)  # fmt: skip
        self._core = Core(Account(appid, secret, seed, switches, frozenset(ROUTES)), clock)

    def __repr__(self) -> str:
        if not hasattr(self, "_core"):  # a traceback may show one whose settings were refused
            return "<Sandbox without settings>"
        now = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(self.clock()))
        return f"<Sandbox {self.appid} at {now}, customers: {len(self._core.account.people)}>"

    @property
    def appid(self) -> str:
        return self._core.account.appid

    @property
    def secret(self) -> str:
        """The secret, as a str whose repr does not show it."""
        return self._core.account.secret

    @property
    def signing_keys(self) -> dict[str, Any]:
        """The keys of the API signature: `wxcs_lite.signing.SigningKeys(**sandbox.signing_keys)`.

        Raises ValueError while `api_signature` is "off".
        """
        keys = self._core.account.api_keys
        if keys is None:
            raise ValueError('there are no keys: create the sandbox with api_signature="optional" or "required"')
        return keys.shown(self.appid)

    @property
    def cloudbase_token(self) -> str:
        """The content of the file `/.tencentcloudbase/wx/cloudbase_access_token`, as a str whose repr does not show it.

        Raises ValueError without `cloud_hosting`.
        """
        if self._core.account.switches.cloud_hosting is None:
            raise ValueError('there is none: create the sandbox with cloud_hosting=["/*"], or a list of paths')
        with self._core.lock:
            return self._core.account.cloud_tokens.current(self.clock())

    @property
    def original_id(self) -> str:
        """The account's id in pushes: the ToUserName of everything that customers send."""
        return self._core.account.original_id

    @property
    def events(self) -> tuple[CustomerEvent, ...]:
        """Everything that customers did, oldest first."""
        with self._core.lock:
            return tuple(self._core.account.events)

    def clock(self) -> float:
        """Return the sandbox's time in epoch seconds; pass this method wherever a clock is expected."""
        return self._core.clock()

    def advance(self, seconds: float) -> None:
        """Move the sandbox's time forwards.

        >>> sandbox = Sandbox()
        >>> sandbox.advance(48 * 3600)
        >>> sandbox
        <Sandbox wxsandbox000000001 at 2026-01-03T04:00:00Z, customers: 0>
        """
        self._core.advance(seconds)

    def user(self, openid: str) -> Customer:
        """Return the customer with this openid, who is created on first use."""
        if not well_formed(openid):
            got = f"not {openid!r}" if len(repr(openid)) < 60 else "not that long"  # a long one may be a token
            raise ValueError(f"openid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, {got}")
        return Customer(self._core, openid)

    def fail_next(
        self,
        *,
        errcode: int | None = None,
        errmsg: str | None = None,
        drop: Drop | None = None,
        slow: float | None = None,
        reply: RawReply | None = None,
        path: str | None = None,
        times: int = 1,
    ) -> None:
        """Make the next `times` requests (to `path`, or to any path) fail in exactly one of four ways.

        >>> sandbox = Sandbox()
        >>> sandbox.fail_next(errcode=-1, path="/cgi-bin/getcallbackip")
        >>> sandbox.pool().request("GET", "/cgi-bin/getcallbackip").json()
        {'errcode': -1, 'errmsg': 'system error rid: 6955f140-...'}

        `errcode` is answered without doing anything; `errmsg` replaces its text, and is required if none is known.
        `drop="before"` loses the connection together with the request, `drop="after"` carries out the request and loses
        the reply. `slow` carries it out and delays the reply by that many seconds; the pool without sockets does not
        wait: it times out at once, or not at all. `reply` is sent instead, without doing anything: the bytes of a whole
        HTTP reply, after which the connection closes, or (status, headers, body). `times=0` alone takes back what no
        request has met yet.
        """
        with self._core.lock:
            self._core.faults.add(
                errcode=errcode, errmsg=errmsg, drop=drop, slow=slow, reply=reply, path=path, times=times
            )  # fmt: skip

    def watch(self, watcher: Callable[[Happening], object]) -> AbstractContextManager[None]:
        """Tell a function of everything that happens, whichever entrance it comes by, during a `with` block.

        >>> sandbox = Sandbox()
        >>> with sandbox.watch(print):
        ...     sandbox.advance(60)
        ...     status = sandbox.pool().request("GET", "/nowhere").status
        Advanced(at=1767240060.0, seconds=60)
        Called(GET /nowhere: HTTP 404, errcode None)

        It gets one of five values: a `CustomerEvent` before it is pushed, a `Pushed` after each attempt and its effect,
        `Arrived` for a message that is on the phone now, `Called` for a call just before its reply leaves, `Advanced`.
        It runs in the thread where it happens, and no lock of the sandbox is held, so it may use the sandbox; what
        several threads do at the same time may be told in another order. What it raises comes out there: of `says`, of
        `advance`, or as in `serve`.
        """
        return self._core.watch(watcher)

    def pool(
        self,
        *,
        maxsize: int = 64,
        timeout: urllib3.Timeout | float | None = None,
        on_request: Callable[[Seen], object] | None = None,
    ) -> urllib3.HTTPConnectionPool:
        """Return a urllib3 pool to this sandbox without sockets; `timeout` None means 3 s to connect, 10 s to read.

        >>> Sandbox().pool().request("GET", "/nowhere").status
        404
        """
        accounts = Accounts([self._core])
        return open_memory_pool(lambda: accounts.converse(on_request), maxsize=maxsize, timeout=timeout)

    def serve(
        self,
        port: int = 0,
        *,
        beside: Iterable["Sandbox"] = (),
        on_request: Callable[[Seen], object] | None = None,
    ) -> AbstractContextManager[str]:
        """Serve real HTTP on 127.0.0.1 during a `with` block, which gets the URL; port 0 means any free one.

        >>> import urllib3
        >>> with Sandbox().serve() as url, urllib3.PoolManager() as http:
        ...     http.request("GET", url + "/cgi-bin/getcallbackip").json()["errcode"]
        41001

        The time is the sandbox's own there, too: it stands still unless a `clock` was given (`python -m wxcs_lite
        sandbox` uses `time.time`). An error in `on_request` closes that one connection; its traceback goes to stderr.

        The sandboxes `beside` it are served at the same URL, as WeChat serves many accounts: a call goes to the one
        that issued its token, or has its appid, and each has tokens, limits, customers and media of its own. Calls that
        belong to none of them are refused by this one, whose `chunked` holds for all.
        """
        accounts = self._with(beside)
        return accounts.at("serve", serving(lambda: accounts.converse(on_request), port), str)

    def _with(self, beside: Iterable["Sandbox"]) -> Accounts:
        return Accounts([self._core, *(sandbox._core for sandbox in beside)])

    def proxy(
        self,
        port: int = 0,
        *,
        beside: Iterable["Sandbox"] = (),
        on_request: Callable[[Seen], object] | None = None,
    ) -> AbstractContextManager[dict[str, str]]:
        """Serve as an HTTPS proxy on 127.0.0.1 for the length of a `with` block, which gets environment variables.

            with sandbox.proxy() as environment:
                subprocess.run(["node", "bot.js"], env={**os.environ, **environment})

        A program that runs with them, in whatever language, finds the sandbox where it looks for api.weixin.qq.com, and
        nothing else: any other host is refused with 403. They make it trust a certificate that is made for this block,
        and no other. Needs the extra `push`, for `cryptography`. Time, `beside` and `on_request` are as in `serve`.
        """
        from wxcs_lite.sandbox.door.proxy import proxying

        accounts = self._with(beside)
        return accounts.at("proxy", proxying(accounts.converse, port, on_request), itemgetter("HTTPS_PROXY"))

    def page(self, port: int = 0, *, beside: Iterable["Sandbox"] = ()) -> AbstractContextManager[str]:
        """Serve a web page on 127.0.0.1 during a `with` block, which gets its URL, for a browser.

        >>> with Sandbox().page() as url:
        ...     url.startswith("http://127.0.0.1:")
        True

        It shows the phones of customers, writes as them, lists calls and pushes as they happen, moves the time and
        plans faults, in English or Chinese (`?lang=zh`). The URL contains a token made for this block: whoever has it
        can do all that. Sandboxes `beside` this one can be chosen on the page.
        """
        from wxcs_lite.sandbox.door.page import paging

        return paging(self._with(beside).cores, port)

    def push_to(
        self,
        target: "str | WSGIApplication",
        *,
        token: str | None = None,
        aes_key: str | None = None,
        format: Format = "json",
        compatible: bool = False,
        content_type: str | None = None,
        inner_json: InnerJson = "spaced",
        time_limit: float = 5.0,
        on_pushed: Callable[[Pushed], object] | None = None,
    ) -> Pushes:
        """Check a URL or WSGI application as WeChat does, then push to it everything that customers do.

        >>> def application(environ, start_response):
        ...     start_response("200 OK", [])
        ...     query = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
        ...     return [query.get("echostr", "success").encode()]
        >>> sandbox = Sandbox()
        >>> pushes = sandbox.push_to(application, token="AAAAA")
        >>> event = sandbox.user("ann").says("hi")
        >>> pushes.log
        (Pushed(text of ann, attempt 1, HTTP 200, success),)

        Each push is signed with `token`; with an `aes_key` (EncodingAESKey) it is encrypted, with `compatible` it is
        plain as well. `format` is "json" or "xml". Raises ValueError, and changes nothing, if the URL check is not
        answered with exactly its echostr. There is only one target: another call replaces it.

        `content_type` labels the body; None means text/xml, which was seen on JSON, too (in a container JSON is
        labelled as JSON). That was in 2018 and there is nothing newer, so try your application with "application/json"
        as well. `inner_json` is how JSON is laid out before it is encrypted: "spaced" as in a real push, "compact" as
        on the official page.

        Without a token, in a sandbox with `cloud_hosting`, the target is a container: it has to answer the check of its
        path with status 200, and pushes come with `x-wx-source` and no signature.

        `says` and its like return when the push was answered within `time_limit` seconds, or has failed four times: the
        same request each time, without a pause. No lock is held meanwhile: what is pushed to may call the sandbox.
        Any port will do here; WeChat's are 80 and 443. `on_pushed` is called after each attempt, as `log` will have it:
        what it raises comes out of `says`, and there are no more attempts.
        """
        token, aes_key = None if token is None else Hidden(token), None if aes_key is None else Hidden(aes_key)
        pushes = open_pushes(
            self._core.account,
            self.clock,
            lambda: self._core.lock,
            target,
            token=token,
            aes_key=aes_key,
            format=format,
            compatible=compatible,
            content_type=content_type,
            inner_json=inner_json,
            time_limit=time_limit,
            on_pushed=on_pushed,
            tell=self._core.tell,
        )
        self._core.push_to(pushes)
        return pushes
