from django.db import migrations


class Migration(migrations.Migration):
    """The audit log is the application `audit`'s now, in the same table."""

    dependencies = [
        ('speakers', '0003_invitations'),
        ('audit', '0001_one_log'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name='AuditEntry')]),
    ]
