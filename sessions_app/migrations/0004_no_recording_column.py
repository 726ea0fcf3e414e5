"""Without the column of the recording's file, which nothing wrote: a recording lies under its session's number.

The database keeps it, empty, for processes of the version before.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0003_teams")]

    operations = [
        migrations.AlterField(
            "session",
            "recording",
            models.FileField("recording", upload_to="recordings/", blank=True, db_default=""),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("session", "recording")]
        ),
    ]
