// What browsers and servers say of passkeys, in JSON: bytes are URL-safe base64 there.

/** Parts of the options that are bytes. */
const BYTES = new Set(["challenge", "id"]);

/** @param {string} text */
export function toBytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** @param {ArrayBuffer} buffer */
export function toText(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Options as browsers take them, from those of the server: all of it, but bytes where bytes belong.
 *
 * @param {unknown} value
 * @param {string} [name]
 * @param {string} [parent]
 * @returns {unknown}
 */
export function readOptions(value, name = "", parent = "") {
  // The one id that is a name is that of this site.
  if (typeof value === "string") return BYTES.has(name) && parent !== "rp" ? toBytes(value) : value;
  if (Array.isArray(value)) return value.map((each) => readOptions(each, name, parent));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, readOptions(each, key, name)]));
}

/**
 * What the browser has answered, as the server reads it.
 *
 * @param {PublicKeyCredential} credential
 */
export function writeCredential(credential) {
  /** @type {Record<string, unknown>} */
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    const bytes = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (credential.response))[part];
    if (bytes instanceof ArrayBuffer) response[part] = toText(bytes);
  }
  const { id, type } = credential;
  const clientExtensionResults = credential.getClientExtensionResults();
  return { id, rawId: toText(credential.rawId), type, response, clientExtensionResults };
}
