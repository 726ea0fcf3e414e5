// Passkeys: what the browser and the server say to each other when one is made, or shown.

import { readOptions, writeCredential } from "../lib/passkeys.js";
import { gettext } from "../lib/words.js";

/** @param {unknown} error */
function explained(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "InvalidStateError") return gettext("This passkey is added already.");
  if (name === "SecurityError") {
    return gettext("Passkeys need an address with a name and https, as https://meetings.example.com.");
  }
  return gettext("The browser has shown no passkey. Try again.");
}

/** @param {HTMLFormElement} form */
async function ask(form) {
  const options = /** @type {any} */ (
    readOptions(JSON.parse(form.querySelector("#passkey-options")?.textContent ?? "{}"))
  );
  if (!navigator.credentials) throw new DOMException("not over plain http", "SecurityError");
  return form.dataset.passkey === "create" ? navigator.credentials.create(options) : navigator.credentials.get(options);
}

/** @param {HTMLFormElement} form */
async function submit(form) {
  const note = /** @type {HTMLElement} */ (form.querySelector("[role=alert][hidden], [role=alert].field-error"));
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("credential"));
  try {
    const credential = await ask(form);
    field.value = JSON.stringify(writeCredential(/** @type {PublicKeyCredential} */ (credential)));
    form.submit();
  } catch (error) {
    note.textContent = explained(error);
    note.hidden = false;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit(/** @type {HTMLFormElement} */ (form));
  });
  // Before, it would have sent the form without a passkey.
  /** @type {HTMLButtonElement} */ (form.querySelector("button[disabled]")).disabled = false;
}
