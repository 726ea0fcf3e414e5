// Refusals of the server, said to the reader.

import { RequestError } from "./api.js";
import { toast } from "./toast.js";

/**
 * Wait for an answer; say why where it is refused.
 *
 * @template T
 * @param {Promise<T>} asked
 * @returns {Promise<T | null>} null if it was refused
 */
export async function answerOrSayWhy(asked) {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    toast(error.message, { isError: true });
    return null;
  }
}
