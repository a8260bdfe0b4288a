"""What can be set where WeChat's behaviour is unknown, has changed, or depends on the account."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from wxcs_lite.sandbox.http.http11 import MAX_BODY
from wxcs_lite.sandbox.rules.evidence import Rule
from wxcs_lite.sandbox.rules.quota import DAILY, PER_MINUTE

__all__ = ["ApiSignature", "Chunked", "ErrmsgStyle", "ErrorContentType", "Escapes", "ExhaustedCode", "PartName"]
__all__ += ["Switches", "UnknownOpenidCode", "UploadReply"]

Escapes = Literal["decode", "literal", "refuse"]
Chunked = Literal["refuse", "accept"]
ErrmsgStyle = Literal["today", "rid", "hint", "both"]
ErrorContentType = Literal["application/json; encoding=utf-8", "text/plain"]
UploadReply = Literal["live", "page"]
PartName = Literal["strict", "lax"]
ExhaustedCode = Literal[45047, 45015]
UnknownOpenidCode = Literal[45015, 40003]
ApiSignature = Literal["off", "optional", "required"]


class Switches(NamedTuple):
    """The settings of one sandbox; `Sandbox` explains them."""

    unicode_escapes: Escapes
    chunked: Chunked
    errmsg_style: ErrmsgStyle
    error_content_type: ErrorContentType
    upload_reply: UploadReply
    part_name: PartName
    exhausted_code: ExhaustedCode
    unknown_openid_code: UnknownOpenidCode
    refill_on_entry: bool
    max_image_bytes: int
    daily_limits: Mapping[str, int]
    minute_limits: Mapping[str, int]
    unauthorized: Collection[str]
    api_signature: ApiSignature
    cloud_hosting: Collection[str] | None
    cloud_shared: bool

    def checked(self, paths: Collection[str], token_paths: Collection[str]) -> "Switches":
        """Return the same with the published limits filled in, or raise ValueError."""
        _one_of("unicode_escapes", self.unicode_escapes, get_args(Escapes))
        _one_of("chunked", self.chunked, get_args(Chunked))
        _one_of("errmsg_style", self.errmsg_style, get_args(ErrmsgStyle))
        _one_of("error_content_type", self.error_content_type, get_args(ErrorContentType))
        _one_of("upload_reply", self.upload_reply, get_args(UploadReply))
        _one_of("part_name", self.part_name, get_args(PartName))
        _one_of("exhausted_code", self.exhausted_code, get_args(ExhaustedCode))
        _one_of("unknown_openid_code", self.unknown_openid_code, get_args(UnknownOpenidCode))
        _one_of("api_signature", self.api_signature, get_args(ApiSignature))
        _one_of("refill_on_entry", self.refill_on_entry, (False, True))
        if type(self.max_image_bytes) is not int or not 0 < self.max_image_bytes < MAX_BODY:
            raise ValueError(f"max_image_bytes must be from 1 to {MAX_BODY - 1}, not {self.max_image_bytes!r}")
        for name, limits in (("daily_limits", self.daily_limits), ("minute_limits", self.minute_limits)):
            for path, limit in limits.items():
                _one_of(f"a path of {name}", path, sorted(paths))
                if type(limit) is not int or limit < 0:
                    raise ValueError(f"{name}[{path!r}] must be a number of calls, not {limit!r}")
        if isinstance(self.unauthorized, str):
            raise ValueError(f"unauthorized must be a set of paths, not {self.unauthorized!r}")
        for path in self.unauthorized:
            _one_of("a path of unauthorized", path, sorted(token_paths))
        if isinstance(self.cloud_hosting, str | bool):
            raise ValueError(f'cloud_hosting must be a list of paths, ["/*"] for all, not {self.cloud_hosting!r}')
        for path in self.cloud_hosting or ():
            _one_of("a path of cloud_hosting", path, ["/*", *sorted(token_paths)])
        _one_of("cloud_shared", self.cloud_shared, (False, True))
        if self.cloud_shared and self.cloud_hosting is None:
            raise ValueError("cloud_shared goes with cloud_hosting")
        return self._replace(
            daily_limits=MappingProxyType({**DAILY, **self.daily_limits}),
            minute_limits=MappingProxyType({**PER_MINUTE, **self.minute_limits}),
            unauthorized=frozenset(self.unauthorized),
            cloud_hosting=None if self.cloud_hosting is None else frozenset(self.cloud_hosting),
        )


def _one_of(name: str, value: object, allowed: Collection[object]) -> None:
    if not any(value == one and type(value) is type(one) for one in allowed):
        *most, last = (repr(one) for one in allowed)
        raise ValueError(f"{name} must be {', '.join(most)} or {last}, not {value!r}")


# fmt: off
RULES = (
    Rule(
        "A chunked body is refused with HTTP 412; this was seen in similar calls.",
        "分块传输的请求体返回 HTTP 412；实例来自同类接口。",
        seen="https://github.com/fastwego/offiaccount/issues/15", inferred=True, setting="chunked",
    ),
    Rule(
        "The Content-Type of errors is application/json; encoding=utf-8 or text/plain: both were seen.",
        "出错时的 Content-Type 为 application/json; encoding=utf-8 或 text/plain，两种都有人见过。",
        seen="2019: https://github.com/w7corp/easywechat/issues/1582; https://github.com/node-webot/wechat-api/pull/4",
        setting="error_content_type",
    ),
)
