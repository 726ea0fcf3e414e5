// Parts of a page that few ask for: fetched when somebody does.

import { toast } from "./toast.js";
import { gettext } from "./words.js";

/**
 * Return a function that uses a part, which is fetched and made when it is first used. Where it cannot be fetched, the
 * reader is told, and the next use tries again.
 *
 * @template Module
 * @template Part
 * @param {() => Promise<Module>} load
 * @param {(module: Module) => Part} make
 * @param {() => void} [onFailure]
 * @returns {(use: (part: Part) => unknown) => Promise<void>}
 */
export function onDemand(load, make, onFailure = sayThatItFailed) {
  /** @type {Promise<Part> | null} */
  let made = null;
  return async (use) => {
    made ??= load().then(make);
    const part = await made.catch((error) => {
      made = null;
      if (!(error instanceof TypeError)) throw error; // which browsers throw for a module that they cannot fetch
      onFailure();
      return null;
    });
    if (part) await use(part);
  };
}

function sayThatItFailed() {
  toast(gettext("This could not be loaded. Check the connection and try again."), { isError: true });
}
