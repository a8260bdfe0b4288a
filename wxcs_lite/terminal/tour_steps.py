"""The tour's eleven steps as data, in English and Chinese."""

from typing import NamedTuple

__all__ = ["CLOSING", "OPENING", "STEPS", "WORDS", "Step"]


class Step(NamedTuple):
    """One step: titles in both languages, the code (`{name}` stands for a text of WORDS), and the request it makes.

    `request` is an expression for the Request that the code's last call sends, or "" if the customer acts; `says` names
    what the customer's phone then shows; `refused` is the expected errcode.
    """

    en: str
    zh: str
    code: str
    request: str = ""
    says: str = ""
    refused: int = 0


STEPS = (
    Step(
        "A customer writes, and WeChat pushes it to your server. Only now may you\n"
        "   answer: 5 messages within 48 hours.",
        "用户发来消息，微信把它推送到你的服务器。\n   从现在起 48 小时内，你最多可以回复 5 条。",
        "customer.says({question})\npush = inbox[-1]\ntouser = push.FromUserName",
        says="question",
    ),
    Step(
        "Get an access token. stable_token shares one among all callers.",
        "获取 access_token（接口调用凭证）。stable_token 让各处共用同一个凭证。",
        "token = fetch_token(\n    pool, sandbox.appid, sandbox.secret, clock=sandbox.clock\n)",
        request="endpoints.stable_token(sandbox.appid, sandbox.secret)",
    ),
    Step(
        "Show that you are typing, for 15 seconds.",
        "下发输入状态：“对方正在输入”，持续 15 秒。",
        "set_typing(pool, token, touser)",
        request="endpoints.set_typing(touser)",
    ),
    Step(
        "Answer with a text.",
        "回复一条文本消息。",
        "message = text(touser, {answer})\nsend(pool, token, message)",
        request="endpoints.send(message)",
    ),
    Step(
        "The customer sends a picture; the push brings its MediaId, not its bytes.",
        "用户发来一张图片，推送里只有它的 MediaId，没有图片本身。",
        "customer.sends_image(photo)\nmedia_id = inbox[-1].MediaId",
        says="photo",
    ),
    Step(
        "Download it. A notebook displays it; medium.save(path) saves it.",
        "下载这张图片。在 notebook 里会直接显示，medium.save(path) 可以保存。",
        "medium = download(pool, token, media_id)",
        request="endpoints.download(media_id)",
    ),
    Step(
        "Upload a picture of your own: from a path, bytes or an open file.",
        "上传自己的图片（临时素材）：可以是路径、bytes 或已打开的文件。",
        "uploaded = upload(pool, token, photo, filename='sunset.png')",
        request="endpoints.upload(photo, filename='sunset.png')",
    ),
    Step(
        "Send it. The media_id is valid for three days.",
        "把图片发给用户。media_id 三天内有效。",
        "message = image(touser, uploaded.media_id)\nsend(pool, token, message)",
        request="endpoints.send(message)",
    ),
    Step(
        "Send a link.",
        "发送图文链接。",
        "message = link(\n    touser,\n    title={order},\n    description={shipped},\n"
        "    url='https://example.com/orders/1024',\n    thumb_url='https://example.com/1024.png',\n)\n"
        "send(pool, token, message)",
        request="endpoints.send(message)",
    ),
    Step(
        "Send a mini-program card. Its cover is an uploaded picture, too.",
        "发送小程序卡片。封面同样是上传得到的图片。",
        "message = miniprogrampage(\n    touser,\n    title={order},\n    pagepath='pages/order?id=1024',\n"
        "    thumb_media_id=uploaded.media_id,\n)\nsend(pool, token, message)",
        request="endpoints.send(message)",
    ),
    Step(
        "Two days later the window has closed. WeChat refuses; the error explains.",
        "两天后，回复时限已过。微信拒绝发送，错误信息会说明原因和处理办法。",
        "sandbox.advance(48 * 3600 + 1)\n"
        "token = fetch_token(\n    pool, sandbox.appid, sandbox.secret, clock=sandbox.clock\n)\n"
        "message = text(touser, {late})\nsend(pool, token, message)",
        request="endpoints.send(message)",
        refused=45015,
    ),
)

WORDS = {
    "en": {
        "question": "Hello! Where is my parcel?",
        "photo": "[picture]",
        "answer": "Hello! It left our warehouse this morning.",
        "order": "Order 1024",
        "shipped": "On its way, arriving tomorrow",
        "late": "Did it arrive?",
        "you": "customer: ",
        "agent": "agent: ",
        "typing": "the agent is typing…",
        "picture": "[picture, {size} bytes]",
        "link": "[link] {title} — {description}",
        "card": "[mini-program card] {title}, cover of {size} bytes",
        "phone": "phone",
        "failed": "This step did not have the expected result.",
        "setting": "pool, sandbox, customer and photo are ready before the first step;\n"
        "push_app(inbox.append, token=…) fills inbox.",
    },
    "zh": {
        "question": "你好，我的快递到哪儿了？",
        "photo": "[图片]",
        "answer": "您好，今天上午已经从仓库发出。",
        "order": "订单 1024",
        "shipped": "运输中，预计明天送达",
        "late": "请问收到了吗？",
        "you": "用户：",
        "agent": "客服：",
        "typing": "对方正在输入…",
        "picture": "[图片，{size} 字节]",
        "link": "[链接] {title}：{description}",
        "card": "[小程序卡片] {title}，封面 {size} 字节",
        "phone": "手机",
        "failed": "这一步没有得到预期的结果。",
        "setting": "开始之前，pool、sandbox、customer、photo 都已备好；\n"
        "inbox 由 push_app(inbox.append, token=…) 写入。",
    },
}

OPENING = {
    "en": """\
wxcs_lite: WeChat customer-service messages in {steps} steps.
Everything happens in an embedded sandbox: no account, no network.
Each step shows the Python, the HTTP request (token hidden), the reply, and
what the customer's phone shows.
""",
    "zh": """\
wxcs_lite：微信小程序客服消息，{steps} 步走完全程。
一切都在沙箱（本地模拟的微信）里进行，不需要账号，也不联网。
每一步依次列出：Python 代码、HTTP 请求（凭证已隐藏）、微信的应答、
用户手机上看到的内容。
""",
}

CLOSING = {
    "en": """\
Now with your own account

  from wxcs_lite import fetch_token, open_pool, send, text
  pool = open_pool()                   # https://api.weixin.qq.com
  token = fetch_token(pool, appid, secret)
  send(pool, token, text(touser, "Hello"))

  appid, secret  of your Mini Program, from the WeChat console; keep the secret
                 in an environment variable, not in a file
  whitelist      add your server's IP address in the console; error 40164 names
                 it otherwise
  touser         the openid of a customer who has just written: FromUserName
                 in the message that WeChat pushes to your server
""",
    "zh": """\
换成自己的账号

  from wxcs_lite import fetch_token, open_pool, send, text
  pool = open_pool()                   # https://api.weixin.qq.com
  token = fetch_token(pool, appid, secret)
  send(pool, token, text(touser, "您好"))

  appid、secret  在小程序管理后台获取；secret 请放在环境变量里，不要写进文件
  IP 白名单      在管理后台加入服务器的出口 IP；否则会报 40164，并写明该 IP
  touser         刚给你发过消息的用户的 openid，即微信推送里的 FromUserName
""",
}

PANEL = {
    "en": "The panel for notebooks: pip install '.[panel]', then in JupyterLab\n\n"
    "  from wxcs_lite.panel import demo\n  demo()\n",
    "zh": "notebook 里的客服面板：pip install '.[panel]'，然后在 JupyterLab 中运行\n\n"
    '  from wxcs_lite.panel import demo\n  demo(lang="zh")\n',
}
