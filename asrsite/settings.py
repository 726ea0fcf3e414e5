"""Settings. The only module that reads the environment; docs/settings.md lists what it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from sessions_app.transport.connecting import layer_host

from . import PRODUCT_NAME, __version__
from . import environment as env
from .own_addresses import network_hosts, own_addresses

VERSION = __version__
PACKAGE = Path(__file__).resolve().parent
IS_INSTALLED = (PACKAGE / "templates").is_dir()  # a checkout has them beside it: see setup.py
RESOURCES = PACKAGE if IS_INSTALLED else PACKAGE.parent
USUAL_DATA_DIR = env.user_data() / "asrsite" if IS_INSTALLED else RESOURCES / "var"
env.hide_new_files()
DATA_DIR = Path(env.text("ASR_DATA_DIR", str(USUAL_DATA_DIR))).resolve()
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"ASR_DATA_DIR={str(DATA_DIR)!r} cannot be made: {error.strerror}.") from error

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]

# Django

SECRET_KEY = env.secret("SECRET_KEY", DATA_DIR / "secret_key")
DEBUG = env.boolean("DEBUG", False)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, least=1)
NETWORK_HOSTS = network_hosts(HOST, own_addresses())
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", [*LOOPBACK, *NETWORK_HOSTS])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "simple_history",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "asrsite",
    "sessions_app",
    "speakers",
    "audit",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "asrsite.security.StrictRequestMiddleware",
    "asrsite.compression.TextCompressionMiddleware",
    "asrsite.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "asrsite.time_zone.ReaderTimeZoneMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "audit.origin.OriginMiddleware",
    "sessions_app.access.logins.RememberedLogins",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "asrsite.security.ContentSecurityPolicyMiddleware",
    "asrsite.errors.RefusedAttempts",
]

ROOT_URLCONF = "asrsite.urls"
ASGI_APPLICATION = "asrsite.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [RESOURCES / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "asrsite.context_processors.product",
                "sessions_app.context_processors.model_sets",
                "sessions_app.context_processors.recording",
            ],
        },
    },
]

# Data

# IMMEDIATE and WAL: with Django's defaults two writers deadlock within seconds, with these none does.
SQLITE_OPTIONS = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
}

# A machine that is gone says nothing: after 11 s its connections are given up.
POSTGRES_OPTIONS = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}
# Of several hosts the one that takes changes; a standby begins to when it is promoted.
ONE_OF_SEVERAL = {"target_session_attrs": "read-write", "connect_timeout": 3}


def _database() -> dict[str, Any]:
    url = env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'asrsite.sqlite3'}")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, KeyError, environ.ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"DATABASE_URL is not a database's address: {error}.") from error
    if config.get("ENGINE") == "django.db.backends.sqlite3":
        # Tests want a file as well: in memory, a second connection is locked out instead of waiting its turn.
        return config | {
            "CONN_MAX_AGE": 60,
            "OPTIONS": SQLITE_OPTIONS,
            "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
        }
    if config.get("ENGINE") == "django.db.backends.postgresql":
        options = POSTGRES_OPTIONS | (ONE_OF_SEVERAL if "," in config["HOST"] else {})
        options |= config.get("OPTIONS", {})
        return config | {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 60, "OPTIONS": options}
    raise ImproperlyConfigured("DATABASE_URL: use sqlite:///FILE or postgres://USER:PASSWORD@HOST/NAME.")


DATABASES = {"default": _database()}

REDIS_URL = env.redis("REDIS_URL")
CELL = env.text("ASR_CELL", "home")  # of the workers of `manage.py recognize`

CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py's own time-out is five seconds: shorter than what Redis may take when it starts.
        "CONFIG": {"hosts": [layer_host(REDIS_URL, socket_timeout=30)]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 2000}}
}

IN_PROCESS = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": [REDIS_URL],  # a text would be taken apart at its commas
        "KEY_PREFIX": "asrsite",
        "OPTIONS": {
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
            "pool_class": "sessions_app.transport.connecting.CachePool",
        },
    }
    if REDIS_URL
    else IN_PROCESS,
    "process": IN_PROCESS | {"LOCATION": "process"},
}

MEDIA_ROOT = DATA_DIR / "media"
ENCRYPT_RECORDINGS = env.boolean("ASR_ENCRYPT_RECORDINGS", False)
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750

# Static files

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns where there is none
STATICFILES_DIRS = [RESOURCES / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "asrsite.static_files.VersionedStaticFilesStorage"},
}
if _recordings := env.recordings_storage("ASR_RECORDINGS_URL"):
    STORAGES["recordings"] = _recordings
WHITENOISE_USE_FINDERS = True  # no collectstatic step on a laptop

# Language and time

LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", ["en", "zh-hans"])
FORMAT_MODULE_PATH = "asrsite.formats"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [RESOURCES / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "Asia/Shanghai")
USE_TZ = True

# Security. Plain HTTP is right on loopback and nowhere else; over a network a TLS proxy stands in front.

ON_LOOPBACK_ONLY = set(ALLOWED_HOSTS) <= set(LOOPBACK)
HTTPS = env.boolean("ASR_HTTPS", False)
CSRF_FAILURE_VIEW = "asrsite.errors.not_from_our_page"
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS", [])
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
X_FRAME_OPTIONS = "DENY"
if ON_LOOPBACK_ONLY and not HTTPS:
    # No packet leaves the machine: there is nothing for TLS to protect.
    SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]

# Their word counts for the address that a client comes from.
PROXIES = env.networks("ASR_PROXIES", ["127.0.0.0/8", "::1/128"])

AUTHENTICATION_BACKENDS = ["sessions_app.access.passwords.Passwords"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
# Logins by the company's identity provider; allauth's other ways of making accounts and sending mail are off.

PAPER_LOGO = env.text("ASR_PAPER_LOGO", "")

OIDC_ISSUER = env.issuer("ASR_OIDC_ISSUER")
OIDC_NAME = env.text("ASR_OIDC_NAME", "OpenID Connect")
OIDC_GROUPS_CLAIM = env.text("ASR_OIDC_GROUPS_CLAIM", "groups")
OIDC_ROLES = env.pairs("ASR_OIDC_ROLES")
OIDC_NEW_ACCOUNTS = env.boolean("ASR_OIDC_NEW_ACCOUNTS", True)
OIDC_LOGIN_HOURS = env.number("ASR_OIDC_LOGIN_HOURS", 12, least=0.1)
OIDC_SCOPES = env.names("ASR_OIDC_SCOPES", ["openid", "profile", "email"])


def single_sign_on(issuer: str, client_id: str, secret: str) -> dict[str, Any]:
    """Return the provider as allauth's settings have it; it is "company" in addresses and in the database."""
    app = {"provider_id": "company", "name": OIDC_NAME, "client_id": client_id, "secret": secret}
    provider = {"APPS": [app | {"settings": {"server_url": issuer}}], "SCOPE": OIDC_SCOPES}
    return {"openid_connect": provider | {"OAUTH_PKCE_ENABLED": True}} if issuer else {}


SOCIALACCOUNT_PROVIDERS = single_sign_on(
    OIDC_ISSUER, env.text("ASR_OIDC_CLIENT_ID", ""), env.text("ASR_OIDC_CLIENT_SECRET", "")
)
ACCOUNT_ADAPTER = "sessions_app.access.single_sign_on.Accounts"
SOCIALACCOUNT_ADAPTER = "sessions_app.access.single_sign_on.CompanyLogins"
ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_UNIQUE_EMAIL = False  # whose an address is, only the provider knows: accounts are never joined by it
SOCIALACCOUNT_LOGIN_ON_GET = True  # browsers let no form of ours end at another site

# Second factors of logins by password; recovery codes are of 8 digits.

SECOND_FACTOR_FOR = env.names("ASR_SECOND_FACTOR_FOR", [])
MFA_ADAPTER = "sessions_app.access.second_factor.SecondFactors"
MFA_FORMS = {
    "authenticate_webauthn": "sessions_app.access.passkey_forms.ShowPasskey",
    "add_webauthn": "sessions_app.access.passkey_forms.AddPasskey",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = PRODUCT_NAME
MFA_TOTP_TOLERANCE = 1  # telephones go wrong by some seconds, and people type slowly
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses mean nothing here
ACCOUNT_REAUTHENTICATION_METHODS = ["password"]  # before a second factor is added or removed

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "session-list"
LOGOUT_REDIRECT_URL = "session-list"

# Recognition

MODEL_SETS = env.names("ASR_MODELS", ["auto"])
DEMO = env.boolean("DEMO", True)
MODELS_DIR = DATA_DIR / "models"
CAPACITY = env.integer("ASR_CAPACITY", 0, least=0)  # 0: measured when the models are loaded
END_SILENCE_MS = env.integer("ASR_END_SILENCE_MS", 0, least=50, most=10_000)  # 0: as the model set says
SCRIPT = env.choice("ASR_SCRIPT", "simplified", ["simplified", "traditional"])  # unless a sender asks
DEVICE = env.choice("ASR_DEVICE", "auto", ["auto", "cpu", "cuda"])
COMPUTE_TYPE = env.choice("ASR_COMPUTE_TYPE", "auto", ["auto", "float32", "bfloat16", "float16", "int8"])
ACCESS = env.choice("ASR_ACCESS", "local", ["local", "token", "open"])
SPOKEN_DIALECTS = env.subset("ASR_DIALECTS", ["funasr", "openai", "deepgram", "dashscope"])  # besides our own
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
MAX_SESSION_S = env.number("ASR_MAX_SESSION_S", 12 * 3600, least=1)
SENDER_IDLE_S = env.number("ASR_SENDER_IDLE_S", 60, least=1)
SENDER_RETURN_S = env.number("ASR_SENDER_RETURN_S", 30)
SENDER_RESUME_S = env.number("ASR_SENDER_RESUME_S", 600)
# Of one account; 0: no limit.
QUOTA_SOCKETS = env.integer("ASR_QUOTA_SOCKETS", 100)
QUOTA_SESSIONS = env.integer("ASR_QUOTA_SESSIONS", 0)
QUOTA_MINUTES = env.number("ASR_QUOTA_MINUTES", 0)
QUOTA_STORAGE_MB = env.number("ASR_QUOTA_STORAGE_MB", 0)
MAX_UPLOAD_MB = env.integer("ASR_MAX_UPLOAD_MB", 4096, least=1)
UPLOADS_AT_ONCE = env.integer("ASR_UPLOADS_AT_ONCE", 2)  # in each worker
SLOW_READER_S = env.number("ASR_SLOW_READER_S", 10)

# Retention, applied by `manage.py prune`; 0 keeps for ever. The workers empty the trash.

KEEP_SESSIONS_DAYS = env.number("ASR_KEEP_SESSIONS_DAYS", 0)
KEEP_RECORDINGS_DAYS = env.number("ASR_KEEP_RECORDINGS_DAYS", 0)
KEEP_AUDIT_DAYS = env.number("ASR_KEEP_AUDIT_DAYS", 0)
TRASH_DAYS = env.number("ASR_TRASH_DAYS", 30)
WEBHOOK_NETWORKS = env.networks("ASR_WEBHOOK_NETWORKS", [])

# Minutes by a language model: off unless there is a server; any that speaks OpenAI's protocol.

LLM_URL = env.text("LLM_URL", "")
LLM_MODEL = env.text("LLM_MODEL", "")
LLM_KEY = env.text("LLM_KEY", "")
LLM_EXTERNAL = env.boolean("LLM_EXTERNAL", False)
LLM_CONTEXT_TOKENS = env.integer("LLM_CONTEXT_TOKENS", 8_000, least=2_500)
LLM_TOKENS_PER_DAY = env.integer("LLM_TOKENS_PER_DAY", 1_000_000)
if LLM_URL and not LLM_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured(f"LLM_URL={LLM_URL!r} is not understood: use http://HOST:PORT/v1.")
if LLM_URL and not LLM_MODEL:
    raise ImproperlyConfigured("LLM_URL needs LLM_MODEL: the name of the model as its server has it.")

# E-mail: off unless there is a server for it.

_mail_server = env.mail_server("EMAIL_URL")
EMAIL_HOST = _mail_server.host
EMAIL_PORT = _mail_server.port
EMAIL_HOST_USER = _mail_server.user
EMAIL_HOST_PASSWORD = _mail_server.password
EMAIL_USE_TLS = _mail_server.has_starttls
EMAIL_USE_SSL = _mail_server.has_tls
EMAIL_TIMEOUT = 10  # a person waits
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "")
if EMAIL_HOST and "@" not in DEFAULT_FROM_EMAIL:
    raise ImproperlyConfigured("EMAIL_URL needs DEFAULT_FROM_EMAIL: the address that e-mails come from.")

# Voices. The key file is made on first use; in production the keys are better kept elsewhere.

VOICEPRINT_KEYS = env.keys("VOICEPRINT_KEYS")
VOICEPRINT_KEY_FILE = DATA_DIR / "voiceprint_keys"
CONSENT_DAYS = env.integer("CONSENT_DAYS", 730)  # 0: a consent never expires

# Logging: ids and figures, never what somebody said.

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    # Who asks /readyz until it says yes must not fill the log; what is missing is logged where it is noticed.
    "filters": {
        "no_503": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) != 503,
        },
        "outages_in_a_line": {"()": "asrsite.logs.OutagesInALine"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_503"]},
    },
    "root": {"handlers": ["stderr"], "level": env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING"])},
    "loggers": {
        "daphne": {"level": "WARNING"},
        "twisted": {"level": "WARNING"},
        "channels_redis.pubsub": {"filters": ["outages_in_a_line"]},
    },
}
