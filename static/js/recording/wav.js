// Samples as a WAV file. Pure.

const HEADER = 44;

/**
 * Return a file with 16 bits a sample.
 *
 * @param {readonly Float32Array[]} pieces mono, in [-1, 1]; what is louder is clipped
 * @param {number} rate
 * @param {string} name
 */
export function wavFile(pieces, rate, name) {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const view = new DataView(new ArrayBuffer(HEADER + 2 * length));
  writeHeader(view, rate, length);
  let at = HEADER;
  for (const piece of pieces) {
    for (const value of piece) {
      view.setInt16(at, Math.max(-32768, Math.min(32767, Math.round(32768 * value))), true);
      at += 2;
    }
  }
  return new File([view], name, { type: "audio/wav" });
}

/**
 * @param {DataView} view
 * @param {number} rate
 * @param {number} length in samples
 */
function writeHeader(view, rate, length) {
  const text = (/** @type {number} */ at, /** @type {string} */ letters) =>
    [...letters].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER - 8 + 2 * length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * length, true);
}
