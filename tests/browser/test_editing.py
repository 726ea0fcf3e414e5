"""Correcting a transcript in the browser, alone and together."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.sessions_app.meetings import LINES

from .browsing import Site, shown_lines

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser: pages")]


def open_session(page: Page, key: str) -> None:
    page.goto(f"/sessions/{key}/")
    expect(page.locator("#lines .line")).to_have_count(len(LINES))


def edit(page: Page, index: int) -> Locator:
    """Open this line's text field, by the keyboard."""
    page.locator("#lines .line").nth(index).focus()
    page.keyboard.press("Enter")
    field = page.locator(".text-field")
    expect(field).to_be_focused()
    return field


def hold_back_saving(page: Page) -> None:
    """Nothing that is written on this page reaches the server until `let_save`."""
    page.route("**/edits", lambda route: route.abort())


def let_save(page: Page) -> None:
    page.unroute("**/edits")


def compose(page: Page, text: str) -> None:
    """Begin to write with an input method, and press keys that belong to it."""
    devtools = page.context.new_cdp_session(page)
    end = len(text)
    devtools.send("Input.imeSetComposition", {"text": text, "selectionStart": end, "selectionEnd": end})
    for key in ("Backspace", "ArrowUp", "Escape", "Enter"):
        # 229 is what browsers say of a key that an input method has taken.
        press = {"key": key, "code": key, "windowsVirtualKeyCode": 229}
        devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **press})
        devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **press})


def commit(page: Page, text: str) -> None:
    """The input method writes this."""
    page.context.new_cdp_session(page).send("Input.insertText", {"text": text})


def authors(site: Site, text: str) -> set[str]:
    """Who wrote this version of a line."""
    query = (
        "SELECT username FROM sessions_app_historicalutterance h JOIN auth_user u ON u.id = h.history_user_id"
        " WHERE h.text = ?"
    )
    return {name for (name,) in site.rows(query, text)}


class TestTwoPeople:
    def test_on_the_same_line_are_shown_the_conflict_and_nothing_is_overwritten(
        self, site: Site, browser: Browser, page: Page
    ) -> None:
        with site.context(browser, "boris") as other:
            hers, his = page, other.new_page()
            for shown in (hers, his):
                open_session(shown, "conflict")
            hold_back_saving(hers)
            edit(hers, 1).fill("好的，没问题。")
            edit(his, 1).fill("好的，明白。")
            his.keyboard.press("Control+Enter")
            expect(his.locator("#lines .line .text").nth(1)).to_have_text("好的，明白。")

            conflict = hers.get_by_role("alert").filter(has_text="好的，明白。")
            expect(conflict).to_be_visible()
            expect(hers.locator(".text-field")).to_have_value("好的，没问题。")
            let_save(hers)
            hers.keyboard.press("Control+Enter")
            expect(conflict).to_be_visible()
            assert site.lines("conflict")[1] == "好的，明白。"

            conflict.get_by_role("button", name="Keep mine").click()
            expect(his.locator("#lines .line .text").nth(1)).to_have_text("好的，没问题。")
            assert site.lines("conflict")[1] == "好的，没问题。"
            assert authors(site, "好的，明白。") == {"boris"}
            assert authors(site, "好的，没问题。") == {"anna"}

    def test_one_may_take_what_the_other_wrote(self, site: Site, browser: Browser, page: Page) -> None:
        with site.context(browser, "boris") as other:
            hers, his = page, other.new_page()
            for shown in (hers, his):
                open_session(shown, "conflict")
            hold_back_saving(hers)
            edit(hers, 2).fill("预算批了吗？")
            edit(his, 2).fill("预算通过没有？")
            his.keyboard.press("Control+Enter")
            let_save(hers)
            hers.get_by_role("button", name="Use theirs").click()
            expect(hers.locator(".text-field")).to_have_value("预算通过没有？")
            hers.keyboard.press("Control+Enter")
            expect(hers.locator("#lines .line .text").nth(2)).to_have_text("预算通过没有？")
            assert site.lines("conflict")[2] == "预算通过没有？"

    def test_what_is_being_written_survives_the_removal_of_its_line(
        self, site: Site, browser: Browser, page: Page
    ) -> None:
        with site.context(browser, "boris") as other:
            hers, his = page, other.new_page()
            for shown in (hers, his):
                open_session(shown, "removal")
            hold_back_saving(hers)
            edit(hers, 1).fill("好的，这句很重要。")
            row = his.locator("#lines .line").nth(1)
            row.hover()
            row.get_by_role("button", name="More").click()
            his.get_by_role("menuitem", name="Remove this line").click()
            expect(his.locator("#lines .line")).to_have_count(len(LINES) - 1)
            removed = hers.get_by_role("alert").filter(has_text="removed this line")
            expect(removed).to_be_visible()
            expect(hers.locator(".text-field")).to_have_value("好的，这句很重要。")
            let_save(hers)
            removed.get_by_role("button", name="Keep mine").click()
            expect(his.locator("#lines .line .text").nth(1)).to_have_text("好的，这句很重要。")
            for shown in (hers, his):
                assert (
                    shown_lines(shown)
                    == site.lines("removal")
                    == [LINES[0], "好的，这句很重要。", *LINES[2:]]
                )


class TestWriting:
    def test_is_saved_by_itself_and_can_be_undone(self, site: Site, page: Page) -> None:
        open_session(page, "autosave")
        edit(page, 0).fill("大家好，开始吧。")
        expect(page.locator(".edit-status")).to_have_text("Saved")
        assert site.lines("autosave")[0] == "大家好，开始吧。"
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Z")
        expect(page.locator("#lines .line .text").first).to_have_text(LINES[0])
        assert site.lines("autosave") == LINES

    def test_written_in_pauses_it_is_undone_step_by_step(self, site: Site, page: Page) -> None:
        open_session(page, "autosave")
        first = page.locator("#lines .line .text").first
        for text in ("大家好，", "大家好，开始吧。"):
            edit(page, 0).fill(text)
            page.keyboard.press("Control+Enter")
            page.keyboard.press("Escape")
            expect(first).to_have_text(text)
        page.keyboard.press("Control+Z")
        expect(first).to_have_text("大家好，")
        page.keyboard.press("Control+Z")
        expect(first).to_have_text(LINES[0])
        assert site.lines("autosave") == LINES

    def test_every_version_is_kept_with_its_author_and_can_be_brought_back(
        self, site: Site, page: Page
    ) -> None:
        open_session(page, "versions")
        edit(page, 3).fill("没有通过。")
        page.keyboard.press("Control+Enter")
        row = page.locator("#lines .line").nth(3)
        expect(row.locator(".text")).to_have_text("没有通过。")
        row.hover()
        row.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Earlier versions").click()
        versions = page.get_by_role("dialog", name="Earlier versions").get_by_role("listitem")
        expect(versions).to_have_count(2)
        expect(versions.first).to_contain_text("anna")
        expect(versions.last).to_contain_text(LINES[3])
        versions.last.get_by_role("button", name="Restore this version").click()
        expect(row.locator(".text")).to_have_text(LINES[3])
        assert site.lines("versions") == LINES

    def test_a_line_that_was_removed_comes_back_after_a_reload(self, site: Site, page: Page) -> None:
        open_session(page, "autosave")
        row = page.locator("#lines .line").nth(1)
        row.hover()
        row.get_by_role("button", name="More").click()
        page.get_by_role("menuitem", name="Remove this line").click()
        expect(page.locator("#lines .line")).to_have_count(len(LINES) - 1)
        page.reload()
        expect(page.locator("#undo")).to_be_disabled()
        page.get_by_role("button", name="More", exact=True).first.click()
        page.get_by_role("menuitem", name="Removed lines").click()
        removed = page.get_by_role("dialog", name="Removed lines").get_by_role("listitem")
        expect(removed).to_contain_text([LINES[1]])
        expect(removed).to_contain_text(["removed by anna"])
        removed.get_by_role("button", name="Bring back").click()
        expect(page.locator("#lines .line.is-linked .text")).to_have_text(LINES[1])
        assert shown_lines(page) == site.lines("autosave") == LINES

    def test_enter_while_composing_belongs_to_the_input_method(self, site: Site, page: Page) -> None:
        open_session(page, "composing")
        field = edit(page, 0)
        field.evaluate("field => field.setSelectionRange(4, 4)")
        compose(page, "women")
        expect(field).to_be_focused()
        assert len(shown_lines(page)) == len(site.lines("composing")) == len(LINES)
        commit(page, "我们")
        expect(field).to_have_value("大家好，我们我们开始开会。")
        page.keyboard.press("Shift+Enter")
        expect(page.locator("#lines .line")).to_have_count(len(LINES) + 1)
        assert site.lines("composing")[:2] == ["大家好，我们", "我们开始开会。"]

    def test_enter_while_composing_a_name_chooses_nobody(self, site: Site, page: Page) -> None:
        open_session(page, "autosave")
        page.locator("#lines .line").first.focus()
        page.keyboard.press("s")
        name = page.get_by_role("textbox", name="Name")
        expect(name).to_be_focused()
        compose(page, "zhangsan")
        expect(page.locator(".speaker-menu")).to_be_visible()
        commit(page, "张三")
        expect(page.get_by_role("button", name="New: “张三”")).to_be_visible()
        assert not site.rows("SELECT 1 FROM speakers_speaker WHERE name = '张三'")

    def test_that_cannot_be_saved_stays_open_until_it_can(self, site: Site, page: Page) -> None:
        open_session(page, "unsaved")
        hold_back_saving(page)
        field = edit(page, 1)
        field.fill("好的，没问题。")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".edit-status")).to_have_text("The server cannot be reached.")
        expect(field).to_be_focused()
        expect(field).to_have_value("好的，没问题。")
        let_save(page)
        page.keyboard.press("ArrowDown")
        expect(page.locator("#lines .line .text").nth(1)).to_have_text("好的，没问题。")
        expect(field).to_have_value(LINES[2])
        assert site.lines("unsaved")[1] == "好的，没问题。"


class TestFinding:
    def test_lists_each_line_and_replaces_in_those_that_are_chosen(self, site: Site, page: Page) -> None:
        open_session(page, "replacing")
        page.keyboard.press("Slash")
        page.get_by_role("searchbox").fill("通过了")
        hits = page.locator("#find-list li")
        expect(hits).to_have_text([f"0:04{LINES[2]}", f"0:06{LINES[3]}"])
        expect(page.locator("#find-count")).to_have_text("2 matches")

        page.get_by_label("Replace with").fill("批了")
        expect(hits).to_have_text(["0:04预算通过了批了吗？", "0:06通过了批了。"])
        hits.first.get_by_role("checkbox").uncheck()
        page.get_by_role("button", name="Replace in 1 line").click()
        expect(hits).to_have_count(1)
        assert site.lines("replacing") == [*LINES[:3], "批了。"]
