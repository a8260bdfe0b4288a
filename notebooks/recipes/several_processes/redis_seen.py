"""Claims on pushes in Redis, for the processes of several machines."""


class RedisSeen:
    """redis is a `redis.Redis` that gives bytes (so without decode_responses).

    A claim lapses after so many seconds. WeChat sends a push again within a minute; a handler must have ended before
    its claim has lapsed.
    """

    def __init__(self, redis, *, seconds=24 * 3600, prefix="wxcs:seen:"):
        self.redis, self.seconds, self.prefix = redis, seconds, prefix

    def claim(self, key):
        """Return None where the push is yours now, else its answer: empty as long as somebody is at it."""
        if self.redis.set(self.prefix + key, b"", nx=True, ex=self.seconds):
            return None
        return self.redis.get(self.prefix + key) or b""  # one that was given back just now is claimed at the next look

    def settle(self, key, answer):
        """Remember the answer, for those who come again."""
        self.redis.set(self.prefix + key, answer, xx=True, ex=self.seconds)

    def forget(self, key):
        """Give a claim or an answer back: the next one to come handles the push."""
        self.redis.delete(self.prefix + key)
