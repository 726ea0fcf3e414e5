from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField, CreateModel
from django.db.models import NOT_PROVIDED, ManyToManyField

OURS = ("sessions_app", "speakers", "audit")


def added_fields() -> Iterator[tuple[str, AddField]]:
    """Every column that a migration adds to a table that was there before it."""
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if app not in OURS:
            continue
        new = {each.name.lower() for each in migration.operations if isinstance(each, CreateModel)}
        for operation in migration.operations:
            if isinstance(operation, AddField) and operation.model_name.lower() not in new:
                yield f"{app}.{name}", operation


@pytest.mark.parametrize(
    ("migration", "added"), [pytest.param(*each, id=f"{each[0]}-{each[1].name}") for each in added_fields()]
)
def test_processes_of_the_version_before_can_write_rows_without_an_added_column(
    migration: str, added: AddField
) -> None:
    field = added.field
    is_optional = field.null or field.db_default is not NOT_PROVIDED or isinstance(field, ManyToManyField)
    assert is_optional, f"{migration} adds {added.model_name}.{added.name}: give it db_default, or null=True"
