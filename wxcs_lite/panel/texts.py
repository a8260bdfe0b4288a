"""All texts of the panel, in English and Chinese: to add one, add a row."""

from wxcs_lite.look.words import LANGUAGES, ROWS, Language, Words, by_language, chosen

__all__ = ["LANGUAGES", "Words", "words"]

_ROWS: dict[str, tuple[str, str]] = {
    **ROWS,
    # the desk
    "desk": ("Customer-service desk", "客服工作台"),
    "language": ("中文", "English"),
    "to": ("Customer (openid)", "用户（openid）"),
    "to_hint": ("openid, or choose one who has written", "openid，或选择发过消息的用户"),
    "kind": ("Message", "消息类型"),
    "kind_text": ("Text", "文本"),
    "kind_image": ("Image", "图片"),
    "kind_raw": ("Raw JSON", "原始 JSON"),
    "content": ("Text", "文本内容"),
    "content_hint": ("Write a reply…", "输入回复…"),
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
    "bytes_used": ("{used} of 2048 bytes", "已用 {used} / 2048 字节"),
    "fine": ("Nothing looks odd.", "未发现问题。"),
    "not_json": (
        "This is not valid JSON yet: line {line}, column {column}.",
        "还不是合法的 JSON：第 {line} 行第 {column} 列。",
    ),
    "no_object": ('A message must be a JSON object: {"msgtype": …}', '消息应为 JSON 对象：{"msgtype": …}'),
    "other_touser": (
        "the JSON names {touser}: the message goes there, not to the customer chosen above",
        "JSON 中写的是 {touser}，消息会发给该用户，而不是上方选择的用户",
    ),
    "ready": ("Ready.", "就绪。"),
    "reported": ("{text}", "{text}"),
    "sent": ("Sent: WeChat accepted it for {touser}.", "已发送给 {touser}，微信已受理。"),
    "typing_shown": ("Typing is shown to {touser}.", "{touser} 能看到“对方正在输入”。"),
    "typing_hidden": ("Typing is hidden from {touser}.", "{touser} 不再看到“对方正在输入”。"),
    "typing_left": ("The customer sees 'typing…' for another {seconds} s.", "“对方正在输入”还会显示 {seconds} 秒。"),
    "sending": ("Sending…", "正在发送…"),
    "uploading": ("Uploading…", "正在上传…"),
    "wrote": ("{touser} wrote.", "{touser} 发来了消息。"),
    "entered": ("{touser} entered the session.", "{touser} 进入了会话。"),
    # the window
    "window_nobody": ("No customer chosen", "未选择用户"),
    "window_unknown": ("Window unknown: no message seen yet", "窗口未知：尚未收到该用户的消息"),
    "window_closed": ("Closed: the customer has to write first", "已关闭：需等用户先发消息"),
    "window_used": ("0 of {total} left: the customer has to write", "剩 0 / {total} 条：需等用户再发消息"),
    "window_open": ("{left} of {total} left, {time}", "剩 {left} / {total} 条，{time}"),
    "hours": ("{h} h {m} min", "{h} 小时 {m} 分"),
    "minutes": ("{m} min", "{m} 分钟"),
    "seconds": ("{s} s", "{s} 秒"),
    # pictures
    "pick": ("Choose a picture", "选择图片"),
    "pick_limit": (
        "A notebook can upload about 9 MB; a larger picture is lost silently, so type its path instead.",
        "经 notebook 传输的图片上限约为 9 MB，更大的会丢失且没有提示，请改填文件路径。",
    ),
    "pick_near": (
        "{size} is close to the notebook's limit: if nothing happens, type its path instead.",
        "{size}，已接近 notebook 的传输上限；如果没有反应，请改填文件路径。",
    ),
    "path": ("… or its path", "或填文件路径"),
    "path_hint": ("/home/me/picture.jpg", "/home/me/picture.jpg"),
    "upload": ("Upload", "上传"),
    "progress": ("Uploaded", "上传进度"),
    "media_id": ("media_id", "media_id"),
    "media_id_hint": ("filled in by an upload, or paste one", "上传后得到，也可直接粘贴"),
    "media_left": ("Valid for another {time}.", "有效期还剩 {time}。"),
    "media_gone": ("Expired: upload it again.", "已过期，请重新上传。"),
    "uploaded": ("Uploaded: the media_id is in the form.", "上传完成，media_id 已填入表单。"),
    "picked": ("{name}, {size}", "{name}，{size}"),
    "no_file": ("Choose a picture or type a path first.", "请先选择图片或填写路径。"),
    "not_shown": ("{name}: not a picture that can be shown", "{name}：不是能显示的图片"),
    "too_large": ("{name}: too large to be shown here", "{name}：图片过大，此处不显示"),
    "more_download": ("Download a picture", "下载图片"),
    "download_id": ("media_id to download", "要下载的 media_id"),
    "download": ("Download", "下载"),
    "downloaded": ("Downloaded: {name}, {size}.", "已下载：{name}，{size}。"),
    "save_to": ("Save to (path)", "保存到（路径）"),
    "save": ("Save", "保存"),
    "saved": ("Saved as {path}", "已保存为 {path}"),
    "save_again": (
        "A file exists already ({path}): press 'Save' again to overwrite it.",
        "该位置已有文件（{path}）：再按一次“保存”即可覆盖。",
    ),
    "nothing_to_save": ("Download a picture first.", "请先下载图片。"),
    # before it is sent
    "look": ("Preview", "发送前预览"),
    "look_phone": ("As on the phone", "手机效果"),
    "look_python": ("Python", "Python"),
    "look_http": ("HTTP", "HTTP"),
    "look_curl": ("curl", "curl"),
    "copy": ("To copy: Ctrl+A, Ctrl+C", "全选复制：Ctrl+A、Ctrl+C"),
    "look_empty": ("Fill in the form to see a preview.", "填好表单后，预览显示在这里。"),
    # history
    "history": ("History", "往来记录"),
    "history_empty": (
        "Nothing yet. Messages from customers appear here.",
        "还没有消息，用户发来消息后会显示在这里。",
    ),
    "more_export": ("Export the history", "导出记录"),
    "export_to": ("File (path)", "文件（路径）"),
    "export": ("Export JSON", "导出 JSON"),
    "exported": ("{count} entries saved as {path}", "已将 {count} 条记录保存为 {path}"),
    "you": ("desk", "客服"),
    "accepted": ("accepted", "已受理"),
    "unsure": ("maybe sent", "可能已送达"),
    "refused": ("not sent", "未发送"),
    "typing_row": ("typing: {command}", "输入状态：{command}"),
    "upload_row": ("uploaded a picture, {size}", "上传图片，{size}"),
    "download_row": ("downloaded a picture, {size}", "下载图片，{size}"),
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
    "write_hint": ("Write to customer service…", "给客服发消息…"),
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
