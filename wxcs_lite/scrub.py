"""Removes secrets from texts that come from outside, because a server may echo what we sent."""

import re

__all__ = ["scrub"]

# Patterns that only errors need are compiled when the first error does, not at import.
_NAMED = r"""(?i)((?:access_token|appsecret|secret|session_key|aes_?key)["']?\s*[=:]\s*["']?)[^&\s"'<>),}]+"""
# A token is some 136 characters long, an AppSecret 32, an EncodingAESKey 43; a rid is 26, an openid 28.
_LONG = r"[A-Za-z0-9_%+=-]{32,}"


def scrub(text: str) -> str:
    """Replace what is named like a secret, or is as long as one, in a text from outside.

    >>> scrub("GET /cgi-bin/media/get?access_token=80_made-up&media_id=M failed")
    'GET /cgi-bin/media/get?access_token=***&media_id=M failed'
    """
    return re.sub(_LONG, "***", re.sub(_NAMED, r"\1***", text))
