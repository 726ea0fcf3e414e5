// Small menus beside the thing they are about.

import { closest, element } from "./dom.js";

const GAP_PX = 4;
const EDGE_PX = 8;
const STEPS = new Map([
  ["ArrowDown", 1],
  ["ArrowUp", -1],
]);

/**
 * Show a popover below `anchor`, or above where there is no room, within the window: also when it grows.
 *
 * @param {HTMLElement} popover
 * @param {HTMLElement} anchor
 */
export function openPopover(popover, anchor) {
  // Within a landmark, for screen readers; and within the dialog, outside of which nothing can be reached.
  if (!popover.isConnected) (closest(anchor, "dialog, main") ?? document.body).append(popover);
  popover.showPopover();
  const place = placeBeside(popover, anchor.getBoundingClientRect());
  place();
  const size = new ResizeObserver(place);
  size.observe(popover);
  const closed = (/** @type {ToggleEvent} */ { newState }) => {
    if (newState !== "closed") return;
    size.disconnect();
    popover.removeEventListener("toggle", closed);
  };
  popover.addEventListener("toggle", closed);
}

/**
 * @param {HTMLElement} popover
 * @param {DOMRect} anchor
 */
function placeBeside(popover, { top, bottom, left }) {
  const below = bottom + GAP_PX;
  const isBelow = below + popover.offsetHeight < innerHeight - EDGE_PX;
  return () => {
    const lowest = innerHeight - EDGE_PX - popover.offsetHeight;
    const wanted = isBelow ? Math.min(below, lowest) : top - GAP_PX - popover.offsetHeight;
    const rightmost = innerWidth - EDGE_PX - popover.offsetWidth;
    popover.style.setProperty("top", `${Math.max(EDGE_PX, wanted)}px`);
    popover.style.setProperty("left", `${Math.min(Math.max(EDGE_PX, left), rightmost)}px`);
  };
}

/**
 * @typedef {object} MenuEntry
 * @property {string} label
 * @property {() => void} action
 * @property {boolean} [isDangerous]
 */

/**
 * Open a menu; entries that are false are left out.
 *
 * @param {HTMLElement} anchor
 * @param {(MenuEntry | false)[]} entries
 */
export function openMenu(anchor, entries) {
  const shown = entries.filter((entry) => entry !== false);
  const menu = element("div", { class: "menu", popover: "auto", role: "menu" }, ...shown.map(menuItem));
  menu.addEventListener("toggle", ({ newState }) => {
    if (newState !== "closed") return;
    menu.remove();
    anchor.focus();
  });
  menu.addEventListener("keydown", (event) => moveInList(event, menu));
  openPopover(menu, anchor);
  menu.querySelector("button")?.focus();
}

/** @param {MenuEntry} entry */
function menuItem({ label, action, isDangerous = false }) {
  const button = element("button", { type: "button", role: "menuitem", class: isDangerous && "is-dangerous" }, label);
  button.addEventListener("click", () => {
    closest(button, "[popover]")?.hidePopover();
    action();
  });
  return button;
}

/**
 * Go through the buttons of a list by arrow keys.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} list
 */
export function moveInList(event, list) {
  const step = STEPS.get(event.key);
  if (!step || event.isComposing) return;
  const buttons = [...list.querySelectorAll("button")].filter((button) => !button.hidden);
  const at = buttons.findIndex((button) => button === document.activeElement);
  const next = buttons[at < 0 ? (step > 0 ? 0 : buttons.length - 1) : (at + step + buttons.length) % buttons.length];
  next?.focus();
  event.preventDefault();
}
