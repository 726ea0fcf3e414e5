"""A passkey in a browser: made, asked for at the next login, shown. The device is Chromium's virtual one."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .browsing import Site

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser: pages")]

PASSWORD = "correct horse"
MAKE = f"""
from tests.sessions_app.meetings import make_user
user = make_user("carla", "editor")
user.set_password("{PASSWORD}")
user.save()
"""

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_device(context: BrowserContext) -> tuple[Page, Any]:
    """A page on a device that holds passkeys, and Chromium's own tools for it."""
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return page, tools


def log_in(page: Page) -> None:
    page.goto("/login/?next=/account/")
    page.get_by_label("Username").fill("carla")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def test_a_passkey_is_made_and_is_the_second_step_of_the_next_login(site: Site, browser: Browser) -> None:
    site.server.manage("shell", "--no-imports", "-c", MAKE)
    named = site.url.replace("127.0.0.1", "localhost")  # a passkey belongs to a name, never to a number
    with site.context(browser, None, base=named) as context:
        page, _ = with_device(context)
        log_in(page)
        page.get_by_role("link", name="Add a passkey").click()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("Name, to tell it from others").fill("Laptop")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        page.get_by_role("link", name="Done").click()
        expect(page.get_by_role("heading", name="Laptop")).to_be_visible()

        page.get_by_role("region", name="Login").get_by_role("button", name="Log out").click()
        log_in(page)
        expect(page.get_by_role("heading", name="Second step")).to_be_visible()
        page.get_by_role("button", name="Use a passkey").click()
        expect(page).to_have_url(f"{named}/account/")

    with site.context(browser, None, base=site.url) as context:
        page, _ = with_device(context)
        log_in(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_text("Passkeys need an address with a name")).to_be_visible()


def test_a_passkey_cannot_be_asked_for_before_the_page_can_ask(site: Site, browser: Browser) -> None:
    with site.context(browser, None, java_script_enabled=False) as context:
        page = context.new_page()
        log_in(page)
        expect(page.get_by_role("button", name="Use a passkey")).to_be_disabled()
        expect(page.get_by_role("button", name="Log in")).to_be_enabled()
