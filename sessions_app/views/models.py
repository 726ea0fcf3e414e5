"""The page of model sets: what is loaded and what it can do, pulled, chosen and deleted without a shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_POST

from recognition.model_sets.measured import Figure
from sessions_app import model_catalogue, model_pulls, model_sets
from sessions_app.model_catalogue import Entry
from sessions_app.models import DefaultModels
from sessions_app.transport.current import get_transport
from speakers.models import Job
from speakers.permissions import needs, user_of

CHANGE = "sessions_app.change_defaultmodels"

ROLES = {
    "vad": gettext_lazy("finds speech"),
    "streaming": gettext_lazy("writes while people speak"),
    "offline": gettext_lazy("writes whole sentences"),
    "language_model": gettext_lazy("knows likely words"),
    "punctuation": gettext_lazy("sets punctuation"),
    "speaker": gettext_lazy("tells voices apart"),
    "segmentation": gettext_lazy("hears who speaks at once"),
}

FIGURES = {
    "cer_people": gettext_lazy("characters wrong, people reading Mandarin"),
    "cer_noise": gettext_lazy("the same in noise (10 dB)"),
    "cer_synthetic": gettext_lazy("characters wrong, synthetic voices"),
    "processor": gettext_lazy("of one core's time per meeting"),
}


@needs(CHANGE)
def model_list(request: HttpRequest) -> HttpResponse:
    """Show all model sets with what can be done with them."""
    pulls = model_pulls.latest()
    workers = async_to_sync(get_transport().workers)()
    rows = [_row(entry, pulls.get(entry.set.reference)) for entry in model_catalogue.entries()]
    return render(request, "models.html", {"rows": rows, "workers": workers})


@needs(CHANGE)
def progress(request: HttpRequest) -> JsonResponse:
    """Serve how far the pulls are; the page asks again and again."""
    return JsonResponse({subject: _told(job) for subject, job in model_pulls.latest().items()})


@require_POST
@needs(CHANGE)
def act(request: HttpRequest, name: str, action: str) -> HttpResponse:
    """Pull a set, stop that, make a set the default, or delete its files."""
    entry = model_catalogue.find(name)
    if entry is None or action not in ACTIONS:
        raise Http404(_("There is no such model set."))
    ACTIONS[action](request, entry)
    return redirect("models")


def _pull(request: HttpRequest, entry: Entry) -> None:
    model_pulls.ask_for(entry.set, by=user_of(request))


def _stop(request: HttpRequest, entry: Entry) -> None:
    model_pulls.stop(entry.set)


def _make_default(request: HttpRequest, entry: Entry) -> None:
    if not entry.is_served:
        messages.error(request, _("Only models that are in use can be the default."))
        return
    DefaultModels(name=entry.name).save()
    messages.success(request, _("New meetings are recognised by “%(title)s”.") % {"title": _title(entry)})


def _delete(request: HttpRequest, entry: Entry) -> None:
    if model_pulls.is_at_work(model_pulls.latest().get(entry.set.reference)):
        messages.error(request, _("They are being downloaded: stop that first."))
        return
    try:
        model_catalogue.delete(entry)
    except model_catalogue.ModelsInUse as error:
        messages.error(request, str(error))
        return
    messages.success(request, _("The files of “%(title)s” were deleted.") % {"title": _title(entry)})


ACTIONS: dict[str, Callable[[HttpRequest, Entry], None]] = {
    "pull": _pull,
    "stop": _stop,
    "default": _make_default,
    "delete": _delete,
}


def _row(entry: Entry, job: Job | None) -> dict[str, Any]:
    return {
        "entry": entry,
        "title": _title(entry),
        "description": _(entry.set.description) if entry.set.description else "",
        "parts": [(ROLES.get(part.role, part.role), part) for part in entry.parts],
        "languages": [model_sets.language_name(code) for code in entry.measured.languages],
        "figures": [_figure(each) for each in entry.measured.figures],
        "job": job,
        "is_at_work": model_pulls.is_at_work(job),
        "megabytes": entry.size / 1e6,
        "done_mb": job.steps_done / 1000 if job else 0,
        "total_mb": job.steps / 1000 if job else 0,
    }


def _title(entry: Entry) -> str:
    return _(entry.set.title)


def _figure(figure: Figure) -> tuple[Any, float, bool]:
    """Return label, share in per cent, and whether somebody else measured it."""
    return FIGURES[figure.kind], figure.share * 100, ".json" not in figure.source


def _told(job: Job) -> dict[str, Any]:
    return {"state": job.state, "done": job.steps_done, "total": job.steps}


DESCRIPTIONS = [
    gettext_noop("FunASR's large models for Mandarin with some English, from ModelScope."),
    gettext_noop(
        "Fun-ASR-Nano for Mandarin with its dialects, English and Japanese, "
        "by a language model, from ModelScope; for a GPU."
    ),
    gettext_noop(
        "SenseVoice for Mandarin, Cantonese, English, Japanese and Korean: "
        "emotions, laughter and music too, from ModelScope."
    ),
    gettext_noop(
        "Whisper base for Mandarin and English, and CAM++: "
        "permissively licensed weights that recognise people."
    ),
    gettext_noop(
        "Small models of the project's own making: they prove the installation. "
        "Speech of people takes another set."
    ),
]
"""Of the sets that come with the product, for `make translations`."""
