"""TLS without any I/O, around a conversation: what comes out of a tunnel goes into it, and what it says goes back in.

`SSLContext.wrap_socket` would take the connection away from those who bound it: the socket that they know loses its
descriptor, cannot be hung up on, and has nothing to read while TLS holds bytes of its own. Here it stays a plain one.
"""

import ssl
from collections.abc import Iterator
from contextlib import suppress

from wxcs_lite.sandbox.http.server import Talk
from wxcs_lite.sandbox.http.values import Outcome

__all__ = ["Tunnel"]

_PIECE = 2**16  # bytes; of a large reply, so much is encrypted at once, because each connection holds its own


class Tunnel:
    """One TLS connection, our end of it: bytes in, bytes out.

    What is neither part of a request nor of a reply, the handshake above all, counts as a request that is not whole:
    a peer that is slow with it, or sends more of it than it has to, is one that keeps the door waiting.
    """

    def __init__(self, context: ssl.SSLContext, talk: Talk) -> None:
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arrived, self._leaving, server_side=True)
        self._talk = talk
        self._shaken_hands = False
        self.held = 0

    def feed(self, data: bytes) -> Iterator[Outcome]:
        self._arrived.write(data)
        self.held += len(data)
        while plain := self._decrypt():
            for outcome in self._talk.feed(plain):
                yield from self._encrypt(outcome)
            self.held = self._talk.held
        if plain is not None:
            yield Outcome(self._last_words(), True)
        elif flight := self._leaving.read():
            yield Outcome(flight, False, ends=False)

    def close(self) -> None:
        self._talk.close()

    def _decrypt(self) -> bytes | None:
        """Return what was said, None if more has to come for that, and no bytes if nothing will."""
        try:
            if not self._shaken_hands:
                self._tls.do_handshake()
                self._shaken_hands, self.held = True, 0
            return self._tls.read(_PIECE)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLError:
            return b""

    def _encrypt(self, outcome: Outcome) -> Iterator[Outcome]:
        whole, start, slow = memoryview(outcome.data), 0, outcome.slow
        while start + _PIECE < len(whole):
            self._tls.write(whole[start : start + _PIECE])
            yield Outcome(self._leaving.read(), False, slow, ends=False)
            start, slow = start + _PIECE, 0.0
        goodbye = b""
        if whole:  # without a word, the connection is to be lost
            self._tls.write(whole[start:])
            goodbye = self._last_words() if outcome.close else b""
        yield Outcome(self._leaving.read() + goodbye, outcome.close, slow, outcome.ends)

    def _last_words(self) -> bytes:
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        return self._leaving.read()
