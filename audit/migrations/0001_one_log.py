from django.conf import settings
import django.db.models.deletion
from django.db import migrations, models

CHOICES = [('invite', 'made a link to record oneself'), ('consent', 'recorded a consent'), ('withdraw', 'withdrew a consent'), ('enroll', 'enrolled a voice'), ('play', 'listened to a voice'), ('export', 'exported everything'), ('forget', 'forgot a speaker'), ('forget-voiceprint', 'forgot a voiceprint'), ('expire', 'a consent expired'), ('merge', 'merged two speakers'), ('reembed', 'computed a voiceprint anew'), ('rotate-key', 'changed the key')]


def take_over(apps, schema_editor):
    """Let the log keep its permission, with all who have it, under its new name."""
    kinds = apps.get_model('contenttypes', 'ContentType').objects
    permissions = apps.get_model('auth', 'Permission').objects
    kinds.filter(app_label='speakers', model='auditentry').update(app_label='audit', model='entry')
    permissions.filter(content_type__app_label='audit', codename='view_auditentry').update(codename='view_entry')


def give_back(apps, schema_editor):
    kinds = apps.get_model('contenttypes', 'ContentType').objects
    permissions = apps.get_model('auth', 'Permission').objects
    permissions.filter(content_type__app_label='audit', codename='view_entry').update(codename='view_auditentry')
    kinds.filter(app_label='audit', model='entry').update(app_label='speakers', model='auditentry')


class Migration(migrations.Migration):
    """Speakers' log becomes everybody's. The table stays where it is: processes of the version before write to it."""

    initial = True

    dependencies = [
        ('contenttypes', '0002_remove_content_type_name'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('speakers', '0003_invitations'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='Entry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='when')),
                        ('actor_name', models.CharField(blank=True, max_length=150, verbose_name='who')),
                        ('action', models.CharField(choices=CHOICES, max_length=20, verbose_name='action')),
                        ('speaker', models.UUIDField(db_index=True, null=True, verbose_name='speaker')),
                        ('detail', models.JSONField(blank=True, default=dict, verbose_name='detail')),
                        ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                    ],
                    options={
                        'verbose_name': 'audit entry',
                        'verbose_name_plural': 'audit log',
                        'db_table': 'speakers_auditentry',
                        'ordering': ['-at', '-id'],
                        'default_permissions': ['view'],
                    },
                ),
            ],
        ),
        migrations.RunPython(take_over, give_back),
    ]
