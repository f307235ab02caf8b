"""The URLs of databases, broker and mail: what cannot be used is said before anything is connected to."""

from collections.abc import Sequence
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from redis import ConnectionPool, RedisError

from badgerjobs.lib.env import BadSettingError

_POSTGRESQL = "django.db.backends.postgresql"
_POOLED = {"0": False, "1": True}
_DATABASE_FORM = "must be like postgres://user:password@host:5432/name, with what is special in a password as %XX"
_REDIS_FORM = "must be like redis://:password@host:6379/0, rediss://… for TLS, or unix:///path?db=0"
_MAIL_FORM = (
    "must be like smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465, "
    "with what is special in a password as %XX"
)


def database(name: str, url: str) -> dict[str, Any]:
    """Read the URL of a database as Django's settings. Raises BadSettingError, without the URL: it is a secret.

    `name` is the setting's. `?pooled=1` becomes the option `pooled`: True.
    """
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        raise BadSettingError(f"{name} {_DATABASE_FORM}.") from None
    options = found.get("OPTIONS", {})
    if found["ENGINE"] != _POSTGRESQL:
        raise BadSettingError(f"{name} {_DATABASE_FORM}: it has to be a PostgreSQL.")
    if not found["NAME"] and "service" not in options:
        raise BadSettingError(f"{name} {_DATABASE_FORM}: it names no database.")
    if "pooled" in options:
        if (pooled := str(options["pooled"])) not in _POOLED:
            raise BadSettingError(f"{name} {_DATABASE_FORM}: the option `pooled` is 1 or 0.")
        options["pooled"] = _POOLED[pooled]
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


def mail(url: str) -> dict[str, Any]:
    """Read EMAIL_URL as Django's settings of a mail server. Raises BadSettingError, without the URL: it is a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
        options = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise BadSettingError(f"EMAIL_URL {_MAIL_FORM}.") from None
    plain = options == {"tls": ["none"]}
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
        raise BadSettingError(f"EMAIL_URL {_MAIL_FORM}.")
    if options and not (plain and parts.scheme == "smtp"):
        raise BadSettingError(f"EMAIL_URL {_MAIL_FORM}: the only option is ?tls=none, with smtp://.")
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and not plain,
    }


def sender(given: str) -> str:
    """Give MAIL_FROM back when it has an address. Raises BadSettingError."""
    if "@" not in parseaddr(given)[1]:
        raise BadSettingError("MAIL_FROM must be the address that mail comes from, since EMAIL_URL is set.")
    return given


def ensure_named(hosts: Sequence[str]) -> None:
    """Raise BadSettingError where every name is answered to: links in mails are made of the name that was asked for.

    Else a stranger could ask for somebody's mail by a name of their own, and the link in it would lead to them.
    """
    if "*" in hosts:
        raise BadSettingError(
            "ALLOWED_HOSTS must name the hosts of this service, and not be *, since EMAIL_URL is set."
        )
