"""The texts of the sandbox's page, in English and Chinese: to add one, add a row."""

from collections.abc import Mapping

from wxcs_lite.look.words import ROWS, Language, Words, by_language, chosen

__all__ = ["page_words"]

_ROWS: Mapping[str, tuple[str, str]] = {
    **ROWS,
    "title": ("WeChat in a box", "微信沙箱"),
    "subtitle": ("the sandbox of wxcs_lite", "wxcs_lite 在本机模拟的微信"),
    "other_lang": ("zh", "en"),
    "other_language": ("中文", "English"),
    "theme": ("Colours", "配色"),
    "theme_auto": ("Colours: as the system", "配色：跟随系统"),
    "theme_light": ("Colours: light", "配色：浅色"),
    "theme_dark": ("Colours: dark", "配色：深色"),
    "api_serve": ("API: {url}", "接口地址：{url}"),
    "api_proxy": ("proxy: {url}", "代理：{url}"),
    "account": ("Account", "账号"),
    "lost": (
        "The sandbox does not answer. If it was started again, open the new address it has printed.",
        "沙箱没有应答。如果已重新启动，请打开新打印的地址。",
    ),
    "customers": ("Customers", "用户"),
    "openid": ("Find or add openid", "查找或添加 openid"),
    "add": ("Add", "添加"),
    "more": ("{count} more: find them by their openid", "另有 {count} 位，可按 openid 查找"),
    "nobody": (
        "Nobody has written yet. Add a customer, and write as that customer.",
        "还没有用户发来消息。请先添加一位用户，并以该用户的身份发送消息。",
    ),
    "phone": ("Phone", "手机"),
    "write": ("Write as the customer", "以用户的身份发消息"),
    "send": ("Send", "发送"),
    "picture": ("Picture…", "图片…"),
    "sample": ("Sample picture", "示例图片"),
    "enter": ("Enter session", "进入会话"),
    "agent": ("An agent has the session: messages are not pushed.", "人工客服接待中：消息不会推送。"),
    "agent_closes": ("End it", "结束会话"),
    "window_open": ("Messages left: {left}, until {until}", "还可下发 {left} 条，{until} 截止"),
    "window_used": ("No message left: the customer has to write", "条数已用完，须等用户再发消息"),
    "window_closed": ("Reply window closed: the customer has to write first", "不可下发：须等用户先发消息"),
    "time": ("Time", "时间"),
    "minute": ("+1 min", "+1 分钟"),
    "hour": ("+1 h", "+1 小时"),
    "two_days": ("+48 h", "+48 小时"),
    "faults_title": ("Let the next calls fail", "让接下来的调用出错"),
    "fault": ("How", "方式"),
    "times": ("Times", "次数"),
    "plan": ("Plan", "设置"),
    "clear": ("Clear", "清除"),
    "connection": ("The connection", "连接"),
    "drop_before": ("lost before the call arrives", "请求未送达就断开"),
    "drop_after": ("lost after the call is carried out", "已执行，应答前断开"),
    "slow": ("reply {seconds} s late", "应答延迟 {seconds} 秒"),
    "often": ("Often met", "常见错误码"),
    "others": ("All others", "其他错误码"),
    "planned": ("Planned: {faults}", "已设置：{faults}"),
    "another_reply": ("another reply", "其他应答"),
    "calls": ("Calls", "接口调用"),
    "no_calls": (
        "No call yet. What your program asks of the sandbox is listed here, the newest first.",
        "还没有调用。程序对沙箱的调用会列在这里，最新的在最前。",
    ),
    "pushes": ("Pushes", "消息推送"),
    "no_pushes": (
        "Nothing was pushed. What customers send is pushed if the sandbox was given a URL (--push).",
        "还没有推送。启动沙箱时指定了推送 URL（--push），用户发来的消息才会推送。",
    ),
    "last": ("The last {count} are kept.", "只保留最近 {count} 条。"),
    "col_time": ("Time", "时间"),
    "col_call": ("Call", "接口"),
    "col_result": ("Result", "结果"),
    "ok": ("ok", "成功"),
    "cut": ("no reply", "无应答"),
    "col_openid": ("Customer", "用户"),
    "col_took": ("Took", "耗时"),
    "col_push": ("Event", "事件"),
    "col_attempt": ("Attempt", "第几次"),
    "col_answer": ("Answer", "应答"),
    "request": ("Request", "请求"),
    "reply": ("Reply", "应答"),
    "no_reply": ("no reply: the connection was closed", "没有应答：连接已断开"),
    "remedy": ("What to do: {text}", "处理办法：{text}"),
    "retry": ("Try again? {text}", "能否重试：{text}"),
    "gone": ("It is not kept any more.", "该记录已不再保留。"),
    "answer_success": ("success", "成功"),
    "answer_empty": ("empty", "空应答"),
    "answer_transfer": ("handed to an agent", "转人工客服"),
    "answer_abnormal": ("wrong", "应答有误"),
    "answer_failed": ("failed", "失败"),
    "unanswered": ("no answer", "无应答"),
    "bad_openid": (
        "An openid has 1 to 64 of A-Z, a-z, 0-9, _ and -.",
        "openid 为 1 至 64 个字母、数字、下划线或连字符。",
    ),
    "empty_text": ("There is nothing to send yet.", "还没有可发送的内容。"),
    "too_large": ("At most {limit} can be sent from here.", "此处最多可发送 {limit}。"),
    "refused": ("That was refused: {why}", "无法执行：{why}"),
}
_WORDS = by_language(_ROWS)


def page_words(lang: Language) -> Words:
    """Return the texts of a language by their keys."""
    return chosen(_WORDS, lang)
