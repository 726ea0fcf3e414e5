// The page's language. The catalogue comes from Django, before any module runs.

export const gettext = globalThis.gettext ?? ((text) => text);
export const ngettext = globalThis.ngettext ?? ((one, many, count) => (count === 1 ? one : many));

// "%(name)s" filled in.
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
}

const CHINESE = /\p{Script=Han}/u;

// What language a line is in, for screen readers, fonts and line breaks.
export function languageOf(text) {
  return CHINESE.test(text) ? "zh-Hans" : "en";
}

export function speakerName(spk) {
  if (spk.number) return fill(gettext("Speaker %(number)s"), { number: spk.number });
  return spk.speaker_name || gettext("Unknown speaker");
}

// The one character that stands for a speaker in a coloured circle.
export function speakerInitial(spk) {
  return spk.number ? String(spk.number) : ([...speakerName(spk)][0] ?? "");
}
