"""Django's settings, from the environment. docs/settings.md says what each variable means."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from picapweb import environment, pilosa_bind
from picapweb.databases import database
from picapweb.embedded import valkey
from picapweb.embedded.data import DataFolder
from picapweb.secret import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# Where things are

PICAPWEB_DATA = environment.path("PICAPWEB_DATA", BASE_DIR / "var")
_data = DataFolder(PICAPWEB_DATA)
CAPTURES_DIR = PICAPWEB_DATA / "captures"
INDEX_DIR = PICAPWEB_DATA / "index"
IMPORT_DIR = environment.path("PICAPWEB_IMPORT_DIR", PICAPWEB_DATA / "import")

# local: one person on this machine, no sign-in, loopback only. server: people sign in.
PICAPWEB_MODE = environment.text("PICAPWEB_MODE", "local", choices=("local", "server"))
LOCAL_MODE = PICAPWEB_MODE == "local"
PORT = environment.integer("PICAPWEB_PORT", 11000, least=1, most=65535)
BIND = environment.text("PICAPWEB_BIND", "127.0.0.1" if LOCAL_MODE else "0.0.0.0")
# Which parts `up` starts here: those that the environment gives no address for.
EMBEDDED_DATABASE = environment.raw("DATABASE_URL") is None
EMBEDDED_BROKER = environment.raw("BROKER_URL") is None

# Parts

DATABASES = {
    "default": database(
        environment.url("DATABASE_URL", "postgresql:", schemes=("postgresql", "postgres")),
        _data,
        pool=environment.integer("PICAPWEB_DATABASE_POOL", 0, least=0, most=1000),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BROKER_URL = environment.url("BROKER_URL", valkey.url(_data), schemes=("redis", "rediss", "redis+socket", "amqp", "amqps"))
INDEX_URL = environment.url("INDEX_URL", "embedded:", schemes=("embedded", "pilosa"))

# Work

WORKERS = environment.integer("PICAPWEB_WORKERS", len(os.sched_getaffinity(0)), least=1, most=1024)
LEASE_SECONDS = environment.seconds("PICAPWEB_LEASE_SECONDS", 30.0, least=1.0)
RING_SECONDS = environment.seconds("PICAPWEB_RING_SECONDS", 5.0, least=0.1)
BATCH_PACKETS = environment.integer("PICAPWEB_BATCH_PACKETS", 100000, least=1, most=1 << 20)
BATCH_SECONDS = environment.seconds("PICAPWEB_BATCH_SECONDS", 120.0, least=0.0)
BATCH_MEMORY = environment.size("PICAPWEB_BATCH_MEMORY", 2 * 1024**3, least=0)
CONVERSATIONS = environment.integer("PICAPWEB_CONVERSATIONS", 1 << 20, least=1, most=1 << 30)
PACKET_SECONDS = environment.seconds("PICAPWEB_PACKET_SECONDS", 5.0, least=0.1)
SHARE_JOBS = environment.boolean("PICAPWEB_SHARE_JOBS", False)
MAX_UPLOAD_BYTES = environment.size("PICAPWEB_MAX_UPLOAD_BYTES", 100 * 1024**3, least=1)
MAX_UPLOADS = environment.integer("PICAPWEB_MAX_UPLOADS", 32, least=0, most=10_000)
UPLOADS_A_MINUTE = environment.integer("PICAPWEB_UPLOADS_A_MINUTE", 0 if LOCAL_MODE else 600, least=0, most=1_000_000)
MAX_OPEN_JOBS = environment.integer("PICAPWEB_MAX_OPEN_JOBS", 10_000, least=0, most=10**9)
MAX_RATIO = environment.integer("PICAPWEB_MAX_RATIO", 1000, least=0, most=10**9)
MAX_CAPTURE_BYTES = environment.size("PICAPWEB_MAX_CAPTURE_BYTES", 1024**4, least=1)

# Retention. 0: for ever, and as much as there is room for.

RETENTION_AGE = environment.seconds("PICAPWEB_RETENTION_AGE", 0.0, least=0.0)
RETENTION_BYTES = environment.size("PICAPWEB_RETENTION_BYTES", 0, least=0)
RETENTION_TAKES = environment.text("PICAPWEB_RETENTION_TAKES", "all", choices=("all", "captures", "index"))

# Pilosa's API

IMPORT_MAX_BYTES = environment.size("PICAPWEB_IMPORT_MAX_BYTES", 256 * 1024**2, least=1)
PACKET_WRITES = environment.boolean("PICAPWEB_PACKET_WRITES", False)
QUERY_SECONDS = environment.seconds("PICAPWEB_QUERY_SECONDS", 30.0, least=0.001)
QUERY_MEMORY = environment.size("PICAPWEB_QUERY_MEMORY", 512 * 1024**2, least=1)

# Standing queries

WATCH_SECONDS = environment.seconds("PICAPWEB_WATCH_SECONDS", 1.0, least=0.1)
WEBHOOK_PRIVATE = environment.boolean("PICAPWEB_WEBHOOK_PRIVATE", LOCAL_MODE)
WEBHOOK_SECONDS = environment.seconds("PICAPWEB_WEBHOOK_SECONDS", 10.0, least=0.1)

# Live captures

LIVE_FILE_BYTES = environment.size("PICAPWEB_LIVE_FILE_BYTES", 1024**3, least=1024**2)
LIVE_GONE_SECONDS = environment.seconds("PICAPWEB_LIVE_GONE_SECONDS", 10.0, least=0.0)
MIN_FREE_BYTES = environment.size("PICAPWEB_MIN_FREE_BYTES", 1024**3, least=0)
RING_KEEP_INDEX = environment.boolean("PICAPWEB_RING_KEEP_INDEX", False)
LIVE_HOST = environment.text("PICAPWEB_LIVE_HOST", socket.gethostname())

# Celery: doorbells only. The orders are rows in Postgres, so nothing is kept, answered or acknowledged late.

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A web request that rings must not wait long for a broker that is away: the periodic ring makes up for it.
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 15, "max_retries": 1}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    # expires: after a pause of the workers, one ring is enough.
    "ring": {"task": "capture.tasks.ring", "schedule": RING_SECONDS, "options": {"expires": max(RING_SECONDS, 1.0)}},
    "watch": {"task": "proxy.tasks.watch", "schedule": WATCH_SECONDS, "options": {"expires": max(WATCH_SECONDS, 1.0)}},
}

# Django

DEBUG = environment.boolean("DEBUG", False)
SECRET_KEY = secret_key(PICAPWEB_DATA, local=LOCAL_MODE)
ALLOWED_HOSTS = environment.words("PICAPWEB_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]") if LOCAL_MODE else ())
# Of the web server at the second place to listen, which `up` starts (picapweb.pilosa_bind): it serves Pilosa's API alone.
PILOSA_ROLE = environment.text("PICAPWEB_PILOSA_ROLE", "viewer", choices=("viewer", "operator", "admin"))
PILOSA_ONLY = environment.boolean("PICAPWEB_PILOSA_ONLY", False)
if PILOSA_ONLY and (_place := pilosa_bind.parts_of(environment.text("PICAPWEB_PILOSA_BIND", ""))):
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, f"[{_place[0]}]" if ":" in _place[0] else _place[0]]
CSRF_TRUSTED_ORIGINS = environment.words("PICAPWEB_TRUSTED_ORIGINS")
ROOT_URLCONF = "picapweb.urls"
WSGI_APPLICATION = "picapweb.wsgi.application"
APPEND_SLASH = False
LOGIN_URL = "sign-in"
SIGN_IN_FAILURES = environment.integer("PICAPWEB_SIGN_IN_FAILURES", 5, least=1, most=1000)
SIGN_IN_SECONDS = environment.seconds("PICAPWEB_SIGN_IN_SECONDS", 900.0, least=1.0)
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"

INSTALLED_APPS = [
    "picapweb.apps.PicapwebConfig",
    "people",
    "indexing",
    "capture",
    "proxy",
    "retention",
    "backup",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
]

MIDDLEWARE = [
    "picapweb.middleware.request_id.RequestId",
    "picapweb.middleware.headers.SecurityHeaders",
    "picapweb.middleware.compressed.CompressedPages",
    "picapweb.middleware.origin.HostAndOrigin",
    "picapweb.middleware.away.PartAway",
    "picapweb.middleware.length.LengthRequired",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "picapweb.middleware.csrf.Csrf",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "picapweb.middleware.signed_in.SignedIn",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "picapweb.exceptions.Problems",
]

# Our csrf.Csrf is a subclass of Django's, which this check does not see.
SILENCED_SYSTEM_CHECKS = ["security.W003"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Messages ride in a cookie or session; no request of the proxy's hot path touches the database for them.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

AUTHENTICATION_BACKENDS = ["people.backend.People"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# Signing in with an OpenID Connect provider as well, where there is one. PKCE, nonce and RS256 are not up for choice.
OIDC_ISSUER = environment.text("PICAPWEB_OIDC_ISSUER", "")
OIDC_RP_CLIENT_ID = environment.text("PICAPWEB_OIDC_CLIENT_ID", "")
OIDC_RP_CLIENT_SECRET = environment.text("PICAPWEB_OIDC_CLIENT_SECRET", "")
OIDC_ROLE = environment.text("PICAPWEB_OIDC_ROLE", "viewer", choices=("viewer", "operator", "admin"))
OIDC_RP_SIGN_ALGO, OIDC_RP_SCOPES, OIDC_USE_PKCE, OIDC_TIMEOUT = "RS256", "openid profile email", True, 10
if OIDC_ISSUER:
    AUTHENTICATION_BACKENDS.append("people.oidc.backend.OpenID")

# Captures are large and Pilosa's imports are 5-14 MB. Nothing reads a body before its view; views check the size first.
DATA_UPLOAD_MAX_MEMORY_SIZE = None
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
FILE_UPLOAD_TEMP_DIR = None

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# Static files are served from where they lie (static/ and the apps' own): there is no collecting step.
STATIC_URL = "/static/"
STATICFILES_DIRS = [folder for folder in (BASE_DIR / "static",) if folder.is_dir()]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Who may talk to us. Behind TLS (server mode) cookies are for TLS only.

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
_tls = environment.boolean("PICAPWEB_TLS", not LOCAL_MODE) and not PILOSA_ONLY
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _tls
SECURE_SSL_REDIRECT = _tls
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = environment.integer("PICAPWEB_HSTS_SECONDS", 31_536_000 if _tls else 0, least=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if environment.boolean("PICAPWEB_BEHIND_PROXY", False) else None

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "picapweb.exceptions.handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "picapweb.docs.operations.Operations",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["picapweb.sessions.Session"],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.AllowAny" if LOCAL_MODE else "rest_framework.permissions.IsAuthenticated"
    ],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "picapweb",
    "DESCRIPTION": "Every packet of every capture as one column of a bitmap index.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "picapweb.docs.schema.complete"],
}

ACCESS_LOG = environment.boolean("PICAPWEB_ACCESS_LOG", not LOCAL_MODE)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"text": {"()": "picapweb.logs.Text"}, "json": {"()": "picapweb.logs.Json"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": environment.text("PICAPWEB_LOG_FORMAT", "text", choices=("text", "json")),
        }
    },
    "root": {
        "handlers": ["stderr"],
        "level": environment.text("PICAPWEB_LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR")),
    },
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # A 4xx is the client's business, and the answer says it; an operator's log need not.
        "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
        "celery": {"level": "WARNING"},
        # At DEBUG it says each step of compiling.
        "numba": {"level": "WARNING"},
    },
}
