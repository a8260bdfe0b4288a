"""All texts of the panel, in English and Chinese: to add one, add a row."""

from wxcs_lite.look.words import LANGUAGES, ROWS, Language, Words, by_language, chosen

__all__ = ["LANGUAGES", "Words", "words"]

_ROWS: dict[str, tuple[str, str]] = {
    **ROWS,
    # the desk
    "desk": ("Customer-service desk", "客服工作台"),
    "language": ("中文", "English"),
    "search": ("Search, or an openid", "搜索，或输入 openid"),
    "next": ("Next who waits", "下一位待回复"),
    "search_hint": ("name, openid or words, then Enter", "名称、openid 或消息内容，回车"),
    "customers": ("Customers", "用户"),
    "count": ("{waiting} waiting, {count} in all", "{waiting} 位待回复，共 {count} 位用户"),
    "only_said": (
        "Nobody is called {openid}; those in the list have said it. Press Enter again to write to {openid} itself.",
        "没有用户的名称或 openid 包含“{openid}”，列表中是消息里提到它的用户。"
        "如要给 openid 为“{openid}”的用户发消息，请再按一次回车。",
    ),
    "found": ("{count} found", "找到 {count} 位"),
    "no_words": ("nothing said yet", "尚无消息"),
    "nobody": ("No conversation open", "未打开会话"),
    "choose": ("Choose a customer on the left.", "请先在左侧选择用户。"),
    "first_connected": (
        "Connected by {names}. When a customer writes, the conversation opens here.",
        "已通过 {names} 接收消息推送。用户发来消息后，会话会显示在这里。",
    ),
    "first_alone": (
        "Nothing brings messages to this desk yet: use listen(desk, …) or desk.follow(path), or enter an openid on "
        "the left to write first.",
        "尚未接入消息推送，收不到用户的消息：请使用 listen(desk, …) 或 desk.follow(path)，"
        "也可在左侧输入 openid 主动发消息。",
    ),
    "kind": ("Message", "消息类型"),
    "kind_text": ("Text", "文本"),
    "kind_image": ("Image", "图片"),
    "kind_raw": ("Raw JSON", "原始 JSON"),
    "content_hint": ("Write a reply; Enter sends it", "输入回复，按回车发送"),
    "content": ("Reply", "回复"),
    "title": ("Title", "标题"),
    "description": ("Description", "描述"),
    "url": ("URL (url)", "链接地址（url）"),
    "thumb_url": ("Thumbnail URL (thumb_url)", "缩略图地址（thumb_url）"),
    "pagepath": ("Page (pagepath)", "页面路径（pagepath）"),
    "raw": ("Message as JSON", "消息 JSON"),
    "ai_label": ("Label as written by AI", "标注“由 AI 生成”"),
    "send": ("Send", "发送"),
    "typing_on": ("Show typing", "下发输入状态"),
    "typing_off": ("Hide typing", "取消输入状态"),
    "not_json": (
        "This is not valid JSON yet: line {line}, column {column}.",
        "还不是合法的 JSON：第 {line} 行第 {column} 列。",
    ),
    "no_object": ('A message must be a JSON object: {"msgtype": …}', '消息应为 JSON 对象：{"msgtype": …}'),
    "many_lines": ("Many lines", "多行"),
    "one_line": ("One line", "单行"),
    "other_touser": (
        "the JSON names {touser}, and not the customer of this conversation",
        "JSON 中写的是 {touser}，不是当前会话的用户",
    ),
    "reported": ("{text}", "{text}"),
    # the window
    "window_unknown": ("Window unknown: no message seen yet", "窗口未知：尚未收到该用户的消息"),
    "window_closed": ("Closed: the customer has to write first", "已关闭：需等用户先发消息"),
    "window_used": ("0 of {total} left: the customer has to write", "剩 0 / {total} 条：需等用户再发消息"),
    "window_open": ("{left} of {total} left, {time}", "剩 {left} / {total} 条，{time}"),
    "short_closed": ("closed", "已关闭"),
    "short_hours": ("{h} h", "{h} 小时"),
    "hours": ("{h} h {m} min", "{h} 小时 {m} 分"),
    "minutes": ("{m} min", "{m} 分钟"),
    "seconds": ("{s} s", "{s} 秒"),
    # pictures
    "pick": ("Picture", "图片"),
    "pick_limit": (
        "Up to about 9 MB. If nothing appears, the picture is larger: type its path instead.",
        "最大约 9 MB。如果选择后没有显示，说明图片过大，请改填文件路径。",
    ),
    "remove": ("Remove", "移除"),
    "picture_empty": ("{name} is empty: nothing was chosen.", "{name} 是空文件，未选择图片。"),
    "picture_none": (
        "{name} is not a JPEG, PNG or GIF picture: nothing was chosen.",
        "{name} 不是 JPEG、PNG 或 GIF 图片，未选择图片。",
    ),
    "picture_missing": (
        "{name} cannot be read: {problem}. Nothing was chosen.",
        "无法读取 {name}：{problem}。未选择图片。",
    ),
    "media_pasted": ("media_id {media_id}", "media_id：{media_id}"),
    "picture_large": ("{name}, {size}: too large to be shown here", "{name}，{size}：图片过大，此处不显示"),
    "not_loaded": ("not loaded", "未加载"),
    "loading": ("loading…", "加载中…"),
    "path": ("Path of a picture", "图片文件路径"),
    "path_hint": ("/home/me/picture.jpg", "/home/me/picture.jpg"),
    "media_id": ("Its media_id", "media_id"),
    "media_id_hint": ("or the media_id of an uploaded one", "或填已上传图片的 media_id"),
    "save_to": ("Save to (path)", "保存到（路径）"),
    "save": ("Save the latest picture", "保存最近的图片"),
    "saved": ("Saved as {path}", "已保存为 {path}"),
    "save_again": (
        "A file exists already ({path}): press the button again to overwrite it.",
        "该位置已有文件（{path}）：再按一次按钮即可覆盖。",
    ),
    # before it is sent
    "look": ("Before it leaves", "发送前预览"),
    "look_off": ("Hidden", "不显示"),
    "look_phone": ("As on the phone", "手机效果"),
    "look_python": ("Python", "Python"),
    "look_http": ("HTTP", "HTTP"),
    "look_curl": ("curl", "curl"),
    "copy": ("To copy: Ctrl+A, Ctrl+C", "全选复制：Ctrl+A、Ctrl+C"),
    "look_empty": ("Fill in the form to see a preview.", "填好表单后，预览显示在这里。"),
    # history
    "export_to": ("File (path)", "文件（路径）"),
    "export": ("Export JSON", "导出 JSON"),
    "exported": ("{count} entries saved as {path}", "已将 {count} 条记录保存为 {path}"),
    "sending": ("sending…", "发送中…"),
    "end": ("End of the conversation", "会话末尾"),
    "news": ("New messages", "新消息"),
    "more": ("More…", "更多…"),
    "less": ("Less", "收起"),
    "nickname": ("Your name for this customer", "备注名"),
    "history_broken": ("{count} lines of the history could not be read.", "往来记录中有 {count} 行无法读取。"),
    "nothing_to_save": ("This conversation shows no picture to save.", "当前会话中没有可保存的图片。"),
    "offline": (
        "This panel works while its kernel runs: run the cell above (Shift+Enter).",
        "客服面板需要内核运行：请运行上方的单元格（Shift+Enter）。",
    ),
    "you": ("desk", "客服"),
    "accepted": ("accepted", "已受理"),
    "unsure": ("maybe sent", "可能已送达"),
    "refused": ("not sent", "未发送"),
    "note": (
        "What is on the screen is in the notebook's widget state until close() removes it. "
        "Tokens and keys are never stored there.",
        "屏幕上的内容在显示期间会保存在 notebook 的组件状态里，close() 会将其清除；凭证和密钥不会保存在其中。",
    ),
    # errors
    "cause": ("Cause", "原因"),
    "remedy": ("Do", "处理"),
    "retry": ("Retry", "重试"),
    "maybe_sent": (
        "It may have been delivered anyway: check before you send again.",
        "消息可能已经送达，重发前请先确认。",
    ),
    "surely_not": ("Nothing was delivered.", "可以确定：没有送达。"),
    "token_callable": (
        "Press the button again: the desk then asks your callable for a new token. It never retries by itself.",
        "请再按一次按钮：工作台会调用你传入的函数获取新凭证，但不会自动重试。",
    ),
    "token_string": (
        "Open a new desk with a new token, or give it a callable such as fresh_token(pool, appid, secret).",
        "请用新凭证重新打开工作台，或传入 fresh_token(pool, appid, secret) 这样的函数。",
    ),
    "unexpected": ("Unexpected: {name}{where}", "意外错误：{name}{where}"),
    "unexpected_hint": (
        "This is a bug in the panel or in an object passed to it; its text is not shown because it may contain a "
        "secret. If it happened while sending, the message may have been sent: check before you send again.",
        "这是客服面板或传入的对象出现的错误；错误信息可能含有密钥，因此不显示。如果发生在发送过程中，消息可能已经送达，重发前请先确认。",
    ),
    # what the customer does
    "write": ("Message", "消息"),
    "write_hint": ("Write to customer service; Enter sends it", "给客服发消息，按回车发送"),
    "write_send": ("Send", "发送"),
    "hand": ("What the customer does", "用户的操作"),
    "send_picture": ("Send a picture", "发送图片"),
    "pick_picture": ("Choose a picture of your own", "选自己的图片"),
    "picture_ready": ("'Send a picture' sends {name}.", "“发送图片”将发送 {name}。"),
    "picture_sample": ("'Send a picture' sends a small sunset.", "“发送图片”会发送一张日落小图。"),
    "enter": ("Enter the session", "进入会话"),
    "minute": ("+1 min", "+1 分钟"),
    "two_days": ("+48 h", "+48 小时"),
}

_WORDS = by_language(_ROWS)


def words(lang: Language) -> Words:
    """Return the texts of a language by their keys.

    >>> words("en")["send"], words("zh")["send"]
    ('Send', '发送')
    """
    return chosen(_WORDS, lang)
