// Meetings that are running: cards that keep themselves up to date, as long as somebody looks at them.

/** @import { MeetingNotices } from "./notices.js" */

import { getHtml } from "../lib/api.js";
import { byId, setText } from "../lib/dom.js";
import { ended, waitMs } from "./polling.js";

export class RunningMeetings {
  failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;

  /** @param {{onEnded: () => void, notices: MeetingNotices}} parts */
  constructor({ onEnded, notices }) {
    this.notices = notices;
    this.onEnded = onEnded;
    this.section = byId("running");
    this.cards = byId("running-cards");
    const query = new URLSearchParams(location.search);
    query.delete("before");
    this.url = `${this.section.dataset.url}?${query}`;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.plan() : this.look()));
    this.newest = takeNewest(this.cards);
    this.plan();
  }

  plan() {
    clearTimeout(this.timer);
    const { failures } = this;
    const wait = waitMs({
      hasCards: this.keys().length > 0,
      failures,
      isHidden: document.hidden,
      isAwaited: this.notices.isOn,
    });
    if (wait !== null) this.timer = setTimeout(() => this.look(), wait);
  }

  async look() {
    clearTimeout(this.timer);
    try {
      this.show(await getHtml(this.url));
      this.failures = 0;
    } catch {
      this.failures += 1; // the server is away, or the login is over: what is shown stays
    }
    this.plan();
  }

  /** @returns {string[]} */
  keys() {
    return [...this.cards.querySelectorAll("[data-key]")].map(
      (card) => /** @type {HTMLElement} */ (card).dataset.key ?? "",
    );
  }

  /** @param {string} html */
  show(html) {
    const made = document.createElement("template");
    made.innerHTML = html;
    const before = this.keys();
    const { newest } = this;
    this.newest = takeNewest(made.content);
    const cards = /** @type {HTMLElement[]} */ ([...made.content.children]);
    cards.forEach((card, index) => this.place(card, index));
    while (this.cards.children.length > cards.length) this.cards.lastElementChild?.remove();
    this.section.hidden = cards.length === 0;
    if (newest !== this.newest || ended(before, this.keys()).length) this.onEnded();
    for (const key of ended(this.keys(), before)) this.tellOf(cards.find(({ dataset }) => dataset.key === key));
  }

  /** @param {HTMLElement | undefined} card of a meeting that has begun */
  tellOf(card) {
    const link = card?.querySelector("a");
    if (!card || !link) return;
    this.notices.tell({ key: card.dataset.key ?? "", title: link.textContent ?? "", url: link.href });
  }

  /**
   * Put a card where it belongs; one that is there is changed where it differs, so that its link keeps the focus.
   *
   * @param {HTMLElement} card
   * @param {number} index
   */
  place(card, index) {
    const known = [...this.cards.children].find(
      (child) => card.dataset.key && /** @type {HTMLElement} */ (child).dataset.key === card.dataset.key,
    );
    const shown = known ?? card;
    const there = this.cards.children[index];
    if (there !== shown) this.cards.insertBefore(shown, there ?? null);
    if (known) update(known, card);
  }
}

/**
 * Take out what the cards say of the newest meeting that is over.
 *
 * @param {ParentNode} cards
 */
function takeNewest(cards) {
  const mark = cards.querySelector("[data-newest]");
  mark?.remove();
  return mark?.getAttribute("data-newest") ?? "";
}

/**
 * @param {Element} shown
 * @param {Element} card
 */
function update(shown, card) {
  for (const selector of ["h3 a", ".live-facts", ".live-lines"]) {
    const [old, fresh] = [shown.querySelector(selector), card.querySelector(selector)];
    if (!old || !fresh || old.innerHTML === fresh.innerHTML) continue;
    if (fresh.children.length) old.replaceChildren(...fresh.childNodes);
    else setText(old, fresh.textContent ?? "");
  }
}
