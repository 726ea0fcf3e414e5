"""A correction that is to hold from now on, from the line to the list of rules; what rules have changed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from .browsing import Site
from .test_editing import edit, open_session

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser: pages")]

MARKED = "[...(CSS.highlights.get('rewritten') ?? [])].map((range) => range.toString())"


def menu_of(page: Page, row: Locator) -> None:
    row.hover()
    row.get_by_role("button", name="More").click()


def test_a_correction_becomes_a_rule_that_is_listed_and_deleted(site: Site, page: Page) -> None:
    open_session(page, "always")
    edit(page, 0).fill("大家好，我们开始例会。")
    page.keyboard.press("Control+Enter")
    offer = page.get_by_role("status").filter(has_text="“开会” was corrected: “例会”")
    offer.get_by_role("button", name="Always write it so").click()
    dialog = page.get_by_role("dialog", name="Always write it so")
    expect(dialog.get_by_label("Heard")).to_have_value("开会")
    expect(dialog.get_by_label("Write instead")).to_have_value("例会")
    expect(dialog.get_by_text("also in")).to_be_hidden()
    dialog.get_by_label("Heard").fill("通过了")
    expect(dialog.get_by_text("also in 2 lines of this meeting")).to_be_visible()
    dialog.get_by_label("Write instead").fill("批了")
    dialog.get_by_label("in every meeting").check()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#lines .line .text").nth(3)).to_have_text("批了。")
    assert site.rows('SELECT wrong, "right", session_id FROM sessions_app_writingrule') == [
        ("通过了", "批了", None)
    ]

    page.goto("/account/")
    page.get_by_role("link", name="Writing rules").click()
    rule = page.get_by_role("listitem").filter(has_text="通过了")
    expect(rule).to_contain_text("in every meeting")
    rule.get_by_role("button", name="Delete the rule 通过了 → 批了").click()
    expect(page.get_by_text("There are no rules yet.")).to_be_visible()


def test_what_a_rule_has_changed_is_marked_and_can_be_taken_back(site: Site, page: Page) -> None:
    page.goto("/sessions/rewritten/")
    row = page.locator("#lines .line").first
    text = row.locator(".text")
    expect(text).to_have_attribute("title", "Heard: 汪磊, 百分之八十")
    assert page.evaluate(MARKED) == ["王磊"]
    menu_of(page, row)
    page.get_by_role("menuitem", name="Write as heard: 汪磊").click()
    expect(text).to_have_text("汪磊完成了80%。")
    page.get_by_role("button", name="Undo").last.click()
    expect(text).to_have_text("王磊完成了80%。")
    assert page.evaluate(MARKED) == ["王磊"]
    menu_of(page, row)
    page.get_by_role("menuitem", name="Write numbers as heard").click()
    expect(text).to_have_text("王磊完成了百分之八十。")
    assert site.lines("rewritten") == ["王磊完成了百分之八十。"]
