"""The wording that installations start with, in the languages of the pages."""

from django.db import migrations

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
    dependencies = [("speakers", "0002_enrollment")]
    operations = [migrations.RunPython(add_texts, migrations.RunPython.noop)]
