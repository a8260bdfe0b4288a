"""Shares claims on pushes through Redis among processes on several machines."""


class RedisSeen:
    """Claims on pushes in Redis, for `push_app(seen=…)`.

    `redis` is a `redis.Redis` that returns bytes, that is, without `decode_responses`. A claim expires after `seconds`.
    WeChat repeats a push within a minute; a handler must end before its claim expires.
    """

    def __init__(self, redis, *, seconds=24 * 3600, prefix="wxcs:seen:"):
        self.redis, self.seconds, self.prefix = redis, seconds, prefix

    def claim(self, key):
        """Return None if the push is now yours; otherwise its answer, empty while another process handles it."""
        if self.redis.set(self.prefix + key, b"", nx=True, ex=self.seconds):
            return None
        return self.redis.get(self.prefix + key) or b""  # one given back just now is claimed on the next try

    def settle(self, key, answer):
        """Store the answer for repetitions of the push."""
        self.redis.set(self.prefix + key, answer, xx=True, ex=self.seconds)

    def forget(self, key):
        """Delete a claim or an answer, so that the next repetition of the push is handled."""
        self.redis.delete(self.prefix + key)
