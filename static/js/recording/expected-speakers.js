// Those who are expected in a new meeting, chosen by their names: they are recognised more easily then.

import { getJson } from "../lib/api.js";
import { descendant, element } from "../lib/dom.js";
import { answerOrSayWhy } from "../lib/refusals.js";
import { fill, gettext } from "../lib/words.js";

/** @typedef {{id: string, name: string}} Person */

const MAX_FOUND = 6;

export class ExpectedSpeakers {
  /** @type {Map<string, Person>} by id, in the order of choice */
  chosen = new Map();

  /** @param {HTMLElement} place with a field, and lists of those chosen and found */
  constructor(place) {
    this.field = descendant(place, "input", HTMLInputElement);
    this.chosenList = descendant(place, ".chosen");
    this.foundList = descendant(place, ".found");
    this.url = place.dataset.url ?? "";
    this.field.addEventListener("input", () => this.find());
    this.field.addEventListener("keydown", (event) => this.key(event));
  }

  get ids() {
    return [...this.chosen.keys()];
  }

  async find() {
    const typed = this.field.value.trim();
    if (!typed) {
      this.foundList.replaceChildren();
      return;
    }
    const url = new URL(this.url, location.href);
    url.searchParams.set("search", typed);
    url.searchParams.set("limit", String(MAX_FOUND + this.chosen.size));
    /** @type {{speakers: Person[]} | null | undefined} */
    const answer = await answerOrSayWhy(getJson(url.href));
    if (answer && typed === this.field.value.trim()) this.offer(answer.speakers);
  }

  /** @param {Person[]} people */
  offer(people) {
    const others = people.filter(({ id }) => !this.chosen.has(id)).slice(0, MAX_FOUND);
    const none = element("li", { class: "hint" }, gettext("Nobody of this name is known."));
    this.foundList.replaceChildren(...(others.length ? others.map((person) => this.offerOf(person)) : [none]));
  }

  /** @param {Person} person */
  offerOf(person) {
    const label = fill(gettext("Expect %(name)s"), { name: person.name });
    const choose = () => this.choose(person);
    return element("li", {}, element("button", { type: "button", "aria-label": label, onclick: choose }, person.name));
  }

  /** @param {Person} person */
  choose(person) {
    this.chosen.set(person.id, person);
    this.field.value = "";
    this.foundList.replaceChildren();
    this.show();
    this.field.focus();
  }

  show() {
    this.chosenList.replaceChildren(...[...this.chosen.values()].map((person) => this.chip(person)));
  }

  /** @param {Person} person */
  chip({ id, name }) {
    const label = fill(gettext("Do not expect %(name)s"), { name });
    const remove = () => {
      this.chosen.delete(id);
      this.show();
      this.field.focus();
    };
    return element(
      "li",
      {},
      name,
      element("button", { type: "button", class: "quiet", "aria-label": label, title: label, onclick: remove }, "✕"),
    );
  }

  /**
   * Choose the first who was found by Enter, which would begin the recording.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    if (event.key !== "Enter" || !this.field.value.trim()) return;
    event.preventDefault();
    if (!event.isComposing) this.foundList.querySelector("button")?.click();
  }
}
