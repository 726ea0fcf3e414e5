// Finding text in lines. Pure. Places are [first character, character after it].

export function places(text, find, matchesCase = false) {
  if (!find) return [];
  const found = [];
  // Folding may change lengths (İ): such characters only match themselves.
  const fold = (value) => (matchesCase ? value : [...value].map((c) => (c.toLowerCase().length === c.length ? c.toLowerCase() : c)).join(""));
  const haystack = fold(text);
  const needle = fold(find);
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + needle.length)) {
    found.push([at, at + needle.length]);
  }
  return found;
}
