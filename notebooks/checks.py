"""The checks of the exercises. Each tries what you wrote on the sandbox, and looks at what customers then see.

A check returns what is right, what is missing, and one hint. To read one before you have solved its exercise spoils it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from wxcs_lite import (
    ApiError,
    TokenRejected,
    TransportError,
    WindowClosed,
    WxError,
    endpoints,
    fetch_token,
    fresh_token,
    perform,
    send,
    set_typing,
    text,
    upload,
)
from wxcs_lite import check as remarks_on
from wxcs_lite.push import Push, push_app, transfer_to_agent
from wxcs_lite.sandbox import Customer, CustomerEvent, Delivered, Sandbox, sunset

language = "en"
HOUR = 3600


class Point(NamedTuple):
    """One thing that an exercise asks for: whether it holds, and what to say in either case, in English and Chinese."""

    holds: bool
    right: tuple[str, str]
    missing: tuple[str, str]
    hint: tuple[str, str]


class Checked:
    """What a check found; a notebook shows it as text."""

    def __init__(self, *points: Point) -> None:
        self.points = points

    @property
    def done(self) -> bool:
        return all(point.holds for point in self.points)

    def __repr__(self) -> str:
        chosen = 1 if language == "zh" else 0
        lines = [("Done.", "完成。")[chosen] if self.done else ("Not yet.", "还没有完成。")[chosen]]
        for point in self.points:
            lines.append(f"  ✓ {point.right[chosen]}" if point.holds else f"  ✗ {point.missing[chosen]}".rstrip())
        hints = [point.hint[chosen] for point in self.points if not point.holds]
        return "\n".join(lines + [("Hint: ", "提示：")[chosen] + hint for hint in hints[:1]])


def tried(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Exception | None]:
    """Call what the reader wrote; return its value and None, or None and its error."""
    try:
        return function(*arguments), None
    except Exception as error:
        return None, error


def name_of(error: Exception | None) -> str:
    return "" if error is None else type(error).__name__


def outcome(found: tuple[Any, Exception | None]) -> str:
    """Name what `tried` found: the error, or the value."""
    return name_of(found[1]) or repr(found[0])


def since_asked(customer: Customer) -> list[Delivered]:
    """Return what has arrived on the phone since the customer last did something."""
    arrived: list[Delivered] = []
    for item in customer.screen:
        if isinstance(item, CustomerEvent):
            arrived = []
        elif isinstance(item, Delivered):
            arrived.append(item)
    return arrived


def prepared(openid: str = "ann") -> tuple[Sandbox, Customer, Any, Any]:
    """Return a sandbox of the check's own, a customer who has just written, its pool and a token."""
    sandbox = Sandbox()
    customer = sandbox.user(openid)
    customer.says("?")
    pool = sandbox.pool()
    return sandbox, customer, pool, fetch_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock)


# --- lesson 1


def answered(bob: Customer, ann: Customer) -> Checked:
    """Bob has asked, and has one answer."""
    arrived = len(since_asked(bob))
    asked, *_, last = [item.fields for item in (*bob.screen, *bob.screen) if isinstance(item, CustomerEvent)]
    return Checked(
        Point(
            asked == last,
            ("Bob is waiting for you.", "Bob 在等你答复。"),
            ("Bob has answered himself.", "Bob 自己回答了自己。"),
            ("says is what a customer does; send is what you do.", "says 是用户的操作，send 才是你的操作。"),
        ),
        Point(
            not since_asked(ann),
            ("Nobody else got his answer.", "没有发给别人。"),
            ("Ann got an answer, though she has only thanked you.", "Ann 只是道了谢，却收到了答复。"),
            ("The first argument of text, touser, says whom it is for.", "text 的第一个参数 touser 决定发给谁。"),
        ),
        Point(
            arrived > 0,
            ("An answer is on Bob's phone.", "Bob 的手机上有了答复。"),
            ("There is no answer on Bob's phone.", "Bob 的手机上还没有答复。"),
            (
                "text only writes a message; send(pool, token, message) sends it.",
                "text 只是写好消息，send(pool, token, message) 才会发送。",
            ),
        ),
        Point(
            arrived < 2,
            ("Nothing came twice.", "没有重复。"),
            ("He got more than one.", "他收到了不止一条。"),
            (
                "Each send is one more message on the phone.",
                "每次 send，手机上都会多一条消息。",
            ),
        ),
    )


# --- lesson 2


def card(order_card: Callable[[str, str], Any]) -> Checked:
    """The card arrives, with its page and its cover."""
    _, customer, pool, token = prepared()
    media_id = upload(pool, token, sunset()).media_id
    message, failed = tried(order_card, customer.openid, media_id)
    if failed is None:
        _, failed = tried(send, pool, token, message)
    fields = message.get("miniprogrampage", {}) if isinstance(message, dict) else {}
    page, cover = fields.get("pagepath", ""), fields.get("thumb_media_id", "")
    remarks = [] if not fields else [remark.field for remark in remarks_on(message)]
    return Checked(
        Point(
            bool(fields),
            ("order_card returns a card.", "order_card 返回了一张卡片。"),
            (f"order_card does not return a card. {name_of(failed)}", f"order_card 没有返回卡片。{name_of(failed)}"),
            ("Does it end with return?", "函数最后有 return 吗？"),
        ),
        Point(
            bool(page) and "pagepath" not in remarks,
            (f"pagepath is a page: {page}", f"pagepath 是页面路径：{page}"),
            (f"pagepath is not a page: {page!r}", f"pagepath 不是页面路径：{page!r}"),
            (
                "Let check look at the card: for remark in check(order_card(…)): print(remark)",
                "用 check 检查一下：for remark in check(order_card(…)): print(remark)",
            ),
        ),
        Point(
            cover == media_id,
            ("The cover is the picture that was uploaded.", "封面是上传过的图片。"),
            (f"The cover is not the picture that was uploaded, but {cover!r}", f"封面不是上传的图片，而是 {cover!r}"),
            (
                "A file name means nothing to WeChat: the media_id, which order_card gets, belongs in thumb_media_id.",
                "微信不认识文件名：order_card 收到的 media_id 应填进 thumb_media_id。",
            ),
        ),
        Point(
            len(customer.inbox) == 1,
            ("The sandbox has delivered it.", "沙箱已经送达。"),
            (f"It does not arrive: {name_of(failed)}", f"没有送达：{name_of(failed)}"),
            (
                "Is it for the touser that order_card gets? Let check look at the rest.",
                "touser 用的是 order_card 收到的那个吗？其余的用 check 检查。",
            ),
        ),
    )


# --- lesson 3


def labelled(answer: Callable[[str, str], Any], sandbox: Sandbox) -> Checked:
    """Hours later, an answer arrives at whom it is for, with the AI label."""
    customer = sandbox.user("carla")
    sandbox.advance(3 * HOUR)
    customer.says("?")
    _, failed = tried(answer, customer.openid, "9")
    arrived = since_asked(customer)
    return Checked(
        Point(
            not isinstance(failed, TokenRejected),
            ("The token is valid, three hours later, too.", "三个小时之后，凭证仍然有效。"),
            ("The token has expired: TokenRejected.", "凭证已经过期：TokenRejected。"),
            ("Which function always returns a valid one?", "哪个函数总能返回有效的凭证？"),
        ),
        Point(
            len(arrived) == 1,
            ("Another customer gets it, too.", "换一个用户也能收到。"),
            (
                f"Another customer, who has just written, gets {len(arrived)} messages. {name_of(failed)}",
                f"另一位刚发过消息的用户收到了 {len(arrived)} 条。{name_of(failed)}",
            ),
            ("Whom is the message for? touser says so.", "消息发给谁？由 touser 决定。"),
        ),
        Point(
            bool(arrived) and arrived[-1].ai_label,
            ("The phone shows the AI label.", "手机上显示了 AI 标注。"),
            ("The phone shows no AI label.", "手机上没有 AI 标注。"),
            (
                "with_ai_label changes nothing: it returns a new message, and that one has to be sent.",
                "with_ai_label 不改变原来的消息，而是返回一条新的，要发送的是新的那条。",
            ),
        ),
    )


# --- lesson 4


def deliver(function: Callable[[Any, Any, dict[str, Any]], Any]) -> Checked:
    """A message goes out as it should, and a refusal is an error."""
    sandbox, customer, pool, token = prepared()
    _, failed = tried(function, pool, token, text(customer.openid, "您好"))
    shown = [delivered.message["text"]["content"] for delivered in customer.inbox]
    sandbox.advance(49 * HOUR)
    fresh = fetch_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock)
    _, refused = tried(function, pool, fresh, text(customer.openid, "too late"))
    return Checked(
        Point(
            len(shown) == 1,
            ("The message arrives.", "消息送达了。"),
            (f"{len(shown)} messages arrive. {name_of(failed)}", f"送达了 {len(shown)} 条。{name_of(failed)}"),
            (
                "request.url(token), request.body and request.headers are what urllib3 needs.",
                "urllib3 需要的是 request.url(token)、request.body 和 request.headers。",
            ),
        ),
        Point(
            shown == ["您好"],
            ("Chinese arrives as Chinese.", "汉字正常显示。"),
            (f"Instead of 您好 the phone shows {shown}", f"手机上显示的不是“您好”，而是 {shown}"),
            (
                "endpoints.send(message) makes the body; json.dumps would escape it.",
                "请求体请用 endpoints.send(message) 生成，不要用 json.dumps。",
            ),
        ),
        Point(
            failed is None and isinstance(refused, WindowClosed),
            ("A refusal is an error: WindowClosed.", "微信拒绝时抛出 WindowClosed。"),
            (
                f"WeChat refuses a message after 49 hours, and your function raises {name_of(refused) or 'nothing'}",
                f"49 小时之后微信会拒绝，你的函数抛出的异常：{name_of(refused) or '无'}",
            ),
            (
                "HTTP status 200 says nothing: replies.read_receipt(status, headers, body) looks at errcode.",
                "HTTP 状态码 200 说明不了什么，replies.read_receipt(status, headers, body) 才会检查 errcode。",
            ),
        ),
    )


# --- lesson 5


def typing(seconds: list[float]) -> Checked:
    """The phone shows "typing…" for 25 seconds, and WeChat refuses no call."""
    sandbox, customer, pool, token = prepared()
    refused, dark = {}, []
    for second in range(32):
        if second in seconds:
            _, failed = tried(set_typing, pool, token, customer.openid)
            refused[second] = failed.errcode if isinstance(failed, ApiError) else 0
        if second < 25 and not customer.sees_typing:
            dark.append(second)
        sandbox.advance(1)
    early = [at for at, errcode in refused.items() if errcode == 45081]
    late = [at for at in seconds if at > 30]
    first = dark[0] if dark else 0
    return Checked(
        Point(
            not early,
            ("No call comes while it still shows.", "显示期间没有重复下发。"),
            (
                f"45081: at second {early[0] if early else 0} it still shows.",
                f"45081：第 {early[0] if early else 0} 秒时还在显示。",
            ),
            ("It lasts 15 seconds; call when it has ended.", "每次显示 15 秒，要等它结束再调用。"),
        ),
        Point(
            not late,
            ("No call comes too late.", "没有过晚的调用。"),
            (
                f"45080: at second {late[0] if late else 0} her message is too old.",
                f"45080：第 {late[0] if late else 0} 秒时，她的消息已经超过 30 秒。",
            ),
            ("Her message must be at most 30 seconds old.", "她的消息必须在 30 秒之内。"),
        ),
        Point(
            len(dark) <= 1,
            ("Her phone shows it until the answer comes.", "直到回复，手机上一直在显示。"),
            (
                f"For {len(dark)} of the 25 seconds her phone does not show it, first at second {first}.",
                f"25 秒里有 {len(dark)} 秒手机上没有显示，最早是第 {first} 秒。",
            ),
            ("One call shows it for 15 seconds. How many do 25 seconds need?", "一次显示 15 秒，25 秒需要几次？"),
        ),
    )


# --- lesson 6


def logo(logo_id: Callable[[float], str], sandbox: Sandbox) -> Checked:
    """The media_id is kept while it lasts for another hour, and renewed after that."""

    def asked() -> str:
        value, failed = tried(logo_id, sandbox.clock())
        return value if failed is None else name_of(failed)

    first, again = asked(), asked()
    sandbox.advance(70 * HOUR)
    later = asked()
    sandbox.advance(1.5 * HOUR)
    last = asked()
    return Checked(
        Point(
            first == again,
            ("Asked twice, it uploads once.", "连问两次，只上传一次。"),
            ("Asked twice, it uploads twice.", "连问两次，就上传了两次。"),
            (
                "Keep what upload_logo() returned, and look at it next time.",
                "保存 upload_logo() 的返回值，下次先看看它。",
            ),
        ),
        Point(
            first != again or again == later,
            ("After 70 hours it still uses the same one.", "70 小时之后仍用同一个。"),
            ("After 70 hours, with 2 hours left, it uploads again.", "70 小时之后还剩 2 小时，却又上传了一次。"),
            ("uploaded.expires_at - now is what is left, in seconds.", "uploaded.expires_at - now 就是剩余的秒数。"),
        ),
        Point(
            last != later,
            ("With half an hour left, it takes a new one.", "只剩半小时的时候，换了新的。"),
            ("With half an hour left, it still uses the old one.", "只剩半小时了，还在用旧的。"),
            ("It should be valid for another hour, 3600 seconds.", "至少还要有一小时（3600 秒）的有效期。"),
        ),
    )


# --- lesson 7


def once_more(function: Callable[[dict[str, Any]], Any], sandbox: Sandbox) -> Checked:
    """A rejected token is replaced once; anything else is left to the caller."""
    pool, customer = sandbox.pool(), sandbox.user("dora")
    sandbox.advance(HOUR)
    customer.says("?")
    perform(pool, None, endpoints.stable_token(sandbox.appid, sandbox.secret, force_refresh=True))
    _, failed = tried(function, text(customer.openid, "1"))
    after_token = len(since_asked(customer))
    customer.says("??")
    sandbox.fail_next(drop="after")
    _, lost = tried(function, text(customer.openid, "2"))
    after_drop = len(since_asked(customer))
    sandbox.advance(49 * HOUR)
    _, closed = tried(function, text(customer.openid, "3"))
    return Checked(
        Point(
            after_token == 1,
            (
                "After another program has forced a new token, the message arrives.",
                "凭证被别的程序强制刷新之后，消息照样送达。",
            ),
            (
                f"After another program has forced a new token, {after_token} messages arrive. {name_of(failed)}",
                f"凭证被别的程序强制刷新之后，送达了 {after_token} 条。{name_of(failed)}",
            ),
            (
                "except TokenRejected: and then current_token(rejected=used), otherwise you get the same one again.",
                "except TokenRejected: 之后用 current_token(rejected=used)，否则拿到的还是同一个。",
            ),
        ),
        Point(
            after_drop == 1,
            ("When the connection breaks, she gets the message once.", "连接中断时，她只收到一条。"),
            (f"When the connection breaks, she gets it {after_drop} times.", f"连接中断时，她收到了 {after_drop} 条。"),
            (
                "Only a rejected token is certain not to have arrived. Catch nothing else.",
                "只有凭证被拒绝才确定没有送达，别的异常不要捕获。",
            ),
        ),
        Point(
            isinstance(lost, TransportError) and isinstance(closed, WxError),
            ("All other errors reach the caller.", "其他异常都交给了调用方。"),
            (
                "An error is swallowed: the caller believes that all went well.",
                "有异常被吞掉了，调用方会以为一切正常。",
            ),
            ("What your function does not catch is raised by itself.", "函数没有捕获的异常会自动向外抛出。"),
        ),
    )


# --- lesson 8


def wednesday(left: int, until: float) -> Checked:
    """The sandbox plays the three days, and counts."""

    def played(hour: float, times: int) -> list[bool]:
        """Play until Tuesday, then try to send at an hour; return whether each message arrived."""
        sandbox, customer, pool, _ = prepared()
        begun, went = sandbox.clock(), []
        for at, asks, sends in ((1, False, 3), (24, True, 0), (25, False, 1), (hour, False, times)):
            sandbox.advance(begun + at * HOUR - sandbox.clock())
            if asks:
                customer.says("?")
            token = fetch_token(pool, sandbox.appid, sandbox.secret)
            went = [tried(send, pool, token, text(customer.openid, "."))[1] is None for _ in range(sends)]
        return went

    second = 1 / HOUR
    arrive = sum(played(49, 6))
    closes = until >= 49 and played(until, 1) == [True] and played(until + second, 1) == [False]
    return Checked(
        Point(
            left == arrive,
            (f"On the sandbox, {arrive} messages arrive.", f"在沙箱里确实能送达 {arrive} 条。"),
            (
                f"left is not {left}: on the sandbox another number arrives.",
                f"left 不是 {left}：在沙箱里送达的条数不同。",
            ),
            (
                "Her message of Tuesday makes it five again, whatever was left; and what was sent after it counts.",
                "周二那条消息使条数恢复成五条，与之前剩多少无关；之后发出的要计入。",
            ),
        ),
        Point(
            closes,
            (f"{until} hours after Monday 9:00 the window closes.", f"周一 9:00 之后 {until} 小时，窗口关闭。"),
            (
                f"until is not {until}: the window does not close then.",
                f"until 不是 {until}：窗口并不是那时关闭的。",
            ),
            ("48 hours are counted from her last message.", "48 小时从她最后一条消息算起。"),
        ),
    )


# --- lesson 9


def ignored(push: Push) -> None:
    """Handle a push by doing nothing: the check only needs what came over the wire."""


def content(content_of: Callable[[dict[str, str], bytes], Any], push_token: str, aes_key: str, appid: str) -> Checked:
    """Genuine texts are read, everything else is None."""
    sandbox = Sandbox(appid=appid)
    customer = sandbox.user("ann")
    secure = sandbox.push_to(
        push_app(ignored, token=push_token, aes_key=aes_key, appid=appid), token=push_token, aes_key=aes_key
    )
    customer.says("hello")
    genuine = secure.log[-1].request
    customer.sends_image(sunset())
    picture = secure.log[-1].request
    plain = sandbox.push_to(push_app(ignored, token=push_token), token=push_token)
    customer.says("请把退款给我" if language == "zh" else "the refund, please")
    forged = plain.log[-1].request
    found = [tried(content_of, dict(each.query), each.body) for each in (genuine, picture, forged)]
    changed = tried(content_of, dict(genuine.query), genuine.body.replace(b"A", b"B"))
    forgery = changed if found[2] == (None, None) else found[2]
    return Checked(
        Point(
            found[0] == ("hello", None),
            ("A genuine text is read.", "真实的文本能读出来。"),
            (f"A genuine text is not read. {name_of(found[0][1])}", f"真实的文本没有读出来。{name_of(found[0][1])}"),
            (
                "In secure mode read_push needs aes_key= and appid=, too.",
                "安全模式下，read_push 还需要 aes_key= 和 appid=。",
            ),
        ),
        Point(
            found[2] == (None, None) and changed == (None, None),
            ("What is not genuine is None.", "伪造的推送返回 None。"),
            (
                f"A push that is not genuine gives {outcome(forgery)}",
                f"伪造的推送，结果是 {outcome(forgery)}",
            ),
            (
                "read_push raises PushRejected for it: catch that, and return None.",
                "这时 read_push 抛出 PushRejected：捕获它，返回 None。",
            ),
        ),
        Point(
            found[1] == (None, None),
            ("A picture is None.", "图片返回 None。"),
            (
                f"A picture, which has no Content, gives {outcome(found[1])}",
                f"图片没有 Content，结果是 {outcome(found[1])}",
            ),
            ("Look at push.MsgType first.", "先看 push.MsgType。"),
        ),
    )


# --- lesson 10


def greeter(handler: Callable[[Push], Any], sandbox: Sandbox) -> Checked:
    """Who comes in is greeted, once; who writes is not; nothing is raised."""
    customer, raised = sandbox.user("erna"), []
    app = push_app(handler, token="checks", on_error=lambda push, error: raised.append(error))
    sandbox.push_to(app, token="checks")
    sandbox.advance(49 * HOUR)
    customer.enters_session()
    greeted = len(since_asked(customer))
    customer.says("hello")
    more = len(since_asked(customer))
    return Checked(
        Point(
            greeted == 1,
            ("A customer who comes in is greeted.", "用户进入会话时收到了欢迎语。"),
            (f"A customer who comes in gets {greeted} messages.", f"用户进入会话时收到了 {greeted} 条。"),
            (
                "A push cannot be answered with a text: send(pool, current_token(), text(push.FromUserName, …))",
                "小程序不能在推送的应答里回复文本，要用 send(pool, current_token(), text(push.FromUserName, …))。",
            ),
        ),
        Point(
            more == 0,
            ("A customer who writes is not greeted again.", "用户发消息时不再欢迎。"),
            ("A customer who writes is greeted, too.", "用户发消息时也收到了欢迎语。"),
            ("Look at MsgType and Event.", "要看 MsgType 和 Event。"),
        ),
        Point(
            not raised,
            ("The handler raises nothing.", "处理函数没有抛出异常。"),
            (
                f"The handler raises {name_of(raised[0]) if raised else ''}.",
                f"处理函数抛出了 {name_of(raised[0]) if raised else ''}。",
            ),
            (
                'A text has no Event: ask for push.MsgType == "event" first, or use push.get("Event").',
                '文本消息没有 Event：先判断 push.MsgType == "event"，或者用 push.get("Event")。',
            ),
        ),
    )


# --- lesson 11


def panel(shown: Any) -> Checked:
    """At the desk, a message was refused after two days; then the customer did something, and an answer arrived."""
    inbox = [delivered.message for delivered in shown.sandbox.user("ann").inbox]
    steps = (
        lambda entry: entry["direction"] == "in" and entry["what"] == "message",
        lambda entry: isinstance(entry["result"], dict) and entry["result"].get("errcode") == 45015,
        lambda entry: entry["direction"] == "in",
        lambda entry: entry["result"] == "accepted" and entry["message"] in inbox,
    )
    taken = 0
    for entry in shown.desk.history:
        taken += entry["customer"] == "ann" and taken < len(steps) and steps[taken](entry)
    return Checked(
        Point(
            taken > 0,
            ("Ann has written first.", "Ann 先发来了消息。"),
            ("Ann has not written yet.", "Ann 还没有发来消息。"),
            (
                "Write in the field of the phone, and press Enter.",
                "在手机的输入框里写一句，按回车发送。",
            ),
        ),
        Point(
            taken > 1,
            ("Two days later, WeChat refused an answer: 45015.", "两天之后，微信拒绝了一次回复：45015。"),
            ("No answer has been refused.", "还没有回复被拒绝。"),
            (
                "Press +48 h under the phone, and then answer at the desk.",
                "先点手机下方的“+48 小时”，再在工作台回复。",
            ),
        ),
        Point(
            taken == len(steps),
            (
                "Then Ann did something, and your answer is on her phone.",
                "之后 Ann 有了新的操作，你的回复到了她的手机上。",
            ),
            (
                "After that, no answer has reached her phone.",
                "在那之后，还没有回复到她的手机上。",
            ),
            (
                "WeChat waits for the customer: write on the phone again, and then answer at the desk.",
                "微信要等用户先有操作：再从手机上发一条消息，然后在工作台回复。",
            ),
        ),
    )


# --- lesson 12


def polite(make_polite: Callable[..., Callable[[Push], Any]]) -> Checked:
    """A picture is answered; the bot behind gets everything else, and its own answers are passed on."""
    sandbox = Sandbox()
    customer, pool, got = sandbox.user("fay"), sandbox.pool(), []
    token = fresh_token(pool, sandbox.appid, sandbox.secret, clock=sandbox.clock)

    def bot(push: Push) -> bytes | None:
        got.append(push.MsgType)
        return transfer_to_agent(push) if push.get("Content") == "human" else None

    handler, failed = tried(make_polite, bot, pool, token)
    app = push_app(handler if callable(handler) else bot, token="checks")
    sandbox.push_to(app, token="checks")
    customer.sends_image(sunset())
    pictures = len(since_asked(customer))
    customer.says("1024")
    texts = len(since_asked(customer))
    customer.says("human")
    return Checked(
        Point(
            callable(handler),
            ("polite returns a handler.", "polite 返回了处理函数。"),
            (f"polite does not return a handler. {name_of(failed)}", f"polite 没有返回处理函数。{name_of(failed)}"),
            ("It ends with return handler.", "最后应是 return handler。"),
        ),
        Point(
            pictures == 1,
            ("A picture is answered.", "图片有了答复。"),
            (f"A picture gets {pictures} answers.", f"图片得到了 {pictures} 条答复。"),
            (
                'push.MsgType is "image" then; send or tell answers.',
                '这时 push.MsgType 是 "image"；用 send 或 tell 答复。',
            ),
        ),
        Point(
            callable(handler) and texts == 0 and "text" in got,
            ("Texts are left to the bot.", "文本都交给了机器人。"),
            ("A text is not left to the bot.", "文本没有交给机器人。"),
            ("Everything that is not a picture: return bot(push).", "除图片以外都执行 return bot(push)。"),
        ),
        Point(
            callable(handler) and customer.has_agent,
            ("The hand-over still works.", "仍然可以转人工。"),
            ("The hand-over does not work any more.", "转人工不起作用了。"),
            (
                "The hand-over is what bot(push) returns: your handler must return it, too.",
                "转人工靠的是 bot(push) 的返回值，你的处理函数也要把它返回。",
            ),
        ),
    )
