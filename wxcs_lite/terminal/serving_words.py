"""What the served sandbox says in a terminal, in English and Chinese: to add a text, add a row."""

from wxcs_lite.look.words import by_language

__all__ = ["TEXTS"]

_HELP = (
    """\
ann: hello                  ann writes
ann <- picture.png          ann sends a picture
ann card pages/index Title  ann sends a card
ann enters                  ann enters the session, by the customer-service button
inbox ann                   what is on ann's phone
+48h                        the time moves on; also +30s, +5m, +2d
fail 45047                  the next call is answered with this errcode
fail drop                   the next call is lost; fail drop after: only its reply is lost
fail slow 15                the next reply comes 15 seconds late
                            after fail …: x3 for the next three, /cgi-bin/token for calls to that path
fail off                   what is still to fail does not""",
    """\
ann: 你好                   ann 发来文本
ann <- picture.png          ann 发来图片
ann card pages/index 标题   ann 发来小程序卡片
ann enters                  ann 点客服按钮进入会话
inbox ann                   查看 ann 的手机
+48h                        拨快时间，也可写 +30s、+5m、+2d
fail 45047                  下一次调用返回该错误码
fail drop                   下一次调用丢失；fail drop after 只丢失应答
fail slow 15                下一次应答延迟 15 秒
                            fail … 之后可加 x3（连续三次）或 /cgi-bin/token（只针对该路径）
fail off                   取消尚未发生的故障""",
)
_HELP_ACCOUNTS = (
    "Every account has an ann of its own: {appid}/ann is that account's, ann alone is all of them.",
    "每个账号各有一个 ann：{appid}/ann 指该账号的用户，只写 ann 则指所有账号的。",
)

_ROWS = {
    "opening": ("Sandbox at {url}  (Ctrl-C stops it)", "沙箱（本地模拟的微信）地址：{url}  按 Ctrl-C 结束"),
    "page": ("Look at it in a browser: {url}", "在浏览器中查看：{url}?lang=zh"),
    "account": ("appid {appid}, secret {secret}", "appid {appid}，secret {secret}"),
    "own_secret": ("appid {appid}, with your secret", "appid {appid}，secret 为你指定的值"),
    "signing_keys": ("API signature, for SigningKeys(**…): {keys}", "API 签名密钥，用于 SigningKeys(**…)：{keys}"),
    "cloud_token": ("cloudbase_access_token for now: {token}", "当前的 cloudbase_access_token：{token}"),
    "paste": (
        "Paste this where your program runs: it finds the sandbox at api.weixin.qq.com, and no other host",
        "把以下各行粘贴到运行你的程序的终端，程序访问 api.weixin.qq.com 就会连到沙箱，其他地址一律不通",
    ),
    "typing": (
        "Type OPENID: text to write as that customer, or help",
        "输入“OPENID: 文本”并回车，相当于该用户发来一条消息；输入 help 查看其他命令",
    ),
    "no_more": (
        "Nothing more can be typed; the sandbox goes on, and Ctrl-C stops it",
        "输入已结束，沙箱继续运行，按 Ctrl-C 结束",
    ),
    "help": _HELP,
    "help_accounts": _HELP_ACCOUNTS,
    # What happens.
    "wrote": (
        "{who} wrote; you may answer with 5 messages within 48 h",
        "{who} 发来了一条消息，48 小时内最多可回复 5 条",
    ),
    "sent": (
        "{who} sent {what}; you may answer with 5 messages within 48 h",
        "{who} 发来{what}，48 小时内最多可回复 5 条",
    ),
    "sent_image": ("a picture", "一张图片"),
    "sent_miniprogrampage": ("a card", "一张小程序卡片"),
    "entered": (
        "{who} entered the session, which allows 2 messages within 1 minute",
        "{who} 进入了会话，1 分钟内最多可下发 2 条",
    ),
    "arrived": ("-> {who}: {summary}", "-> {who}：{summary}"),
    "bytes": (" ({count} bytes)", "（{count} 字节）"),
    "pushed": ("pushed for {who}: {status}, {answer}{notes}", "已推送 {who} 的事件：{status}，{answer}{notes}"),
    "attempt": ("attempt {attempt}", "第 {attempt} 次"),
    "notes": (" ({notes})", "（{notes}）"),
    "no_answer": ("no answer", "无应答"),
    "success": ("success", "成功"),
    "empty": ("an empty answer, which is as good as success", "应答为空，等同成功"),
    "transfer": ("handed over to an agent", "转人工客服"),
    "abnormal": ("a wrong answer, so the phone shows a notice", "应答有误，手机上出现提示"),
    "failed": ("failed", "失败"),
    "advanced": ("The sandbox's time is {time} now", "沙箱时间现为 {time}"),
    "call": (
        "{request} -> {status}{errcode}{who}, {ms:.1f} ms",
        "{request} -> {status}{errcode}{who}, {ms:.1f} ms",
    ),
    # Pushes.
    "push_on": ("Pushes go to {url}", "推送至 {url}"),
    "push_waits": (
        "The URL check was answered with {got}, which is wrong; it is repeated every second",
        "URL 校验的应答不对（{got}），每秒重试一次",
    ),
    "push_silent": (
        "The URL check was not answered ({got}); it is repeated every second",
        "URL 校验没有应答（{got}），每秒重试一次",
    ),
    "not_pushed": ("not pushed: the URL check has not passed yet", "没有推送：URL 校验尚未通过"),
    "with_agent": ("not pushed: an agent has {who}'s session", "没有推送：{who} 正在由人工客服接待"),
    # What was typed.
    "form": ("that is not a command; type OPENID: text, or help", "没有这个命令；请输入“OPENID: 文本”，或输入 help"),
    "openid": (
        "an openid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, not {openid!r}",
        "openid 须为 1 至 64 个字母、数字、下划线或连字符，而不是 {openid!r}",
    ),
    "no_account": ("there is no account {appid!r}; there are {appids}", "没有账号 {appid!r}，现有 {appids}"),
    "no_file": ("{path} cannot be read: {reason}", "无法读取 {path}：{reason}"),
    "empty_file": ("{path} is empty", "{path} 是空文件"),
    "nobody": ("{who} has not written yet", "{who} 还没有发过消息"),
    "nothing": ("{who}: no messages", "{who}：没有消息"),
    "time_form": ("write +48h, +30s, +5m, +2d or +1h30m", "请写 +48h、+30s、+5m、+2d 或 +1h30m"),
    "fail_form": (
        "write fail ERRCODE, fail drop, fail drop after or fail slow SECONDS; then x3, or a path, or both; or fail off",
        "请写 fail 错误码、fail drop、fail drop after 或 fail slow 秒数，其后可加 x3、路径，或两者；取消用 fail off",
    ),
    "fail_code": (
        "the sandbox does not know the text of errcode {errcode}; a few that it knows: {some}",
        "沙箱不知道错误码 {errcode} 的文字；它知道的例如 {some}",
    ),
    "fail_path": ("there is no call {path}; a few that there are: {some}", "没有接口 {path}；已有的例如 {some}"),
    "fails_no_more": ("nothing fails any more", "不再有调用出错"),
    "fails_once": ("the next call{path} fails", "下一次{path}调用将出错"),
    "fails": ("the next {times} calls{path} fail", "接下来的 {times} 次{path}调用将出错"),
    "to_path": (" to {path}", " {path} "),
    # What cannot be done.
    "range": ("port must be from 0 to 65535, not {port}", "端口须在 0 至 65535 之间，而不是 {port}"),
    "taken": (
        "port {port}: {reason}; choose another --port, or omit it for a free one",
        "端口 {port} 无法使用（{reason}），请用 --port 另选一个；不指定则自动选用空闲端口",
    ),
    "empty_account": ("--appid and --secret cannot be empty", "--appid 和 --secret 不能为空"),
    "account_form": (
        "an appid must be 1 to 64 of A-Z, a-z, 0-9, _ and -, not {appid!r}",
        "appid 须为 1 至 64 个字母、数字、下划线或连字符，而不是 {appid!r}",
    ),
    "account_twice": ("the account {appid} is named twice", "账号 {appid} 重复"),
    "extra": (
        "this needs the package cryptography: pip install 'cryptography>=50.0.2'",
        "这需要 cryptography 包：pip install 'cryptography>=50.0.2'",
    ),
    "alone": (
        "a command after -- runs behind the proxy: add --proxy before the --",
        "-- 之后的命令须经代理运行，请在 -- 之前加上 --proxy",
    ),
    "missing": ("{command} cannot be run: {reason}", "无法运行 {command}：{reason}"),
    "set_form": ("--set takes SWITCH=VALUE; the switches: {names}", "--set 的形式为 SWITCH=VALUE，可用的有：{names}"),
    "set_name": (
        "--set: there is no switch {name}; there are: {names}",
        "--set：没有 {name} 这一项，可用的有：{names}",
    ),
    "set_choice": ("--set {name}: must be one of {words}", "--set {name}：只能是 {words} 之一"),
    "set_value": ("--set {name}: must be {allowed}", "--set {name}：须为{allowed}"),
    "set_path": (
        "--set {name}: there is no call {path}; there are: {paths}",
        "--set {name}：没有接口 {path}，已有：{paths}",
    ),
    "set_range": ("--set {name}: {reason}", "--set {name} 的值不成立：{reason}"),
    "a_number": ("a non-negative whole number", "非负整数"),
    "paths": ("paths, separated by commas", "以逗号分隔的路径"),
    "limits": ("PATH:CALLS, separated by commas", "以逗号分隔的“路径:次数”"),
    "push_alone": ("--format and --content-type go with --push", "--format 和 --content-type 须与 --push 同用"),
    "push_token": (
        "--push needs {name}, from the environment: export {name}=… first (and {key}, to encrypt)",
        "--push 需要环境变量 {name}：请先 export {name}=…（加密还需要 {key}）",
    ),
    "push_setting": ("--push: {reason}", "--push：{reason}"),
}

TEXTS = by_language(_ROWS)
