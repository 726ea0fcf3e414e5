// Which line, and which word of it, belongs to a moment. Pure; times in milliseconds.

// The last line that has begun by then; null before the first.
export function lineAt(lines, ms) {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle].start_ms <= ms) low = middle + 1;
    else high = middle;
  }
  return lines[low - 1] ?? null;
}

// Words are [first character, character after it, start, end], in order.

export function wordAt(words, ms) {
  return words.findLast(([, , start]) => start <= ms) ?? null;
}

// The word at a place in the text, or the one that follows.
export function wordAtCharacter(words, offset) {
  return words.find(([, stop]) => offset < stop) ?? words.at(-1) ?? null;
}
