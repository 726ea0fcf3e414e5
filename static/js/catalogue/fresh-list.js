// The list of meetings, fetched anew: the place, the selection and the focus of the reader stay.

import { getHtml } from "../lib/api.js";
import { byId } from "../lib/dom.js";

/**
 * Read the list again, and put it in the place of what is shown.
 *
 * @param {() => void} onShown called when it is there
 */
export async function refreshList(onShown) {
  const page = await fetchPage();
  if (!page) return;
  const fresh = page.getElementById("list");
  const list = byId("list");
  if (!fresh) return;
  const focused = focusedPlace(list);
  list.replaceChildren(...fresh.childNodes);
  // What a first start says is over when the first meeting is.
  if (!page.querySelector(".first-start")) document.querySelector(".first-start")?.remove();
  byId("meetings").className = page.getElementById("meetings")?.className ?? "";
  const again = focused ? list.querySelector(focused) : null;
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  onShown();
}

async function fetchPage() {
  try {
    return new DOMParser().parseFromString(await getHtml(location.href), "text/html");
  } catch {
    return null; // the list stays as it is
  }
}

/**
 * Return a selector of what has the focus; empty if it is not in the list.
 *
 * @param {HTMLElement} list
 */
function focusedPlace(list) {
  const { activeElement } = document;
  const row = activeElement?.closest("[data-key]");
  if (!(row instanceof HTMLElement) || !activeElement || !list.contains(row)) return "";
  const kind = activeElement.className ? `.${activeElement.className.split(" ").pop()}` : activeElement.tagName;
  return `[data-key="${CSS.escape(row.dataset.key ?? "")}"] ${kind}`;
}
