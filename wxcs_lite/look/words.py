"""The texts on a phone, in English and Chinese: to add one, add a row."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

__all__ = ["LANGUAGES", "ROWS", "Language", "Words", "bilingual", "by_language", "chosen", "words"]

Words = Mapping[str, str]
Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

ROWS: Mapping[str, tuple[str, str]] = {
    "service": ("Customer service", "客服"),
    "is_typing": ("typing…", "对方正在输入…"),
    "photo": ("picture", "图片"),
    "cover": ("cover", "封面"),
    "mini_program": ("Mini Program", "小程序"),
    "thumbnail": ("The thumbnail is not loaded here", "此处不加载缩略图"),
    "opens": ("opens {target}", "打开 {target}"),
    "unsafe": ("not a link here: only http and https are opened", "此处不打开：仅支持 http 和 https"),
    "ai_line": ("Written by AI", "内容由 AI 生成"),
    "session_line": ("entered the customer-service session", "进入客服会话"),
    "no_answer": (
        "Customer service of this Mini Program is unavailable, please try again later",
        "该小程序客服暂时无法提供服务，请稍后再试",
    ),
    "wrong_answer": (
        "The service of this Mini Program has a fault, please try again later",
        "该小程序提供的服务出现故障，请稍候再试",
    ),
    "messages": ("Messages", "消息"),
    "kind_link": ("Link", "图文链接"),
    "kind_miniprogrampage": ("Card", "小程序卡片"),
}


def by_language(rows: Mapping[str, tuple[str, str]]) -> Mapping[str, Words]:
    """Return a table for each language from rows that have a text in each."""
    return {
        lang: MappingProxyType({key: row[number] for key, row in rows.items()}) for number, lang in enumerate(LANGUAGES)
    }


def chosen(tables: Mapping[str, Words], lang: Language) -> Words:
    """Return the table of a language, or raise ValueError."""
    if lang not in tables:
        got = f"{lang!r:.12}"  # cut short: it may be a token in the wrong place
        raise ValueError(f"lang must be 'en' or 'zh', not {got}\nlang 只能是 'en' 或 'zh'，收到的是 {got}")
    return tables[lang]


_WORDS = by_language(ROWS)


_BOTH = MappingProxyType({key: " ".join(row) for key, row in ROWS.items()})


def bilingual() -> Words:
    """Return the texts in both languages at once, for what shows itself without being asked in which.

    >>> bilingual()["cover"]
    'cover 封面'
    """
    return _BOTH


def words(lang: Language) -> Words:
    """Return the texts of a language by their keys.

    >>> words("en")["cover"], words("zh")["cover"]
    ('cover', '封面')
    """
    return chosen(_WORDS, lang)
