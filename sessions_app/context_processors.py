"""Context that all templates share."""

from django.http import HttpRequest

from . import model_sets as sets


def model_sets(request: HttpRequest) -> dict[str, object]:
    """Tell every page whether the small built-in models are alone at work, so that it warns."""
    return {"are_small_models_alone": sets.are_small_ones_alone()}
