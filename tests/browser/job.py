"""An agent's whole job with one customer, by mouse: what every front end has to get through."""

import re
from pathlib import Path

from tests.browser.stage import Notebook

__all__ = ["CARD", "LINK", "TALK", "whole_job"]

LINK = {
    "title": "Track your parcel",
    "description": "Where it is now, updated every hour",
    "url": "https://example.com/track/42",
    "thumb_url": "https://example.com/map.png",
}
CARD = {"title": "Your order", "pagepath": "pages/order?id=42"}
LINK_ZH = {**LINK, "title": "物流跟踪", "description": "每小时更新一次位置"}
CARD_ZH = {**CARD, "title": "您的订单"}
TALK = {
    "en": ("Hello! Has my order left yet?", "Hi Ann! It is on its way: tomorrow afternoon.", "May I see the parcel?"),
    "zh": ("您好，我的订单发货了吗？", "您好！已经在路上，明天下午送到。", "能看一下包裹吗？"),
}


def whole_job(nb: Notebook, lang: str, photo: Path) -> None:
    """The customer asks, the agent types and answers with text, picture, link and card; the phone shows each."""
    question, answer, more = TALK[lang]
    nb.says(question)
    nb.desk.locator(".wxcs-in").filter(has_text=question).wait_for()
    nb.press(nb.desk, "typing_on")
    nb.desk.get_by_role("button", name=re.compile(r"\(\d+ s\)|（\d+ 秒）|\(\d+ 秒\)")).wait_for()
    nb.phone.get_by_text(nb.words["is_typing"]).wait_for()
    nb.field("content").fill(answer)
    nb.sends(".wxcs-text")
    nb.phone.get_by_text(nb.words["service"], exact=True).wait_for()
    nb.says(more)
    nb.picks(photo)
    nb.sends(".wxcs-image img")
    nb.choose("kind", "link")
    for key, value in (LINK_ZH if lang == "zh" else LINK).items():
        nb.field(key).fill(value)
    nb.sends(".wxcs-link")
    nb.choose("kind", "miniprogrampage")
    nb.picks(photo)
    for key, value in (CARD_ZH if lang == "zh" else CARD).items():
        nb.field(key).fill(value)
    nb.sends(".wxcs-card img")
