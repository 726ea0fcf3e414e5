// A short word at the bottom of the page, with at most one thing to do about it.

import { element } from "./dom.js";

const SHOWN_MS = 7000;

let place;
let timer;

export function toast(text, { action, onAction, isError = false } = {}) {
  place ??= document.body.appendChild(element("div", { class: "toasts", role: "status" }));
  const button =
    action &&
    element("button", { type: "button", class: "quiet", onclick: () => (hide(), onAction()) }, action);
  place.replaceChildren(element("p", { class: isError ? "toast is-error" : "toast" }, element("span", {}, text), button));
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN_MS);
}

function hide() {
  place.replaceChildren();
}
