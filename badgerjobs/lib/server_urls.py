"""DATABASE_URL and REDIS_URL, when they are given: what cannot be used is said before anything is connected to."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import dj_database_url
from redis import ConnectionPool, RedisError

from badgerjobs.lib.env import BadSettingError

_POSTGRESQL = "django.db.backends.postgresql"
_DATABASE_FORM = "must be like postgres://user:password@host:5432/name, with what is special in a password as %XX"
_REDIS_FORM = "must be like redis://:password@host:6379/0, rediss://… for TLS, or unix:///path?db=0"


def database(url: str) -> dict[str, Any]:
    """Read DATABASE_URL as Django's settings of a database. Raises BadSettingError, without the URL: it is a secret."""
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        raise BadSettingError(f"DATABASE_URL {_DATABASE_FORM}.") from None
    if found["ENGINE"] != _POSTGRESQL:
        raise BadSettingError(f"DATABASE_URL {_DATABASE_FORM}: it has to be a PostgreSQL.")
    if not found["NAME"] and "service" not in found.get("OPTIONS", {}):
        raise BadSettingError(f"DATABASE_URL {_DATABASE_FORM}: it names no database.")
    return found


def redis(url: str) -> str:
    """Give REDIS_URL back when redis-py and Celery both understand it. Raises BadSettingError, without the URL."""
    try:
        parts = urlsplit(url)
        # Makes an object, and connects to nothing.
        ConnectionPool.from_url(url).make_connection()
    except (ValueError, TypeError, RedisError):
        raise BadSettingError(f"REDIS_URL {_REDIS_FORM}.") from None
    known = {"db"} if parts.scheme == "unix" else set()
    # Celery passes every other one on to where nobody knows it, and ends in a traceback.
    for option in parse_qs(parts.query, keep_blank_values=True):
        if option not in known and not option.startswith("ssl_"):
            raise BadSettingError(f"REDIS_URL {_REDIS_FORM}: the option {option!r} is not known here.")
    return url
