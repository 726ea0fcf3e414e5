"""Icons of the installed application, drawn by a browser: `python -m tests.browser.icons`."""

from __future__ import annotations

from playwright.sync_api import sync_playwright

from tests.support.server import ROOT

from .browsing import launch

FOLDER = ROOT / "static" / "img"
ICONS = {
    "icon-192.png": ("icon.svg", 192),
    "icon-512.png": ("icon.svg", 512),
    "icon-maskable-512.png": ("icon-maskable.svg", 512),
    "apple-touch-icon.png": ("icon-maskable.svg", 180),
}
"""Each file, what it is drawn from, and its width and height in pixels."""


def main() -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, (source, size) in ICONS.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            drawing = (FOLDER / source).read_text()
            page.set_content(f"<style>*{{margin:0}}svg{{display:block;width:{size}px}}</style>{drawing}")
            page.screenshot(path=FOLDER / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
