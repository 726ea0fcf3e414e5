"""Settings of a server that speaks a foreign dialect as well."""

from asrsite.settings import *  # noqa: F403
from sessions_app.wire.dialects import DIALECTS
from tests.support.foreign_dialect import PATH

DIALECTS[PATH] = "tests.support.foreign_dialect.Foreign"
