"""The credential of a call: an access token, or inside WeChat cloud hosting (微信云托管) what its platform adds."""

# https://developers.weixin.qq.com/minigame/dev/wxcloudrun/src/guide/weixin/open.md
# https://developers.weixin.qq.com/minigame/dev/wxcloudrun/src/guide/weixin/faq.md
# https://developers.weixin.qq.com/miniprogram/dev/wxcloud/guide/container/concept.html

from wxcs_lite.sandbox.http.values import Reply, Request
from wxcs_lite.sandbox.rules.account import Account
from wxcs_lite.sandbox.rules.evidence import CLOUD, Rule
from wxcs_lite.sandbox.rules.refusals import RefusedError

__all__ = ["check_credential", "relayed"]


def check_credential(account: Account, request: Request, now: float) -> None:
    """Return if the call may be made, else raise 41001, 40001, 42001, 85107 or 48001.

    Documented: without a relay a call needs its token; the relay adds one to a call that has none; the list of paths
    holds for the token of the file, too; in a shared environment a call without from_appid runs for the environment's
    owner, and is refused. Observed: the file's token is no access token (40001). Inferred: that a token of the caller's
    own counts where there is another, and needs no path in the list; the order of the checks; what an unknown token of
    cloud hosting (40001), one that is too old (42001), and another account's from_appid (48001) are answered.
    """
    paths, token = account.switches.cloud_hosting, request.parameter("access_token")
    if token:
        account.tokens.check(token, now)
        return
    if paths is None:
        raise RefusedError(41001)
    cloud_token = request.parameter("cloudbase_access_token")
    if cloud_token:
        account.cloud_tokens.check(cloud_token, now)
    if "/*" not in paths and request.path not in paths:
        raise RefusedError(85107)
    from_appid = request.parameter("from_appid")
    if not cloud_token and from_appid != account.appid and (from_appid or account.switches.cloud_shared):
        raise RefusedError(48001)


def relayed(account: Account, request: Request, reply: Reply) -> Reply:
    """Return the reply as the relay passes it on: with an id of its own (documented; its form is made up)."""
    if account.switches.cloud_hosting is None or request.parameter("cloudbase_access_token"):
        return reply
    return reply._replace(headers=(*reply.headers, ("x-openapi-seqid", account.names.seqid())))


# fmt: off
RULES = (
    Rule(
        "A call without any credential is refused.",
        "没有任何凭证的调用会被拒绝。",
        seen="2026-09", errcodes=(41001,),
    ),
    Rule(
        "Inside cloud hosting a call needs no token, but its path must be in the console's list. If the caller sends a "
        "token, it takes precedence.",
        "云托管内调用无须 access_token，但路径须在控制台的列表里；调用方自带的凭证优先。",
        page=CLOUD, inferred=True, errcodes=(85107,), setting="cloud_hosting",
    ),
    Rule(
        "In another account's environment, a call without from_appid counts as that account's, and is refused.",
        "环境属于另一个账号时，不带 from_appid 的调用会算到那个账号上，因而被拒。",
        page=CLOUD, inferred=True, errcodes=(48001,), setting="cloud_shared",
    ),
)
