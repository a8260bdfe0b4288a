"""Typical wrong answers to the exercises of the course, and which point of the check each of them misses.

The code runs in both languages after the cells of the lesson. A point is counted from 1, in the order of the report.
"""

__all__ = ["BY_MOUSE", "WRONG"]

_BOB = 'customer.says("-")\nbob.says(asked)\n'

# What a hand does with the mouse, by the methods of the buttons.
_AFRESH = 'shown.close()\nshown = demo("en")\n'
_WRITE = 'shown.phone.message.value = "Where is my parcel?"\nshown.phone.write()\n'
_WAIT = "shown.phone.advance_two_days()\n"
_ANSWER = 'shown.desk.view.composer.fields["content"].value = "It arrives tomorrow."\nshown.desk.send()\n'
BY_MOUSE = _AFRESH + _WRITE + _WAIT + _ANSWER + _WRITE + "shown.desk.send()\n"

WRONG: dict[str, tuple[tuple[str, int], ...]] = {
    "01_the_whole_job": (
        (_BOB + 'bob.says("yes")', 1),
        (_BOB + 'send(pool, token, text("ann", "yes"))', 2),
        (_BOB + 'text("bob", "yes")', 3),
        (_BOB + 'for _ in range(2):\n    send(pool, token, text("bob", "yes"))', 4),
    ),
    "02_a_message_is_a_dict": (
        (
            "def order_card(touser, media_id):\n"
            '    miniprogrampage(touser, title="1", pagepath="a", thumb_media_id="b")',
            1,
        ),
        (
            "def order_card(touser, media_id):\n"
            '    return miniprogrampage(touser, title="1", pagepath="/pages/order", thumb_media_id=media_id)',
            2,
        ),
        (
            "def order_card(touser, media_id):\n"
            '    return miniprogrampage(touser, title="1", pagepath="pages/order", thumb_media_id="cover.png")',
            3,
        ),
        (
            "def order_card(touser, media_id):\n"
            '    return miniprogrampage("ann2", title="1", pagepath="pages/order", thumb_media_id=media_id)',
            4,
        ),
    ),
    "03_sending": (
        (
            "def answer(touser, content):\n    send(pool, token, with_ai_label(text(touser, content)))",
            1,
        ),
        (
            'def answer(touser, content):\n    send(pool, current_token(), with_ai_label(text("ann", content)))',
            2,
        ),
        (
            "def answer(touser, content):\n    message = text(touser, content)\n    with_ai_label(message)\n"
            "    send(pool, current_token(), message)",
            3,
        ),
    ),
    "04_a_request_is_a_value": (
        (
            "def deliver(pool, token, message):\n    request = endpoints.send(message)\n"
            '    reply = pool.request("POST", request.path, body=request.body, headers=request.headers)\n'
            "    return replies.read_receipt(reply.status, reply.headers, reply.data)",
            1,
        ),
        (
            "def deliver(pool, token, message):\n    request = endpoints.send(message)\n"
            '    reply = pool.request("POST", request.url(token), body=json.dumps(message), headers=request.headers)\n'
            "    return replies.read_receipt(reply.status, reply.headers, reply.data)",
            2,
        ),
        (
            "def deliver(pool, token, message):\n    request = endpoints.send(message)\n"
            '    return pool.request("POST", request.url(token), body=request.body, headers=request.headers).json()',
            3,
        ),
    ),
    "05_typing": (("seconds = [0, 10, 20]", 1), ("seconds = [0, 31]", 2), ("seconds = [0, 20]", 3)),
    "06_pictures": (
        ("def logo_id(now):\n    return upload_logo().media_id", 1),
        (
            "def logo_id(now, kept=[]):\n    if not kept or kept[-1].expires_at - now < 3 * 3600:\n"
            "        kept.append(upload_logo())\n    return kept[-1].media_id",
            2,
        ),
        (
            "def logo_id(now, kept=[]):\n    if not kept or kept[-1].expires_at < now:\n"
            "        kept.append(upload_logo())\n    return kept[-1].media_id",
            3,
        ),
    ),
    "07_when_it_fails": (
        (
            "def deliver(message):\n    try:\n        return send(pool, current_token(), message)\n"
            "    except TokenRejected:\n        return send(pool, current_token(), message)",
            1,
        ),
        (
            "def deliver(message):\n    used = current_token()\n    try:\n        return send(pool, used, message)\n"
            "    except TokenRejected:\n        return send(pool, current_token(rejected=used), message)\n"
            "    except WxError:\n        return send(pool, used, message)",
            2,
        ),
        (
            "def deliver(message):\n    used = current_token()\n    try:\n        return send(pool, used, message)\n"
            "    except TokenRejected:\n        return send(pool, current_token(rejected=used), message)\n"
            "    except WxError:\n        return None",
            3,
        ),
    ),
    "08_the_reply_window": (
        ("left, until = 5, 72", 1),
        ("left, until = 6, 72", 1),
        ("left, until = 4, 48", 2),
        ("left, until = 4, 73", 2),
    ),
    "09_receiving": (
        (
            "def content_of(query, body):\n    try:\n"
            "        return read_push(query, body, token=push_token).Content\n"
            "    except PushRejected:\n        return None",
            1,
        ),
        (
            "def content_of(query, body):\n"
            "    push = read_push(query, body, token=push_token, aes_key=aes_key, appid=sandbox.appid)\n"
            '    return push.Content if push.MsgType == "text" else None',
            2,
        ),
        (
            "def content_of(query, body):\n    try:\n"
            "        return read_push(query, body, token=push_token, aes_key=aes_key, appid=sandbox.appid).Content\n"
            "    except PushRejected:\n        return None",
            3,
        ),
    ),
    "10_answering": (
        (
            'def greeter(push):\n    if push.get("Event") == "user_enter_tempsession":\n        return "Welcome!"\n'
            "    return None",
            1,
        ),
        ('def greeter(push):\n    send(pool, current_token(), text(push.FromUserName, "Welcome!"))', 2),
        (
            'def greeter(push):\n    if push.Event == "user_enter_tempsession":\n'
            '        send(pool, current_token(), text(push.FromUserName, "Welcome!"))',
            3,
        ),
    ),
    "11_the_panel": (
        (_AFRESH + 'shown.desk.select("ann")\n' + _ANSWER, 1),
        (_AFRESH + _WRITE + _ANSWER + _WAIT + _WRITE + _ANSWER, 2),
        (_AFRESH + _WRITE + _WAIT + _ANSWER + _ANSWER, 3),
        (_AFRESH + _WRITE + _WAIT + _ANSWER + _WRITE, 3),
    ),
    "12_a_bot_of_your_own": (
        ("def polite(bot, pool, token):\n    bot", 1),
        (
            "def polite(bot, pool, token):\n    def handler(push):\n"
            '        return "I see." if push.MsgType == "image" else bot(push)\n    return handler',
            2,
        ),
        (
            "def polite(bot, pool, token):\n    def handler(push):\n"
            '        tell(pool, token, push.FromUserName, "I see.")\n'
            "        return bot(push)\n    return handler",
            3,
        ),
        (
            'def polite(bot, pool, token):\n    def handler(push):\n        if push.MsgType == "image":\n'
            '            tell(pool, token, push.FromUserName, "I see.")\n        else:\n'
            "            bot(push)\n    return handler",
            4,
        ),
    ),
}
