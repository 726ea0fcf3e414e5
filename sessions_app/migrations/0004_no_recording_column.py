"""Without the column of the recording's file, which nothing wrote: a recording lies under its session's number."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0003_teams")]

    operations = [migrations.RemoveField(model_name="session", name="recording")]
