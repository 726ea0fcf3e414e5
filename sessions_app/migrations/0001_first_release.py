"""All tables of the first release. The index of the search is not among them: `sessions_app.transcripts.search` makes it."""

import django.db.models.deletion
import simple_history.models
import speakers.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('sessions_app', '0001_initial'),
        ('sessions_app', '0002_session_permissions'),
        ('sessions_app', '0003_keep_for_good'),
        ('sessions_app', '0004_count_attempts'),
        ('sessions_app', '0005_count_failures'),
        ('sessions_app', '0006_names_in_the_admin'),
        ('sessions_app', '0007_find_what_people_changed'),
    ]

    initial = True

    dependencies = [
        ('speakers', '0001_first_release'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('role', models.CharField(choices=[('sender', 'sender'), ('receiver', 'receiver')], max_length=10, verbose_name='role')),
                ('session_key', models.CharField(blank=True, max_length=128, verbose_name='session id')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('is_revoked', models.BooleanField(default=False, verbose_name='revoked')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name='created by')),
            ],
            options={
                'verbose_name': 'access token',
                'verbose_name_plural': 'access tokens',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Session',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=128, unique=True, verbose_name='session id')),
                ('title', models.CharField(blank=True, max_length=200, verbose_name='title')),
                ('state', models.CharField(choices=[('live', 'live'), ('paused', 'waiting for its sender'), ('draining', 'finishing'), ('ended', 'ended')], default='live', max_length=10, verbose_name='state')),
                ('model_set', models.CharField(max_length=100, verbose_name='model set')),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='started')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('epoch', models.PositiveIntegerField(default=0, editable=False)),
                ('failures', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('durable', models.BigIntegerField(default=0, editable=False)),
                ('last_seq', models.PositiveIntegerField(default=0, editable=False)),
                ('last_revision', models.PositiveIntegerField(default=0, editable=False)),
                ('recording', models.FileField(blank=True, upload_to='recordings/', verbose_name='recording')),
                ('is_kept', models.BooleanField(default=False, help_text='Old sessions are deleted by rule; this one stays.', verbose_name='keep for good')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
                'ordering': ['-created_at'],
                'permissions': [('send_session', 'Can send audio'), ('export_session', 'Can export transcripts and recordings'), ('share_session', 'Can share sessions by link'), ('view_all_session', "Can see everybody's sessions")],
            },
        ),
        migrations.CreateModel(
            name='Voice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('number', models.PositiveIntegerField(blank=True, null=True, verbose_name='number')),
                ('is_named_by_person', models.BooleanField(default=False, verbose_name='named by a person')),
                ('model_id', models.CharField(blank=True, editable=False, max_length=100)),
                ('sealed_mean', speakers.fields.SealedField(null=True)),
                ('speech_s', models.FloatField(default=0.0, editable=False)),
                ('merged_into', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='sessions_app.voice')),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='voices', to='sessions_app.session', verbose_name='session')),
                ('speaker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='voices', to='speakers.speaker', verbose_name='speaker')),
            ],
            options={
                'verbose_name': 'voice',
                'verbose_name_plural': 'voices',
            },
        ),
        migrations.CreateModel(
            name='Utterance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seq', models.PositiveIntegerField(blank=True, editable=False, null=True, verbose_name='number')),
                ('start', models.BigIntegerField(verbose_name='start')),
                ('end', models.BigIntegerField(verbose_name='end')),
                ('text', models.TextField(verbose_name='text')),
                ('is_edited', models.BooleanField(default=False, verbose_name='edited by a person')),
                ('machine_text', models.TextField(blank=True, editable=False, verbose_name="machine's text")),
                ('tokens', models.JSONField(default=list, editable=False)),
                ('score', models.FloatField(blank=True, null=True, verbose_name='score')),
                ('is_voice_locked', models.BooleanField(default=False, verbose_name='speaker set by a person')),
                ('revision', models.PositiveIntegerField(default=0, editable=False)),
                ('is_removed', models.BooleanField(default=False, editable=False)),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='utterances', to='sessions_app.session', verbose_name='session')),
                ('voice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='utterances', to='sessions_app.voice', verbose_name='voice')),
            ],
            options={
                'verbose_name': 'utterance',
                'verbose_name_plural': 'utterances',
                'ordering': ['session', 'start', 'id'],
            },
        ),
        migrations.CreateModel(
            name='HistoricalUtterance',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('seq', models.PositiveIntegerField(blank=True, editable=False, null=True, verbose_name='number')),
                ('start', models.BigIntegerField(verbose_name='start')),
                ('end', models.BigIntegerField(verbose_name='end')),
                ('text', models.TextField(verbose_name='text')),
                ('is_edited', models.BooleanField(default=False, verbose_name='edited by a person')),
                ('score', models.FloatField(blank=True, null=True, verbose_name='score')),
                ('is_voice_locked', models.BooleanField(default=False, verbose_name='speaker set by a person')),
                ('revision', models.PositiveIntegerField(default=0, editable=False)),
                ('is_removed', models.BooleanField(default=False, editable=False)),
                ('history_id', models.AutoField(primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField(db_index=True)),
                ('history_change_reason', models.CharField(max_length=100, null=True)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('session', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='sessions_app.session', verbose_name='session')),
                ('voice', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='sessions_app.voice', verbose_name='voice')),
            ],
            options={
                'verbose_name': 'version of an utterance',
                'verbose_name_plural': 'versions of utterances',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddConstraint(
            model_name='voice',
            constraint=models.UniqueConstraint(fields=('session', 'number'), name='one_voice_per_number'),
        ),
        migrations.AddIndex(
            model_name='utterance',
            index=models.Index(fields=['session', 'start'], name='utterances_by_start'),
        ),
        migrations.AddIndex(
            model_name='utterance',
            index=models.Index(fields=['session', 'revision'], name='utterances_by_revision'),
        ),
        migrations.AddIndex(
            model_name='utterance',
            index=models.Index(condition=models.Q(('is_edited', True)), fields=['id'], name='utterances_edited'),
        ),
        migrations.AddIndex(
            model_name='utterance',
            index=models.Index(condition=models.Q(('is_voice_locked', True)), fields=['id'], name='utterances_voice_locked'),
        ),
        migrations.AddConstraint(
            model_name='utterance',
            constraint=models.UniqueConstraint(fields=('session', 'seq'), name='one_utterance_per_seq'),
        ),
        migrations.AddConstraint(
            model_name='utterance',
            constraint=models.CheckConstraint(condition=models.Q(('end__gte', models.F('start'))), name='utterance_ends_after_start'),
        ),
    ]
