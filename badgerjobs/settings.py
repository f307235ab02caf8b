"""Every setting, from the environment. docs/settings.md describes each variable; a test holds the two together."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

from badgerjobs.embedded.layout import Layout, broker_url_of
from badgerjobs.lib import env, javascript, listening, server_urls, vault
from badgerjobs.lib.postgresql import ENGINE, OPTIONS

BASE_DIR = Path(__file__).resolve().parents[1]

# Where it listens, and where it keeps what it embeds. A relative data directory is relative to the project, so that
# `make -C` and `manage.py` from elsewhere find the same one.
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, least=1, most=65535)
DATA_DIR = (BASE_DIR / env.text("BADGERJOBS_DATA_DIR", ".data")).absolute()
LAYOUT = Layout(DATA_DIR)

# Servers: given, or embedded. One of each may be given: what is not given is embedded.
DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.text("REDIS_URL")
REDIS_URL = server_urls.redis(REDIS_URL) if REDIS_URL else LAYOUT.redis_url
EMBEDDED = not DATABASE_URL
DEMO = env.flag("DEMO", default=EMBEDDED)


def _secret(name: str) -> str:
    """A secret of this installation: given, or made once and kept beside the embedded database it protects."""
    if value := env.text(name):
        return value
    if EMBEDDED:
        return LAYOUT.secret(name.lower())
    raise ImproperlyConfigured(f"{name} is not set. With DATABASE_URL set, it must be: see docs/settings.md.")


SECRET_KEY = _secret("SECRET_KEY")
ENCRYPTION_KEYS = [key.strip() for key in _secret("ENCRYPTION_KEYS").split(",") if key.strip()]
try:
    vault.ensure_keys(ENCRYPTION_KEYS)
except vault.BadKeyError as error:
    raise env.BadSettingError(str(error)) from None

DEBUG = env.flag("DEBUG", default=False)
LOG_LEVEL = env.one_of("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
# Not "*" on loopback either: a page in a browser here could make a name of its own mean this server, and read it. Who
# tries it out on every address wants to be called by whatever name leads here.
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS") or (
    ["*"]
    if EMBEDDED and listening.is_everywhere(HOST)
    else ["localhost", "127.0.0.1", "[::1]", listening.bracketed(HOST)]
)
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
HSTS_SECONDS = env.number("HSTS_SECONDS", 0)

# The engine
WORKERS = env.number("WORKERS", 2, least=1, most=64)
WORKER_NICENESS = env.number("WORKER_NICENESS", 10, most=19)
IO_SLOTS = env.number("IO_SLOTS", 400, least=1, most=10_000)
HOST_SLOTS = env.number("HOST_SLOTS", 100, least=1, most=10_000)
CODE_PROCESSES = env.number("CODE_PROCESSES", 2, most=64)
RETENTION_DAYS = env.number("RETENTION_DAYS", 30, least=1, most=3650)
BACKGROUND_RETENTION_DAYS = env.number("BACKGROUND_RETENTION_DAYS", 90, most=3650)
AUDIT_DAYS = env.number("AUDIT_DAYS", 365, least=1, most=3650)
BACKGROUND_TASKS = env.items("BACKGROUND_TASKS")
SLURPERS = env.items("SLURPERS")
# How much may be stored: files of a workspace, all of them together; rows of a collection, each version by itself. Many
# collections may fill the disk all the same. 0: as much as there is room for.
FILES_MB = env.number("FILES_MB", 10_000)
COLLECTION_ROWS = env.number("COLLECTION_ROWS", 100_000_000)
PRESET_TIME_ZONE = env.text("PRESET_TIME_ZONE", "EST")
EGRESS_ALLOW = env.items("EGRESS_ALLOW")
# ODBC drivers that sources may use. They are no Python: what a server sends them on to is not seen by the guard.
ODBC_DRIVERS = env.items("ODBC_DRIVERS")
JAVASCRIPT_PROCESSES = javascript.processes()
WEB_THREADS = env.number("WEB_THREADS", 16, least=1, most=1000)
CACHE_READS_PER_SECOND = env.number("CACHE_READS_PER_SECOND", 10000, least=1, most=1_000_000)
RATE_LIMIT_PER_SECOND = env.number("RATE_LIMIT_PER_SECOND", 400, least=1, most=1_000_000)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "django_static_ace_builds",
    "rest_framework",
    "drf_spectacular",
    "django_celery_beat",
    "badgerjobs.workspaces",
    "badgerjobs.web",
    "badgerjobs.runs",
    "badgerjobs.notices",
    "badgerjobs.sources",
    "badgerjobs.embedded",
    "badgerjobs.panel",
    "tasks",
    "jobs",
    "slurps",
    "webhooks",
]

MIDDLEWARE = [
    "badgerjobs.web.middleware.bounded_body",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "badgerjobs.web.middleware.content_security_policy",
    "tasks.cache.short_way.short_way",
    "webhooks.receiving.short_way.short_way",
    "badgerjobs.web.middleware.unstored_accounts",
    "badgerjobs.web.middleware.without_nulls",
    "badgerjobs.web.middleware.reader_zone",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "badgerjobs.web.sessions.last_seen",
    "badgerjobs.web.throttling.told_limits",
]

ROOT_URLCONF = "badgerjobs.urls"
WSGI_APPLICATION = "badgerjobs.wsgi.application"
AUTH_USER_MODEL = "workspaces.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,  # for allauth's pages, below ours
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "badgerjobs.panel.navigation.navigation",
            ]
        },
    }
]

DATABASES: dict[str, Any] = {
    "default": server_urls.database("DATABASE_URL", DATABASE_URL)
    if DATABASE_URL
    else {
        "NAME": "badgerjobs",
        "USER": "badgerjobs",
        "PASSWORD": LAYOUT.secret("postgres_password"),
        "HOST": str(LAYOUT.socket_dir),
        "PORT": "5432",
    }
}
# Past a pooler, for what it cannot do: to be told of news. None where there is no pooler, or no way past it.
_DIRECT_URL = env.text("DATABASE_DIRECT_URL")
DATABASE_DIRECT: dict[str, Any] | None = (
    server_urls.database("DATABASE_DIRECT_URL", _DIRECT_URL) if _DIRECT_URL and DATABASE_URL else None
)
if DATABASE_DIRECT:
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("pooled", True)


def _prepare(database: dict[str, Any]) -> None:
    """Say how connections are made and given up. What its URL says itself goes first."""
    given = database.get("OPTIONS", {})
    # A server that vanished without a word is noticed within some 20 s, not after the two hours of TCP's own defaults.
    # libpq ignores these on a Unix socket.
    database["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        **given,
    }
    database.update(ENGINE=ENGINE, CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
    if given.get("pooled"):
        # A cursor of the server's is gone with the transaction that it was opened in.
        database["DISABLE_SERVER_SIDE_CURSORS"] = True
    else:
        # A statement of a page or of the engine that takes this long is a fault, and must not hold its locks for ever.
        # (`manage.py migrate` lifts it.) Of two that name the same parameter the later one holds.
        database["OPTIONS"]["options"] = " ".join([OPTIONS, *filter(None, [given.get("options")])])


_prepare(DATABASES["default"])
if DATABASE_DIRECT:
    _prepare(DATABASE_DIRECT)

CACHES = {
    "default": {
        "BACKEND": "badgerjobs.web.spared_cache.SparedCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "socket_connect_timeout": 1,
            "socket_timeout": 2,
            # Django's own would unpickle what it finds: whoever can write there could run code here.
            "serializer": "badgerjobs.web.plain_values.PlainValues",
        },
        "KEY_PREFIX": "badgerjobs",
    }
}

# Accounts, by allauth: an e-mail address and a password, a second factor for who wants one.
SIGN_UP = env.one_of("SIGN_UP", "open" if EMBEDDED else "invitation", ["open", "invitation", "closed"])
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "front-door"
ACCOUNT_ADAPTER = "badgerjobs.workspaces.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "badgerjobs.workspaces.account_forms.SignUp",
    "reset_password": "badgerjobs.workspaces.account_forms.ResetPassword",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Somebody has one address, and a new one counts when it is confirmed.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Beside allauth's own. A network of IPv6 (/64) counts as one address; `key` is the account.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/5m/key",
    "confirm_email": "1/m/key",
}
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)
MFA_ADAPTER = "badgerjobs.workspaces.accounts.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "badgerjobs.workspaces.account_forms.SecondFactor",
    "reauthenticate": "badgerjobs.workspaces.account_forms.SecondFactorAgain",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Badger Jobs"
MFA_TOTP_TOLERANCE = 1  # for who types slowly, and for clocks that are a little off

# Mail: by the server that EMAIL_URL names; without one, into the log.
EMAIL_URL = env.text("EMAIL_URL")
MAIL_FROM = env.text("MAIL_FROM")
if EMAIL_URL:
    MAIL_FROM = server_urls.sender(MAIL_FROM)
    server_urls.ensure_named(ALLOWED_HOSTS)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    globals().update(server_urls.mail(EMAIL_URL))
else:
    EMAIL_BACKEND = "badgerjobs.workspaces.mail.LoggedMail"
EMAIL_TIMEOUT = 10  # seconds: a page waits for it
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM or "Badger Jobs <badgerjobs@localhost>"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"badgerjobs.workspaces.passwords.{name}"} for name in ("NotAboutYou", "LongEnough", "NotEverybodys")
]

# Celery rings the doorbell and runs the fleet; it stores nothing. The anonymous exchange needs no bindings in the
# broker, so that one which was emptied takes the next message as if nothing had happened.
CELERY_BROKER_URL = broker_url_of(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Nobody who sends waits for a broker that is away: kombu would try for 6 s each time. Workers wait as they always do.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 3600,
    "max_retries": 0,
}
CELERY_TASK_QUEUES = [Queue(name, Exchange(""), routing_key=name) for name in ("io", "system")]
CELERY_TASK_DEFAULT_QUEUE = "system"
CELERY_TASK_DEFAULT_EXCHANGE = ""
CELERY_TASK_DEFAULT_ROUTING_KEY = "system"
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BEAT_SCHEDULER = "badgerjobs.runs.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "rescue": {"task": "runs.rescue", "schedule": 5.0, "options": {"expires": 30.0}},
    "tell": {"task": "runs.tell", "schedule": 5.0, "options": {"expires": 10.0}},
    "prune": {"task": "runs.prune", "schedule": 10.0, "options": {"expires": 10.0}},
    "tidy": {"task": "runs.tidy", "schedule": 10.0, "options": {"expires": 10.0}},
}
CELERY_TIMEZONE = "UTC"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# The web process serves them itself, from where they are: there is no build and nothing to collect.
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

CSRF_FAILURE_VIEW = "badgerjobs.web.error_pages.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 30 * 24 * 3600  # seconds, for who stays signed in; else until the browser is closed
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
if BEHIND_PROXY:
    # A proxy that ends TLS is in front and sets these headers itself.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = HSTS_SECONDS
# What `check --deploy` would have us do that is the proxy's, or the domain's owner's: W008, to redirect to HTTPS; W005
# and W021, to speak for every other name below the domain.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]

# Above the 1 MB that a job's body may have, so that the field's own message is what a user reads.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["badgerjobs.web.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["badgerjobs.web.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["badgerjobs.web.parsers.ObjectParser"],
    "DEFAULT_PAGINATION_CLASS": "badgerjobs.web.pagination.NewestFirst",
    "DEFAULT_THROTTLE_CLASSES": ["badgerjobs.web.throttling.WithinLimits"],
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would describe rows that a stranger must not know of
    "DEFAULT_SCHEMA_CLASS": "badgerjobs.web.schema.AutoSchema",
    "EXCEPTION_HANDLER": "badgerjobs.web.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Badger Jobs",
    "VERSION": "1",
    "DESCRIPTION": "Runs people's work at the right time and shows what happened.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,  # a list of values that repeats their names
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Fields of one name have other values; one of events goes by two names.
    "ENUM_NAME_OVERRIDES": {
        "EventType": "jobs.models.EventType",
        "ConnectionType": "jobs.models.ConnectionType",
        "SourceType": "badgerjobs.sources.models.SourceType",
        "VariableType": "badgerjobs.sources.typed.TYPES",
        "TaskType": "tasks.models.TaskType",
        "Selection": "tasks.models.Selection",
        "PatternSelection": "tasks.selection.PATTERN_CHOICES",
        "OverlapEnum": "badgerjobs.runs.models.Overlap",
        "AsyncJobOverlap": "slurps.serializers.OVERLAPS",
        "SyncState": "tasks.models.SyncState",
        "DeliveryState": "webhooks.querysets.STATES",
        "RunState": "badgerjobs.runs.models.State",
        "KeyState": "tasks.keys.states.KeyState",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "filters": {
        "unexpected": {"()": "badgerjobs.web.logs.UnexpectedOnly"},
        "loss": {"()": "badgerjobs.web.logs.LossInOneLine"},
        "refusal": {"()": "badgerjobs.web.logs.RefusalInOneLine"},
        "hooks": {"()": "badgerjobs.web.logs.NoHookAddress"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["loss", "refusal", "hooks"]}
    },
    "loggers": {"django.request": {"filters": ["unexpected"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
