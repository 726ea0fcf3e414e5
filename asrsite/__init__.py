"""The Django project: settings, addresses, health and figures."""

PRODUCT_NAME = "Earshot"
"""The name that people read, in both languages; packages, settings and files keep theirs."""

__version__ = "0.1.0"
"""The only place where it stands: the package, `--version`, /metrics and /api/docs have it from here."""
