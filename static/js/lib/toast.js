// Short notes at the bottom of the page, each with at most one thing to do about it.

import { element } from "./dom.js";

const SHOWN_MS = 7000;

/** @type {HTMLElement | undefined} */
let place;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Show a note for some seconds, in the place of the one before.
 *
 * @param {string} text
 * @param {{action?: string, onAction?: () => void, isError?: boolean}} [options]
 */
export function toast(text, { action, onAction, isError = false } = {}) {
  place ??= element("div", { class: "toasts", role: "status" });
  const around = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (place.parentElement !== around) around.append(place); // what lies outside an open dialog cannot be reached
  const act = () => {
    hide();
    onAction?.();
  };
  const button = action && element("button", { type: "button", class: "quiet", onclick: act }, action);
  place.replaceChildren(
    element("p", { class: isError ? "toast is-error" : "toast" }, element("span", {}, text), button || null),
  );
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN_MS);
}

function hide() {
  place?.replaceChildren();
}
