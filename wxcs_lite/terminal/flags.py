"""The flags of the commands that call WeChat; none of them takes a secret.

Other processes can read a command line, and the shell's history keeps it; so an unknown flag is refused by its name
without repeating its value.
"""

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from wxcs_lite.errcodes import fold
from wxcs_lite.terminal.environment import AES_KEY, APPID, BASE_URL, OPENID, PUSH_TOKEN, SECRET, TOKEN

__all__ = [
    "Parser", "add_compare", "add_doctor", "add_explain", "add_sandbox", "add_send", "add_send_many", "message_flags",
]  # fmt: skip

_ABOUT = {
    "compare": (
        "Make the same calls to a live account and to the sandbox, and say where they differ, as a report that has no "
        f"secret and can be posted. It shows what it will send, and asks first. {OPENID} is the customer who gets the "
        "messages: they must have just written. Exit status: 0 nothing differs, 1 something does, 2 not compared.\n"
        "对真实账号和沙箱发起同样的调用，列出不同之处；报告中没有密钥，可以公开。会先说明要发送什么，确认后才发送。"
        f"{OPENID} 是接收消息的用户，须先给小程序发一条消息。退出码：0 没有不同，1 有不同，2 未能比较。"
    ),
    "doctor": (
        "Check everything between this machine and WeChat, step by step, and say what to do; no message is sent. "
        "The exit status is 1 if something is wrong.\n"
        "按顺序检查本机到微信的每一环，并给出处理办法；不会发送消息。发现问题时退出码为 1。"
    ),
    "explain": ("Say what an errcode means; look up a rid at WeChat.\n解释错误码的含义和处理办法；rid 会到微信查询。"),
    "sandbox": (
        "Serve a simulated WeChat on 127.0.0.1, with no account and no network, until Ctrl-C. Type `ann: hello` and "
        "that customer writes; `help` lists what else can be typed. What reaches a phone is printed.\n"
        "在 127.0.0.1 上启动模拟的微信，无需账号，也不联网，按 Ctrl-C 结束。输入“ann: 你好”，相当于该用户发来一条消息；"
        "输入 help 查看其他命令。用户收到的消息会打印出来。\n\n"
        "python -m wxcs_lite sandbox --port 8080 --customer ann --verbose\n"
        "python -m wxcs_lite sandbox --page\n"
        "python -m wxcs_lite sandbox --proxy --customer ann -- node bot.js\n"
        f"{PUSH_TOKEN}=... python -m wxcs_lite sandbox --push http://127.0.0.1:8000/\n\n"
        f"The Token of the message push is read from {PUSH_TOKEN}, and its EncodingAESKey, which encrypts, from "
        f"{AES_KEY}: invent both.\n"
        f"消息推送的 Token（令牌）取自环境变量 {PUSH_TOKEN}；需要加密时，EncodingAESKey 取自 {AES_KEY}。"
        "两者请自行编造。"
    ),
    "send": (
        "Show the request for one message, ask, and send it once. Without a flag that says what to send, the "
        "message is read from standard input as JSON. Exit status: 0 sent, 1 not sent, 2 wrong usage, 3 may have been "
        "sent.\n"
        "先显示请求，确认后发送一次。不指定内容时从标准输入读取 JSON 消息。"
        "退出码：0 已发送，1 未发送，2 用法错误，3 可能已送达。"
    ),
    "send-many": (
        "Send each message of a file once, over many connections. Each line is a message as JSON, such as "
        '{"touser": "OPENID", "msgtype": "text", "text": {"content": "hello"}}, or {"key": "order-17", "message": …}, '
        "where the key is a name of yours for it. The ledger, a file, knows what was sent, even if the program or the "
        "machine dies: the same command with --resume sends the rest. Ctrl-C once ends when the replies have come, "
        "twice at once. Exit status: 0 all sent, 1 some were not, 2 it did not begin, 3 some may have been sent, 130 "
        "interrupted.\n"
        '把文件中的消息各发送一次，多个连接同时进行。每行一条 JSON 消息，例如 {"touser": "OPENID", "msgtype": "text", '
        '"text": {"content": "您好"}}，或 {"key": "order-17", "message": …}，key 是你给消息起的名字。'
        "账本文件记录哪些消息已经发送，程序或机器中途退出也不会丢：同一命令加 --resume 即可继续。"
        "按一次 Ctrl-C，收到应答后结束；按两次立即退出。"
        "退出码：0 全部发送，1 部分未发送，2 没有开始，3 部分可能已送达，130 被中断。"
    ),
}
_SETTINGS = (
    f"Read from the environment, or asked for: {APPID} and {SECRET}, or {TOKEN}. Never put a secret on the command "
    f"line.\n密钥从环境变量读取，或按提示输入：{APPID} 和 {SECRET}，或者 {TOKEN}。不要把密钥写在命令行上。"
)


class _Formatter(argparse.HelpFormatter):
    """Puts English above Chinese if both do not fit into a line; argparse counts a Chinese character as one column."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        if len(text) + sum(char >= "\u2e80" for char in text) <= width:
            return [text]
        return [line for part in text.split(" / ") for line in super(_Formatter, self)._split_lines(part, width)]


class Parser(argparse.ArgumentParser):
    """Prints a description first, and refuses unknown arguments without repeating them, because they may be secrets."""

    def __init__(self, prog: str | None = None, *, about: str = "") -> None:
        super().__init__(prog, allow_abbrev=False, formatter_class=_Formatter)
        self._about = about

    def format_help(self) -> str:
        """Return the help, with the description before the usage."""
        about = [fold("", line, hang=0) for line in self._about.splitlines()]
        return "\n".join([*about, *[""][: len(about)], super().format_help()])

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        chosen, unknown = self.parse_known_args(args, namespace)
        if unknown:
            named = [word.partition("=")[0] for word in unknown if word.startswith("--")]
            told = f"unknown: {', '.join(named) or 'too many arguments'} / 不认识的参数或多余的内容"
            self.error(f"{told}\n{_SETTINGS}" if re.search("secret|token|appid|key", " ".join(named)) else told)
        return chosen

    def error(self, message: str) -> NoReturn:
        """Point to --help and exit with status 2, without quoting what was typed, as argparse would."""
        told = re.sub(r"(invalid choice|invalid \w+ value): .*?(?= \(choose|$)", r"\1", message)
        self.exit(2, f"{self.prog}: {told}\n{self.prog} --help\n")


def _add(commands: Any, name: str, help: str) -> argparse.ArgumentParser:
    about = f"{_ABOUT[name]}\n\n{_SETTINGS}"
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, about=about)
    parser.add_argument("--lang", choices=("en", "zh"), default=argparse.SUPPRESS, help="language / 语言")
    parser.add_argument("--base", metavar="URL", help=f"instead of WeChat's URL; or set {BASE_URL} / 代替微信的地址")
    parser.add_argument(
        "--proxy",
        metavar="URL",
        type=_without_login,
        help="http://host:port; put one with a login into WXCS_PROXY / 代理；带密码的请写入 WXCS_PROXY",
    )
    return parser


def _without_login(address: str) -> str:
    if "@" in address:
        raise argparse.ArgumentTypeError("do not put a login on the command line: set WXCS_PROXY / 请改用 WXCS_PROXY")
    return address


def add_sandbox(commands: Any) -> argparse.ArgumentParser:
    """Add the command and return its parser; the one secret that it takes opens nothing."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "sandbox", help="serve the sandbox on 127.0.0.1 / 启动沙箱（本地模拟的微信）", about=_ABOUT["sandbox"]
    )
    for name, metavar, help in _SANDBOX:
        parser.add_argument(name, metavar=metavar, help=help)
    for name, metavar, help in _SANDBOX_REPEATED:
        parser.add_argument(name, metavar=metavar, help=help, action="append", default=[])
    parser.add_argument("--port", type=int, default=0, help="the port; by default a free one / 端口，默认自动选用")
    parser.add_argument("--format", choices=("json", "xml"), help="of pushes, by default json / 推送的格式，默认 json")
    parser.add_argument(
        "--verbose", action="store_true", help="print every call, without secrets / 打印每个请求，不含密钥"
    )
    parser.add_argument(
        "--proxy", action="store_true", help="be an HTTPS proxy, for any SDK unchanged / 作为 HTTPS 代理，SDK 无需改动"
    )
    parser.add_argument(
        "--page", action="store_true", help="a page with phones and a log of calls / 提供网页，显示手机和调用记录"
    )
    parser.add_argument(
        "run",
        nargs="*",
        metavar="-- COMMAND",
        help="run it behind the proxy, and end with it / 经代理运行该命令，随它结束",
    )
    return parser


def add_doctor(commands: Any) -> None:
    parser = _add(commands, "doctor", "check the connection and the account / 检查连接和账号")
    parser.add_argument("--push", metavar="URL", help="check your push URL as WeChat does / 按微信的方式检查推送 URL")
    parser.add_argument("--json", action="store_true", help="print JSON / 输出 JSON")


def add_compare(commands: Any) -> None:
    parser = _add(commands, "compare", "a live account against the sandbox / 比较真实账号和沙箱")
    parser.add_argument(
        "--cassette", metavar="FILE", help="a recording by VCR, instead of an account / 改用 VCR 录制的文件"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask / 不询问，直接开始")
    parser.add_argument("--json", action="store_true", help="print JSON / 输出 JSON")


def add_explain(commands: Any) -> None:
    parser = _add(commands, "explain", "what an errcode means; looks up a rid / 解释错误码，查询 rid")
    parser.add_argument(
        "given", metavar="errcode|rid", help="45047, a rid, or a reply with an errcode / 错误码、rid 或应答"
    )


_SANDBOX = (
    ("--appid", None, "the appid it accepts / 沙箱使用的 appid"),
    ("--secret", None, "the AppSecret it accepts (invent one) / 沙箱使用的 AppSecret（请编造一个）"),
    ("--push", "URL", "push what customers do to this URL / 把用户的消息和事件推送到该 URL"),
    ("--content-type", "TYPE", "of pushes, by default text/xml / 推送的 Content-Type，默认 text/xml"),
)
_SANDBOX_REPEATED = (
    (
        "--account",
        "APPID",
        "an account of its own, with an AppSecret made up for this run; may be repeated / "
        "独立的账号，AppSecret 随机生成；可指定多个",
    ),
    (
        "--customer",
        "OPENID",
        "a customer who has just written; may be repeated / 刚发来消息的用户，可指定多个",
    ),
    (
        "--set",
        "SWITCH=VALUE",
        "a switch of the sandbox, such as errmsg_style=both; an unknown one lists all; may be repeated / "
        "沙箱的选项，如 errmsg_style=both；写错时列出全部；可指定多个",
    ),
)
_MESSAGE = (
    ("touser", "OPENID", "recipient / 接收者的 openid"),
    ("text", "TEXT", "a text / 文本"),
    ("image", "PATH", "a picture, uploaded first / 图片文件，先上传"),
    ("media_id", "ID", "a picture uploaded before / 已上传的图片"),
    ("url", "URL", "a link, with --title --description --thumb-url / 图文链接"),
    ("pagepath", "PATH", "a card, with --title and --thumb or --thumb-media-id / 小程序卡片"),
    ("title", "TEXT", "of a link or card / 标题"),
    ("description", "TEXT", "of a link / 描述"),
    ("thumb_url", "URL", "thumbnail of a link / 图文链接的缩略图"),
    ("thumb", "PATH", "cover of a card, uploaded first / 卡片封面文件，先上传"),
    ("thumb_media_id", "ID", "cover uploaded before / 已上传的封面"),
)


def add_send(commands: Any) -> None:
    parser = _add(commands, "send", "send one message / 发送一条消息")
    for name, metavar, help in _MESSAGE:
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=help)
    parser.add_argument("--yes", action="store_true", help="do not ask / 不询问，直接发送")
    parser.add_argument("--dry-run", action="store_true", help="only show the request / 只显示请求，不发送")
    parser.add_argument("--curl", action="store_true", help="only show it as a curl command / 只显示 curl 命令，不发送")


_MANY = (
    ("dry-run", "check and count, send nothing / 只检查和统计，不发送"),
    ("resume", "go on with a ledger that is there / 用已有账本继续"),
    ("skip-invalid", "leave out lines that are not messages / 跳过不是消息的行"),
    ("resend-unknown", "those that may have arrived, too: perhaps twice / 重发结果未知的消息，用户可能收到两次"),
    ("resend-refused", "those that WeChat refused, too / 重发被微信拒绝的消息"),
    ("json", "print JSON, with --dry-run too / 输出 JSON，--dry-run 也适用"),
)


def add_send_many(commands: Any) -> None:
    parser = _add(commands, "send-many", "send each message of a file once / 把文件中的消息各发送一次")
    parser.add_argument("file", metavar="FILE", help="one JSON message a line; - is standard input / 每行一条消息")
    parser.add_argument("--ledger", metavar="PATH", help="the file that knows what was sent / 账本文件")
    parser.add_argument("--workers", type=int, default=16, metavar="N", help="at once; 16 by default / 并发数，默认 16")
    parser.add_argument("--rate", type=float, metavar="N", help="at most so many a second / 每秒最多几条")
    parser.add_argument("--csv", metavar="PATH", help="write the ledger as CSV in the end / 结束时把账本导出为 CSV")
    for name, help in _MANY:
        parser.add_argument(f"--{name}", action="store_true", help=help)


def message_flags(chosen: argparse.Namespace) -> dict[str, str | None]:
    """Return the flags that describe the message."""
    return {name: getattr(chosen, name) for name, _, _ in _MESSAGE}
