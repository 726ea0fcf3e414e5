import assert from "node:assert/strict";
import { test } from "node:test";

import { readOptions, toBytes, toText, writeCredential } from "../../../static/js/lib/passkeys.js";

test("bytes come back from text, whatever they are", () => {
  for (const bytes of [[], [0], [255, 254, 253], [62, 63, 251, 239], Array.from({ length: 256 }, (_, n) => n)]) {
    const text = toText(Uint8Array.from(bytes).buffer);
    assert.doesNotMatch(text, /[+/=]/);
    assert.deepEqual([...toBytes(text)], bytes);
  }
});

test("of options to make one, challenge, person and known keys become bytes", () => {
  const read = /** @type {any} */ (
    readOptions({
      publicKey: {
        rp: { id: "meetings.example.com", name: "Earshot" },
        user: { id: "AQI", name: "anna", displayName: "anna" },
        challenge: "_-8",
        pubKeyCredParams: [{ type: "public-key", alg: -7 }],
        excludeCredentials: [{ type: "public-key", id: "Aw" }],
        authenticatorSelection: { requireResidentKey: false, userVerification: "preferred" },
        timeout: null,
      },
    })
  ).publicKey;
  assert.equal(read.rp.id, "meetings.example.com");
  assert.deepEqual([...read.user.id], [1, 2]);
  assert.deepEqual([...read.challenge], [255, 239]);
  assert.deepEqual([...read.excludeCredentials[0].id], [3]);
  assert.deepEqual(read.pubKeyCredParams, [{ type: "public-key", alg: -7 }]);
  assert.equal(read.authenticatorSelection.requireResidentKey, false);
  assert.equal(read.timeout, null);
});

test("of options to show one, the site's name stays a name", () => {
  const asked = {
    publicKey: { rpId: "localhost", challenge: "AA", allowCredentials: [{ id: "AQ", type: "public-key" }] },
  };
  const read = /** @type {any} */ (readOptions(asked)).publicKey;
  assert.equal(read.rpId, "localhost");
  assert.deepEqual([...read.allowCredentials[0].id], [1]);
});

/** @param {Record<string, unknown>} response */
function credential(response) {
  return /** @type {PublicKeyCredential} */ (
    /** @type {unknown} */ ({
      id: "AQ",
      rawId: Uint8Array.of(1).buffer,
      type: "public-key",
      response,
      getClientExtensionResults: () => ({ credProps: { rk: false } }),
    })
  );
}

test("an answer is written with the parts that it has", () => {
  const made = {
    clientDataJSON: Uint8Array.of(2).buffer,
    attestationObject: Uint8Array.of(3).buffer,
    getTransports: () => [],
  };
  assert.deepEqual(JSON.parse(JSON.stringify(writeCredential(credential(made)))), {
    id: "AQ",
    rawId: "AQ",
    type: "public-key",
    response: { clientDataJSON: "Ag", attestationObject: "Aw" },
    clientExtensionResults: { credProps: { rk: false } },
  });
  const shown = { clientDataJSON: Uint8Array.of(2).buffer, signature: Uint8Array.of(4).buffer, userHandle: null };
  assert.deepEqual(writeCredential(credential(shown)).response, { clientDataJSON: "Ag", signature: "BA" });
});
