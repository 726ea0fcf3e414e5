"""Words that people read: "meeting" and "microphone". No table changes; permissions get their new names."""

import django.db.models.deletion
from django.db import migrations, models

OLD_NAMES = {
    "send_session": "Can send audio",
    "share_session": "Can share sessions by link",
    "view_all_session": "Can see everybody's sessions",
    "comment_session": "Can comment on sessions",
}
NEW_NAMES = {
    "send_session": "Can record meetings",
    "share_session": "Can share meetings by link",
    "view_all_session": "Can see everyone's meetings",
    "comment_session": "Can comment on meetings",
}


def rename_permissions(names):
    def rename(apps, schema_editor):
        permissions = apps.get_model("auth", "Permission").objects
        for codename, name in names.items():
            permissions.filter(content_type__app_label="sessions_app", codename=codename).update(name=name)

    return rename


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('sessions_app', '0005_notes'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='session',
            options={'ordering': ['-created_at'], 'permissions': [('send_session', 'Can record meetings'), ('export_session', 'Can export transcripts and recordings'), ('comment_session', 'Can comment on meetings'), ('share_session', 'Can share meetings by link'), ('view_all_session', "Can see everyone's meetings")], 'verbose_name': 'meeting', 'verbose_name_plural': 'meetings'},
        ),
        migrations.AlterField(
            model_name='accesstoken',
            name='role',
            field=models.CharField(choices=[('sender', 'microphone'), ('receiver', 'reader')], max_length=10, verbose_name='role'),
        ),
        migrations.AlterField(
            model_name='accesstoken',
            name='session_key',
            field=models.CharField(blank=True, max_length=128, verbose_name='meeting ID'),
        ),
        migrations.AlterField(
            model_name='defaultmodels',
            name='name',
            field=models.CharField(help_text='Recognises new meetings for which no models were chosen. If nothing is set here, the first of ASR_MODELS does.', max_length=100, verbose_name='model set'),
        ),
        migrations.AlterField(
            model_name='historicalutterance',
            name='session',
            field=models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='sessions_app.session', verbose_name='meeting'),
        ),
        migrations.AlterField(
            model_name='session',
            name='is_kept',
            field=models.BooleanField(default=False, help_text='Old meetings are deleted automatically; this one stays.', verbose_name='keep for good'),
        ),
        migrations.AlterField(
            model_name='session',
            name='key',
            field=models.CharField(max_length=128, unique=True, verbose_name='meeting ID'),
        ),
        migrations.AlterField(
            model_name='session',
            name='state',
            field=models.CharField(choices=[('live', 'live'), ('paused', 'waiting for the microphone'), ('draining', 'finishing'), ('ended', 'ended')], default='live', max_length=10, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='utterance',
            name='session',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='utterances', to='sessions_app.session', verbose_name='meeting'),
        ),
        migrations.AlterField(
            model_name='voice',
            name='session',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='voices', to='sessions_app.session', verbose_name='meeting'),
        ),
        migrations.RunPython(rename_permissions(NEW_NAMES), rename_permissions(OLD_NAMES)),
    ]
