// Short notes at the bottom of the page, with a thing or two to do about them.

import { element } from "./dom.js";

const SHOWN_MS = 7000;
const MORE_TO_READ_MS = 14_000;

/** @typedef {{label: string, onAction: () => void}} ToastAction */

/** @type {HTMLElement | undefined} */
let place;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Show a note for some seconds, in the place of the one before.
 *
 * @param {string} text
 * @param {{action?: string, onAction?: () => void, more?: ToastAction | undefined, isError?: boolean}} [options]
 */
export function toast(text, { action, onAction = () => {}, more, isError = false } = {}) {
  place ??= element("div", { class: "toasts", role: "status" });
  const around = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (place.parentElement !== around) around.append(place); // what lies outside an open dialog cannot be reached
  const offered = [action ? { label: action, onAction } : undefined, more].filter((each) => each !== undefined);
  place.replaceChildren(
    element("p", { class: isError ? "toast is-error" : "toast" }, element("span", {}, text), ...offered.map(button)),
  );
  clearTimeout(timer);
  timer = setTimeout(hide, offered.length > 1 ? MORE_TO_READ_MS : SHOWN_MS);
}

/** @param {ToastAction} action */
function button({ label, onAction }) {
  const act = () => {
    hide();
    onAction();
  };
  return element("button", { type: "button", class: "quiet", onclick: act }, label);
}

function hide() {
  place?.replaceChildren();
}
