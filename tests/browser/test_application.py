"""The pages as an installed application: without a network, and with what others share."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .browsing import PATIENCE_MS, wait_for

pytestmark = [pytest.mark.slow(4), pytest.mark.xdist_group("browser: pages")]

KEPT = """async () => {
    const names = await caches.keys();
    const kept = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return kept.flat().map(({url}) => new URL(url).pathname.replace(/\\/v-\\w+/, "")).sort();
}"""

SHARE = """() => {
    const form = Object.assign(document.createElement("form"), {
        method: "post", action: "/share", enctype: "multipart/form-data",
    });
    const field = Object.assign(document.createElement("input"), { type: "file", name: "file" });
    const files = new DataTransfer();
    files.items.add(new File(["x"], "meeting.m4a", { type: "audio/mp4" }));
    field.files = files.files;
    form.append(field);
    document.body.append(form);
    form.submit();
}"""


def test_says_when_the_server_is_away_keeps_nothing_private_and_takes_shared_files(page: Page) -> None:
    page.goto("/sessions/sample-meeting/")
    wait_for(page, "navigator.serviceWorker.controller !== null")
    page.reload()
    page.context.set_offline(True)
    page.goto("/sessions/sample-meeting/")
    expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
    assert page.evaluate(KEPT) == [
        "/offline/",
        "/static/css/base.css",
        "/static/css/tokens.css",
        "/static/img/icon.svg",
        "/static/js/lib/theme.js",
    ]
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page.locator("#lines .line").first).to_be_visible()

    page.evaluate(SHARE)
    page.wait_for_url("**/record/?source=shared", timeout=PATIENCE_MS)
    expect(page.get_by_role("radio", name="Audio file")).to_be_checked()
    assert page.locator("[name=file]").evaluate("field => field.files[0].name") == "meeting.m4a"
