// Numbers by chance, the same ones on every run.

/**
 * Return a source of numbers in [0, 1) (mulberry32).
 *
 * @param {number} seed
 */
export function randomSource(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Return a whole number from `min` to `max`, both included.
 *
 * @param {() => number} random
 * @param {number} min
 * @param {number} max
 */
export function between(random, min, max) {
  return min + Math.floor(random() * (max - min + 1));
}

/**
 * Return a text of these characters.
 *
 * @param {() => number} random
 * @param {string[]} alphabet
 * @param {number} maxLength
 */
export function randomText(random, alphabet, maxLength) {
  const length = between(random, 0, maxLength);
  return Array.from({ length }, () => alphabet[between(random, 0, alphabet.length - 1)]).join("");
}

/**
 * Return noise in [-1, 1].
 *
 * @param {() => number} random
 * @param {number} length
 */
export function noise(random, length) {
  return Float32Array.from({ length }, () => 2 * random() - 1);
}
