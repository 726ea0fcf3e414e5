"""Forms to name a person, to enroll, to decide on a recording, and to merge."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from django import forms
from django.utils.translation import gettext_lazy as _

from .decoding import decode
from .exceptions import BadRecording
from .models import Speaker, Voiceprint

ACCEPTED = ".wav,.flac,.ogg,.mp3,.m4a,.mp4,.webm,audio/*"


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and note of somebody."""

    class Meta:
        model = Speaker
        fields = ("name", "note")
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "note": forms.Textarea(attrs={"rows": 2}),
        }


class EnrollForm(forms.Form):
    """A recording of somebody, and their consent if there is none yet.

    After `is_valid`, `audio` is the recording, float32, 16 kHz, shape (n,).
    """

    recording = forms.FileField(
        label=_("Recording"),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_("WAV, FLAC, MP3, M4A or WebM; ten seconds or more of this person alone."),
    )
    source = forms.ChoiceField(
        choices=Voiceprint.Source.choices, widget=forms.HiddenInput, initial=Voiceprint.Source.UPLOAD
    )
    has_agreed = forms.BooleanField(label=_("This person has read this text and agrees to it."))

    def __init__(self, *args: Any, needs_consent: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.audio: np.ndarray | None = None
        if not needs_consent:
            del self.fields["has_agreed"]

    def clean_source(self) -> str:
        # A recording that comes from outside cannot claim to be from a transcript.
        is_microphone = self.cleaned_data["source"] == Voiceprint.Source.MICROPHONE
        return Voiceprint.Source.MICROPHONE if is_microphone else Voiceprint.Source.UPLOAD

    def clean_recording(self) -> Any:
        file = self.cleaned_data["recording"]
        try:
            self.audio = decode(file.chunks())
        except BadRecording as error:
            raise forms.ValidationError(str(error)) from error
        return file


class DecideForm(forms.Form):
    """The decision to store a recording that was judged, though something may speak against it."""

    is_sure = forms.BooleanField(label=_("I have listened to it; store it anyway."))

    def __init__(self, *args: Any, is_doubtful: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_doubtful:
            del self.fields["is_sure"]


class MergeForm(forms.Form):
    """The choice of the entry that stays, of several for one person."""

    kept = forms.ModelChoiceField(
        queryset=Speaker.objects.none(), widget=forms.RadioSelect, empty_label=None, label=_("Keep")
    )

    def __init__(self, *args: Any, speakers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kept"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = speakers
