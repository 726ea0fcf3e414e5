import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

/** @import { Levels } from "../../../static/js/recording/microphone.js" */

import { canShareSound, SharingError } from "../../../static/js/recording/computer-sound.js";
import { Microphone, MicrophoneError } from "../../../static/js/recording/microphone.js";
import { closePage, openPage, replace } from "../support/page.js";

/** @type {string[]} */
let wires;
/** @type {any} */
let worklet;

class Track extends EventTarget {
  isLive = true;

  /** @param {string} kind */
  constructor(kind) {
    super();
    this.kind = kind;
  }

  stop() {
    this.isLive = false;
  }

  getSettings() {
    return { deviceId: "built-in" };
  }
}

class Stream {
  /**
   * @param {string} name
   * @param {...string} kinds
   */
  constructor(name, ...kinds) {
    this.name = name;
    this.tracks = kinds.map((kind) => new Track(kind));
  }

  getTracks() {
    return this.tracks;
  }

  getAudioTracks() {
    return this.tracks.filter(({ kind }) => kind === "audio");
  }

  getVideoTracks() {
    return this.tracks.filter(({ kind }) => kind === "video");
  }
}

class Context {
  audioWorklet = { addModule: () => Promise.resolve() };

  /** @param {Stream} stream */
  createMediaStreamSource({ name }) {
    return {
      connect: (/** @type {unknown} */ _node, _output = 0, input = 0) => wires.push(`${name} to ${input}`),
      disconnect: () => wires.push(`${name} off`),
    };
  }

  resume() {}

  close() {
    wires.push("closed");
  }
}

class Worklet {
  port = { onmessage: (/** @type {unknown} */ _event) => {} };

  /**
   * @param {unknown} _context
   * @param {string} _name
   * @param {{numberOfInputs: number}} options
   */
  constructor(_context, _name, { numberOfInputs }) {
    assert.equal(numberOfInputs, 2);
    worklet = this;
  }
}

/** @type {{shared: Stream | Error, microphone: Stream | Error, asked: string[], canShare: boolean}} */
let browser;

beforeEach(() => {
  openPage();
  wires = [];
  browser = {
    shared: new Stream("computer", "audio", "video"),
    microphone: new Stream("microphone", "audio"),
    asked: [],
    canShare: true,
  };
  const give = (/** @type {"shared" | "microphone"} */ what) => {
    browser.asked.push(what);
    const given = browser[what];
    return given instanceof Error ? Promise.reject(given) : Promise.resolve(given);
  };
  replace("AudioContext", Context);
  replace("AudioWorkletNode", Worklet);
  replace("navigator", {
    mediaDevices: {
      getUserMedia: () => give("microphone"),
      getDisplayMedia: () => give("shared"),
      getSupportedConstraints: () => (browser.canShare ? { suppressLocalAudioPlayback: true } : {}),
    },
  });
});

afterEach(closePage);

function newMicrophone() {
  /** @type {Levels[]} */
  const levels = [];
  /** @type {string[]} */
  const told = [];
  const microphone = new Microphone({
    onAudio: (_audio, level) => levels.push(level),
    onLost: () => told.push("lost"),
    onUnshared: () => told.push("unshared"),
  });
  return { microphone, levels, told };
}

const shared = () => /** @type {Stream} */ (browser.shared);

describe("A microphone", () => {
  test("is heard alone unless something is shared", async () => {
    await newMicrophone().microphone.start();
    assert.deepEqual(wires, ["microphone to 0"]);
    assert.deepEqual(browser.asked, ["microphone"]);
  });

  test("is heard beside what the computer plays, each with its loudness", async () => {
    const { microphone, levels } = newMicrophone();
    await microphone.share();
    await microphone.start();
    assert.deepEqual(wires, ["microphone to 0", "computer to 1"]);
    worklet.port.onmessage({ data: { audio: new Float32Array(1), levels: { microphone: 0.2, computer: 0.7 } } });
    assert.deepEqual(levels, [{ microphone: 0.2, computer: 0.7 }]);
  });

  test("may be joined by the computer later, and left by it", async () => {
    const { microphone, told } = newMicrophone();
    await microphone.start();
    await microphone.share();
    microphone.unshare();
    assert.deepEqual(wires, ["microphone to 0", "computer to 1", "computer off"]);
    assert.ok(shared().tracks.every(({ isLive }) => !isLive));
    assert.deepEqual(told, []);
  });

  test("goes on when somebody stops sharing in the browser's bar, and says so", async () => {
    const { microphone, told } = newMicrophone();
    await microphone.start();
    await microphone.share();
    shared().getAudioTracks()[0].dispatchEvent(new Event("ended"));
    assert.deepEqual(told, ["unshared"]);
    assert.equal(microphone.computer, null);
    assert.ok(microphone.stream);
  });

  test("that is changed for another keeps the computer", async () => {
    const { microphone } = newMicrophone();
    await microphone.share();
    await microphone.start();
    await microphone.start("another");
    assert.deepEqual(wires.slice(2), ["closed", "microphone to 0", "computer to 1"]);
    assert.ok(shared().getAudioTracks()[0].isLive);
  });

  test("stops with everything", async () => {
    const { microphone, told } = newMicrophone();
    await microphone.share();
    await microphone.start();
    await microphone.stop();
    assert.ok(shared().tracks.every(({ isLive }) => !isLive));
    assert.deepEqual([microphone.stream, microphone.computer, microphone.context], [null, null, null]);
    shared().getAudioTracks()[0].dispatchEvent(new Event("ended"));
    assert.deepEqual(told, []);
  });

  test("that nobody allows is an error of its own", async () => {
    browser.microphone = new DOMException("", "NotAllowedError");
    await assert.rejects(newMicrophone().microphone.start(), MicrophoneError);
  });
});

describe("What the computer plays", () => {
  test("is shared without its picture", async () => {
    const { microphone } = newMicrophone();
    await microphone.share();
    assert.ok(
      shared()
        .getVideoTracks()
        .every(({ isLive }) => !isLive),
    );
    assert.ok(
      shared()
        .getAudioTracks()
        .every(({ isLive }) => isLive),
    );
  });

  test("that comes without a sound is refused, and not kept", async () => {
    browser.shared = new Stream("silent", "video");
    const { microphone } = newMicrophone();
    await assert.rejects(microphone.share(), /without its sound/);
    assert.equal(microphone.computer, null);
  });

  for (const [name, words] of [
    ["NotAllowedError", /Nothing was shared/],
    ["NotReadableError", /cannot get at this computer's sound/],
  ]) {
    test(`that fails by ${name} is told in words`, async () => {
      browser.shared = new DOMException("", String(name));
      await assert.rejects(newMicrophone().microphone.share(), (error) => {
        assert.ok(error instanceof SharingError);
        assert.match(error.message, /** @type {RegExp} */ (words));
        return true;
      });
    });
  }

  test("is offered only by browsers that share sound, and not pictures alone", () => {
    assert.equal(canShareSound(), true);
    browser.canShare = false;
    assert.equal(canShareSound(), false);
    replace("navigator", {});
    assert.equal(canShareSound(), false);
  });
});
