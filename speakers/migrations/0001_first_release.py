"""All tables of the first release, and the wording of the consent that installations start with."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import simple_history.models
import speakers.fields
import uuid
from django.conf import settings
from django.db import migrations, models


ENGLISH = """\
I agree that this installation keeps recordings of my voice and a voiceprint computed from them, so that \
I am recognised by my voice and my name stands beside what I say in transcripts.

A voiceprint is biometric data. It is encrypted, stays on this installation, and is used for nothing else. \
I can withdraw this consent at any time: the recordings and the voiceprint are then deleted.
"""

CHINESE = """\
我同意本系统保存我的语音录音及由此计算出的声纹，用于通过声音识别我，并在会议记录中将我的姓名标注在我的发言旁。

声纹属于敏感个人信息。它经过加密，仅保存在本系统中，不用于其他任何目的。\
我可以随时撤回本同意：届时录音和声纹将被删除。
"""


def add_texts(apps, schema_editor):
    ConsentText = apps.get_model("speakers", "ConsentText")
    ConsentText.objects.create(text=ENGLISH, language="en")
    ConsentText.objects.create(text=CHINESE, language="zh-hans")


class Migration(migrations.Migration):

    replaces = [
        ('speakers', '0001_initial'),
        ('speakers', '0002_enrollment'),
        ('speakers', '0003_first_consent_texts'),
        ('speakers', '0004_withdrawn'),
        ('speakers', '0005_names_in_the_admin'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ConsentText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(verbose_name='text')),
                ('language', models.CharField(choices=[('en', 'English'), ('zh-hans', 'Simplified Chinese')], max_length=10, verbose_name='language')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='in force since')),
            ],
            options={
                'verbose_name': 'consent text',
                'verbose_name_plural': 'consent texts',
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='GalleryChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('speaker', models.BigIntegerField()),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                'default_permissions': [],
            },
        ),
        migrations.CreateModel(
            name='Speaker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
            options={
                'verbose_name': 'speaker',
                'verbose_name_plural': 'speakers',
                'ordering': ['name'],
                'permissions': [('enroll_speaker', 'Can enroll voices'), ('merge_speaker', 'Can merge speakers'), ('export_speaker', 'Can export all that is kept of a speaker')],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='when')),
                ('actor_name', models.CharField(blank=True, max_length=150, verbose_name='who')),
                ('action', models.CharField(choices=[('consent', 'recorded a consent'), ('withdraw', 'withdrew a consent'), ('enroll', 'enrolled a voice'), ('play', 'listened to a voice'), ('export', 'exported everything'), ('forget', 'forgot a speaker'), ('forget-voiceprint', 'forgot a voiceprint'), ('expire', 'a consent expired'), ('merge', 'merged two speakers'), ('reembed', 'computed a voiceprint anew'), ('rotate-key', 'changed the key')], max_length=20, verbose_name='action')),
                ('speaker', models.UUIDField(db_index=True, null=True, verbose_name='speaker')),
                ('detail', models.JSONField(blank=True, default=dict, verbose_name='detail')),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'audit entry',
                'verbose_name_plural': 'audit log',
                'ordering': ['-at', '-id'],
                'default_permissions': ['view'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalSpeaker',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('uuid', models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('created_at', models.DateTimeField(blank=True, editable=False, verbose_name='created')),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'version of a speaker',
                'verbose_name_plural': 'versions of speakers',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=50, verbose_name='kind')),
                ('subject', models.CharField(blank=True, max_length=100, verbose_name='subject')),
                ('state', models.CharField(choices=[('queued', 'waiting'), ('running', 'running'), ('done', 'done'), ('failed', 'failed')], db_index=True, default='queued', max_length=10, verbose_name='state')),
                ('steps_done', models.PositiveIntegerField(default=0, verbose_name='steps done')),
                ('steps', models.PositiveIntegerField(default=0, verbose_name='steps')),
                ('result', models.JSONField(blank=True, null=True, verbose_name='result')),
                ('error', models.TextField(blank=True, verbose_name='error')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('worker', models.CharField(blank=True, editable=False, max_length=100)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
            ],
            options={
                'verbose_name': 'background job',
                'verbose_name_plural': 'background jobs',
                'ordering': ['-created_at'],
                'default_permissions': ['view'],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('given_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='given')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('recorded_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name='recorded by')),
                ('text', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='speakers.consenttext', verbose_name='text')),
                ('speaker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='speakers.speaker', verbose_name='speaker')),
            ],
            options={
                'verbose_name': 'consent',
                'verbose_name_plural': 'consents',
                'ordering': ['-given_at'],
            },
        ),
        migrations.CreateModel(
            name='Voiceprint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('model_id', models.CharField(editable=False, max_length=100, verbose_name='model')),
                ('sealed_embedding', speakers.fields.SealedField()),
                ('audio', models.FileField(editable=False, storage=speakers.fields.encrypted_storage, upload_to='voiceprints/', verbose_name='recording')),
                ('speech_s', models.FloatField(editable=False, verbose_name='seconds of speech')),
                ('snr_db', models.FloatField(editable=False, null=True, verbose_name='signal-to-noise ratio (dB)')),
                ('source', models.CharField(choices=[('upload', 'uploaded'), ('microphone', 'recorded in the browser'), ('transcript', 'taken from a transcript')], editable=False, max_length=10, verbose_name='source')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('consent', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='voiceprints', to='speakers.consent', verbose_name='consent')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name='enrolled by')),
                ('speaker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='voiceprints', to='speakers.speaker', verbose_name='speaker')),
            ],
            options={
                'verbose_name': 'voiceprint',
                'verbose_name_plural': 'voiceprints',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Enrollment',
            fields=[
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('source', models.CharField(choices=[('upload', 'uploaded'), ('microphone', 'recorded in the browser'), ('transcript', 'taken from a transcript')], max_length=10, verbose_name='source')),
                ('audio', models.FileField(storage=speakers.fields.encrypted_storage, upload_to='enrollments/', verbose_name='recording')),
                ('model_id', models.CharField(blank=True, max_length=100, verbose_name='model')),
                ('sealed_embedding', speakers.fields.SealedField(null=True)),
                ('verdict', models.JSONField(null=True, verbose_name='verdict')),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='created')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('speaker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='enrollments', to='speakers.speaker', verbose_name='speaker')),
                ('consent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='speakers.consent', verbose_name='consent')),
            ],
            options={
                'verbose_name': 'enrollment',
                'verbose_name_plural': 'enrollments',
                'ordering': ['-created_at'],
                'default_permissions': [],
            },
        ),
        migrations.CreateModel(
            name='Calibration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model_id', models.CharField(max_length=100, unique=True, verbose_name='model')),
                ('threshold', models.FloatField(help_text='Least score, between 0.5 and 1, at which a voice gets a name.', validators=[django.core.validators.MinValueValidator(0.5), django.core.validators.MaxValueValidator(0.9999)], verbose_name='threshold')),
                ('margin', models.FloatField(help_text='Least lead over the second most similar speaker, in log-odds.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(20.0)], verbose_name='margin')),
                ('shortest_speech_s', models.FloatField(help_text='Less speech than this names nobody.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(60.0)], verbose_name='shortest speech (s)')),
                ('measured', models.JSONField(default=dict, editable=False, verbose_name='measured')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('sealed_scoring', speakers.fields.SealedField(null=True)),
            ],
            options={
                'verbose_name': 'calibration',
                'verbose_name_plural': 'calibrations',
            },
        ),
        migrations.RunPython(add_texts, migrations.RunPython.noop),
    ]
