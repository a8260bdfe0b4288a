"""The flags of the commands that talk to WeChat: no secret is among them.

What is typed there can be read by other processes and stays in the shell's history; so a mistaken flag is refused by
its name, and what stands behind it is not repeated.
"""

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from wxcs_lite.errcodes import fold
from wxcs_lite.terminal.environment import APPID, BASE_URL, SECRET, TOKEN

__all__ = ["Parser", "add_doctor", "add_explain", "add_send", "message_flags"]

_ABOUT = {
    "doctor": (
        "Look at everything between this machine and WeChat, in order, and say what to do next; no message is sent. "
        "The exit status is 1 if something is wrong.\n"
        "按顺序检查本机到微信的每一环，并给出处理办法；不会发送消息。发现问题时退出码为 1。"
    ),
    "explain": (
        "Say what an errcode means; a rid is looked up at WeChat.\n解释错误码的含义和处理办法；rid 会到微信查询。"
    ),
    "send": (
        "Show one message as the request that it is, ask, and send it once. Without a flag that says what to send, "
        "standard input holds the message as JSON. Exit status: 0 sent, 1 not sent, 2 wrong usage, 3 may have been "
        "sent.\n"
        "先显示请求，确认后发送一次。不指定内容时从标准输入读取 JSON 消息。"
        "退出码：0 已发送，1 未发送，2 用法错误，3 可能已送达。"
    ),
}
_SETTINGS = (
    f"From the environment, or asked for: {APPID} and {SECRET}, or {TOKEN}. A secret is never given on the command "
    f"line.\n密钥从环境变量读取，或按提示输入：{APPID} 和 {SECRET}，或者 {TOKEN}。不要把密钥写在命令行上。"
)


class _Formatter(argparse.HelpFormatter):
    """Puts English above Chinese where both do not fit into a line; argparse counts a Chinese character as one."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        if len(text) + sum(char >= "\u2e80" for char in text) <= width:
            return [text]
        return [line for part in text.split(" / ") for line in super(_Formatter, self)._split_lines(part, width)]


class Parser(argparse.ArgumentParser):
    """Says what it is about first, and refuses what it does not know without repeating it: it may be a secret."""

    def __init__(self, prog: str | None = None, *, about: str = "") -> None:
        super().__init__(prog, allow_abbrev=False, formatter_class=_Formatter)
        self._about = about

    def format_help(self) -> str:
        """Return the help, which argparse would begin with a list of flags."""
        about = [fold("", line, hang=0) for line in self._about.splitlines()]
        return "\n".join([*about, *[""][: len(about)], super().format_help()])

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        chosen, unknown = self.parse_known_args(args, namespace)
        if unknown:
            named = [word.partition("=")[0] for word in unknown if word.startswith("--")]
            told = f"unknown here: {', '.join(named) or 'a word too many'} / 不认识的参数或多余的内容"
            self.error(f"{told}\n{_SETTINGS}" if re.search("secret|token|appid|key", " ".join(named)) else told)
        return chosen

    def error(self, message: str) -> NoReturn:
        """Point to --help, and leave with status 2; argparse would quote what was typed."""
        told = re.sub(r"(invalid choice|invalid \w+ value): .*?(?= \(choose|$)", r"\1", message)
        self.exit(2, f"{self.prog}: {told}\n{self.prog} --help\n")


def _add(commands: Any, name: str, help: str) -> argparse.ArgumentParser:
    about = f"{_ABOUT[name]}\n\n{_SETTINGS}"
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, about=about)
    parser.add_argument("--lang", choices=("en", "zh"), default=argparse.SUPPRESS, help="language / 语言")
    parser.add_argument("--base", metavar="URL", help=f"in place of WeChat's address; or {BASE_URL} / 代替微信的地址")
    parser.add_argument(
        "--proxy",
        metavar="URL",
        type=_without_login,
        help="http://host:port; one with a login belongs into WXCS_PROXY / 代理；带密码的请写入 WXCS_PROXY",
    )
    return parser


def _without_login(address: str) -> str:
    if "@" in address:
        raise argparse.ArgumentTypeError(
            "a login does not belong on the command line: set WXCS_PROXY / 请改用 WXCS_PROXY"
        )
    return address


def add_doctor(commands: Any) -> None:
    parser = _add(commands, "doctor", "what is wrong, and what to do / 检查连接和账号")
    parser.add_argument(
        "--push", metavar="URL", help="your push URL, asked as WeChat asks it / 按微信的方式检查推送 URL"
    )
    parser.add_argument("--json", action="store_true", help="for programs / 输出 JSON")


def add_explain(commands: Any) -> None:
    parser = _add(commands, "explain", "what an errcode means; looks up a rid / 解释错误码，查询 rid")
    parser.add_argument(
        "given", metavar="errcode|rid", help="45047, a rid, or a reply with an errcode / 错误码、rid 或应答"
    )


_MESSAGE = (
    ("touser", "OPENID", "who gets it / 接收者的 openid"),
    ("text", "TEXT", "a text / 文本"),
    ("image", "PATH", "a picture, uploaded first / 图片文件，先上传"),
    ("media_id", "ID", "a picture that is uploaded already / 已上传的图片"),
    ("url", "URL", "a link, with --title --description --thumb-url / 图文链接"),
    ("pagepath", "PATH", "a card, with --title and --thumb or --thumb-media-id / 小程序卡片"),
    ("title", "TEXT", "of a link or card / 标题"),
    ("description", "TEXT", "of a link / 描述"),
    ("thumb_url", "URL", "picture of a link / 图文链接的缩略图"),
    ("thumb", "PATH", "cover of a card, uploaded first / 卡片封面文件，先上传"),
    ("thumb_media_id", "ID", "cover that is uploaded already / 已上传的封面"),
)


def add_send(commands: Any) -> None:
    parser = _add(commands, "send", "send one message / 发送一条消息")
    for name, metavar, help in _MESSAGE:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=help)
    parser.add_argument("--yes", action="store_true", help="do not ask / 不询问，直接发送")
    parser.add_argument("--dry-run", action="store_true", help="only show the request / 只显示请求，不发送")
    parser.add_argument("--curl", action="store_true", help="only show it as a curl command / 只显示 curl 命令，不发送")


def message_flags(chosen: argparse.Namespace) -> dict[str, str | None]:
    """Return what the flags say of the message."""
    return {name: getattr(chosen, name) for name, _, _ in _MESSAGE}
