"""The errors of the audit log."""


class AuditError(Exception):
    """Base of them."""


class AppendOnlyError(AuditError):
    """An attempt to change or to delete what is on record."""

    def __init__(self) -> None:
        super().__init__("the audit log is only ever added to; what is old goes by `manage.py prune`")
