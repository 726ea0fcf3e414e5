"""Context that all templates share."""

from django.conf import settings
from django.http import HttpRequest


def model_set(request: HttpRequest) -> dict[str, object]:
    """Tell every page which models are at work, so that it warns while they are the small built-in ones."""
    return {"model_set": settings.MODEL_SET, "is_model_set_embedded": settings.MODEL_SET == "embedded"}
