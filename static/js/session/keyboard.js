// Names of key combinations. Pure.

/** @typedef {Pick<KeyboardEvent, "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">} Combination */

/**
 * Return a combination as "mod+shift+KeyZ"; "mod" is Ctrl, and Cmd on a Mac.
 *
 * @param {Combination} event
 */
export function combinationOf({ code, ctrlKey, metaKey, altKey, shiftKey }) {
  const parts = [];
  if (ctrlKey || metaKey) parts.push("mod");
  if (altKey) parts.push("alt");
  if (shiftKey) parts.push("shift");
  return [...parts, code].join("+");
}
