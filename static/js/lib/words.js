// Texts in the page's language. The catalogue comes from Django, before any module runs.

/**
 * @typedef {object} Catalogue
 * @property {(text: string) => string} [gettext]
 * @property {(one: string, many: string, count: number) => string} [ngettext]
 */
const catalogue = /** @type {Catalogue} */ (globalThis);

export const gettext = catalogue.gettext ?? ((text) => text);
export const ngettext = catalogue.ngettext ?? ((one, many, count) => (count === 1 ? one : many));

/**
 * Fill in "%(name)s".
 *
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
}

const CHINESE = /\p{Script=Han}/u;

/**
 * Return the language of a line, for screen readers, fonts and line breaks.
 *
 * @param {string} text
 */
export function languageOf(text) {
  return CHINESE.test(text) ? "zh-Hans" : "en";
}

/**
 * Return the name of a speaker; strangers are numbered.
 *
 * @param {{number?: number | null, speaker_name?: string}} spk
 */
export function speakerName(spk) {
  if (spk.number) return fill(gettext("Speaker %(number)s"), { number: spk.number });
  return spk.speaker_name || gettext("Unknown speaker");
}

/**
 * Return the one character that stands for a speaker in a coloured circle.
 *
 * @param {{number?: number | null, speaker_name?: string}} spk
 */
export function speakerInitial(spk) {
  return spk.number ? String(spk.number) : initialOf(speakerName(spk));
}

/**
 * Return the first character of a name.
 *
 * @param {string} name
 */
export function initialOf(name) {
  return [...name][0] ?? "";
}
