"""The Django project: settings, addresses, health and figures."""

__version__ = "0.1.0"
"""The only place where it stands: the package, `--version`, /metrics and /api/docs have it from here."""
