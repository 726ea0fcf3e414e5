"""Context that all templates share."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import model_sets as sets
from .access import permissions
from .access.decision import Right


def model_sets(request: HttpRequest) -> dict[str, object]:
    """Tell every page whether the small built-in models are alone at work, so that it warns."""
    return {"are_small_models_alone": sets.are_small_ones_alone()}


def recording(request: HttpRequest) -> dict[str, object]:
    """Tell every page whether to lead to a new recording: not those who are known and may not."""
    return {
        "may_try_to_record": SimpleLazyObject(lambda: _may_try_to_record(request)),
        "has_no_role": SimpleLazyObject(lambda: _has_no_role(request)),
    }


def _has_no_role(request: HttpRequest) -> bool:
    """Tell whether somebody who is known may do nothing here, unless others share something with them."""
    return request.user.is_authenticated and not permissions.rights(request, None)


def _may_try_to_record(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)  # a request that was refused at the door has none
    return user is None or not user.is_authenticated or Right.SEND in permissions.rights(request, None)
