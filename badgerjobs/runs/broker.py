"""A plain connection to the broker, for what Celery does not tell: whether it is there, and how much lies in it."""

from functools import cache

from django.conf import settings
from redis import Redis


@cache
def connection() -> Redis:
    """One for each process, with connections for its threads. It answers within a second, or raises RedisError."""
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
