// Small menus beside the thing they are about.

import { element } from "./dom.js";

const GAP_PX = 4;
const EDGE_PX = 8;

// Show a popover below `anchor`, or above where there is no room, within the window: also when it grows.
export function openPopover(popover, anchor) {
  if (!popover.isConnected) document.body.append(popover);
  popover.showPopover();
  const { top, bottom, left } = anchor.getBoundingClientRect();
  const below = bottom + GAP_PX;
  const isBelow = below + popover.offsetHeight < innerHeight - EDGE_PX;
  const place = () => {
    const lowest = innerHeight - EDGE_PX - popover.offsetHeight;
    const wanted = isBelow ? Math.min(below, lowest) : top - GAP_PX - popover.offsetHeight;
    const rightmost = innerWidth - EDGE_PX - popover.offsetWidth;
    popover.style.setProperty("top", `${Math.max(EDGE_PX, wanted)}px`);
    popover.style.setProperty("left", `${Math.min(Math.max(EDGE_PX, left), rightmost)}px`);
  };
  place();
  const size = new ResizeObserver(place);
  size.observe(popover);
  const closed = ({ newState }) => {
    if (newState !== "closed") return;
    size.disconnect();
    popover.removeEventListener("toggle", closed);
  };
  popover.addEventListener("toggle", closed);
}

// A menu of { label, action, isDangerous } entries.
export function openMenu(anchor, entries) {
  const close = () => menu.hidePopover();
  const menu = element(
    "div",
    { class: "menu", popover: "auto", role: "menu" },
    ...entries.filter(Boolean).map(({ label, action, isDangerous }) =>
      element(
        "button",
        {
          type: "button",
          role: "menuitem",
          class: isDangerous ? "is-dangerous" : undefined,
          onclick: () => {
            close();
            action();
          },
        },
        label,
      ),
    ),
  );
  menu.addEventListener("toggle", ({ newState }) => newState === "closed" && (menu.remove(), anchor.focus()));
  menu.addEventListener("keydown", (event) => moveInList(event, menu));
  openPopover(menu, anchor);
  menu.querySelector("button")?.focus();
}

// Arrow keys go through the buttons of a list.
export function moveInList(event, list) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.isComposing) return;
  const buttons = [...list.querySelectorAll("button:not([hidden])")];
  const at = buttons.indexOf(document.activeElement);
  const next = buttons[at < 0 ? (step > 0 ? 0 : buttons.length - 1) : (at + step + buttons.length) % buttons.length];
  next?.focus();
  event.preventDefault();
}
