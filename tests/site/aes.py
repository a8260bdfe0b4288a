"""AES-CBC in pure Python, under the names that wxcs_lite takes from `cryptography.hazmat.primitives.ciphers`.

For the course in a browser only, where that package cannot be installed: the site is built with this file in its
place. It is slow, and it is not constant-time: what it encrypts there is the sandbox's, which has no secrets.
"""

__all__ = ["AES", "CBC", "Cipher", "CipherContext"]


def _logarithms() -> tuple[list[int], list[int]]:
    """Return the powers of 3 in GF(2^8), twice in a row, and their exponents."""
    powers, exponents, power = [0] * 510, [0] * 256, 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = power
        exponents[power] = exponent
        power ^= (power << 1) ^ (0x11B if power & 0x80 else 0)
        power &= 0xFF
    return powers, exponents


_POWERS, _EXPONENTS = _logarithms()


def _times(factor: int) -> bytes:
    """Return the table of products with a factor."""
    return bytes(_POWERS[_EXPONENTS[factor] + _EXPONENTS[byte]] if byte else 0 for byte in range(256))


def _substituted(byte: int) -> int:
    inverse = _POWERS[255 - _EXPONENTS[byte]] if byte else 0
    found = inverse
    for _ in range(4):
        inverse = (inverse << 1 | inverse >> 7) & 0xFF
        found ^= inverse
    return found ^ 0x63


_BOX = bytes(map(_substituted, range(256)))
_UNBOX = bytes(map(_BOX.index, range(256)))
_SHIFTED = [(at + 4 * (at % 4)) % 16 for at in range(16)]
_UNSHIFTED = [(at - 4 * (at % 4)) % 16 for at in range(16)]
# The first row of MixColumns and of its inverse; each further row is shifted by one.
_MIX = [_times(factor) for factor in (2, 3, 1, 1)]
_UNMIX = [_times(factor) for factor in (14, 11, 13, 9)]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _mixed(block: bytes, tables: list[bytes]) -> bytes:
    a, b, c, d = tables
    mixed = bytearray()
    for at in range(0, 16, 4):
        w, x, y, z = block[at : at + 4]
        mixed += bytes((a[w] ^ b[x] ^ c[y] ^ d[z], d[w] ^ a[x] ^ b[y] ^ c[z]))
        mixed += bytes((c[w] ^ d[x] ^ a[y] ^ b[z], b[w] ^ c[x] ^ d[y] ^ a[z]))
    return bytes(mixed)


class AES:
    """A key, expanded; it encrypts and decrypts single blocks."""

    def __init__(self, key: bytes) -> None:
        count = len(key) // 4
        if count not in (4, 6, 8) or len(key) % 4:
            raise ValueError("an AES key has 16, 24 or 32 bytes")
        words, round_constant = [key[at : at + 4] for at in range(0, len(key), 4)], 1
        for number in range(count, 4 * (count + 7)):
            word = words[-1]
            if number % count == 0:
                word = (word[1:] + word[:1]).translate(_BOX)
                word = bytes([word[0] ^ round_constant]) + word[1:]
                round_constant = _MIX[0][round_constant]
            elif count > 6 and number % count == 4:
                word = word.translate(_BOX)
            words.append(_xor(words[number - count], word))
        self._first, *self._middle, self._last = (b"".join(words[at : at + 4]) for at in range(0, len(words), 4))

    def encrypted(self, block: bytes) -> bytes:
        """Return a block of 16 bytes, encrypted."""
        block = _xor(block, self._first)
        for key in self._middle:
            block = block.translate(_BOX)
            block = _xor(_mixed(bytes(block[at] for at in _SHIFTED), _MIX), key)
        block = block.translate(_BOX)
        return _xor(bytes(block[at] for at in _SHIFTED), self._last)

    def decrypted(self, block: bytes) -> bytes:
        """Return a block of 16 bytes, decrypted."""
        block = _xor(block, self._last)
        for key in reversed(self._middle):
            block = bytes(block[at] for at in _UNSHIFTED).translate(_UNBOX)
            block = _mixed(_xor(block, key), _UNMIX)
        return _xor(bytes(block[at] for at in _UNSHIFTED).translate(_UNBOX), self._first)


class CBC:
    """Each block is encrypted after an exclusive or with the encrypted one before it."""

    def __init__(self, initialization_vector: bytes) -> None:
        if len(initialization_vector) != 16:
            raise ValueError("an initialization vector has 16 bytes")
        self.initialization_vector = initialization_vector


class CipherContext:
    """Encrypts or decrypts bytes as they come, in whole blocks."""

    def __init__(self, algorithm: AES, mode: CBC, encrypts: bool) -> None:
        self._aes, self._before, self._encrypts = algorithm, mode.initialization_vector, encrypts
        self._rest = b""

    def update(self, data: bytes) -> bytes:
        """Return what is complete by now."""
        data, done = self._rest + data, bytearray()
        end = len(data) - len(data) % 16
        for at in range(0, end, 16):
            block = data[at : at + 16]
            if self._encrypts:
                self._before = self._aes.encrypted(_xor(block, self._before))
                done += self._before
            else:
                done += _xor(self._aes.decrypted(block), self._before)
                self._before = block
        self._rest = data[end:]
        return bytes(done)

    def finalize(self) -> bytes:
        """Return nothing more, or raise ValueError if a block is not complete."""
        if self._rest:
            raise ValueError("The length of the provided data is not a multiple of the block length.")
        return b""


class Cipher:
    """AES in CBC mode."""

    def __init__(self, algorithm: AES, mode: CBC) -> None:
        self._algorithm, self._mode = algorithm, mode

    def encryptor(self) -> CipherContext:
        return CipherContext(self._algorithm, self._mode, True)

    def decryptor(self) -> CipherContext:
        return CipherContext(self._algorithm, self._mode, False)
