"""Context that all templates share: the product's name."""

from django.http import HttpRequest

from . import PRODUCT_NAME


def product(request: HttpRequest) -> dict[str, str]:
    """Tell every page the name of the product."""
    return {"product_name": PRODUCT_NAME}
