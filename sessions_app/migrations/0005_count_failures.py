from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('sessions_app', '0004_count_attempts'),
    ]

    operations = [
        migrations.RenameField('session', 'attempts', 'failures'),
    ]
