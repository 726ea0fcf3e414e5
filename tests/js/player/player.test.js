import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Player } from "../../../static/js/player/player.js";

/** What a player needs of an audio element: it loads at once, and time goes by when a test says so. */
class Audio extends EventTarget {
  src = "";
  paused = true;
  currentTime = 0;
  playbackRate = 1;
  defaultPlaybackRate = 1;
  /** @type {string[]} */
  loaded = [];
  isBroken = false;

  load() {
    this.loaded.push(this.src);
    this.currentTime = 0;
    this.paused = true;
    this.playbackRate = this.defaultPlaybackRate;
    queueMicrotask(() => this.dispatchEvent(new Event(this.isBroken ? "error" : "loadedmetadata")));
  }

  play() {
    this.paused = false;
    this.dispatchEvent(new Event("play"));
    return Promise.resolve();
  }

  pause() {
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  }

  /** @param {number} ms */
  playUntil(ms) {
    this.currentTime = ms / 1000;
    this.dispatchEvent(new Event("timeupdate"));
  }

  end() {
    this.paused = true;
    this.dispatchEvent(new Event("ended"));
  }
}

/** @type {Audio} */
let audio;
/** @type {Player} */
let player;
let changes = 0;

beforeEach(() => {
  audio = new Audio();
  player = new Player(/** @type {any} */ (audio), (samples) => `audio?until=${samples}`);
  player.addEventListener("change", () => (changes += 1));
  changes = 0;
});

describe("What can be heard", () => {
  test("only grows", () => {
    player.setAvailable(5000);
    player.setAvailable(3000);
    assert.equal(player.availableMs, 5000);
  });

  test("is loaded when it is first wanted, up to where it goes by then", async () => {
    player.setAvailable(5000);
    assert.deepEqual(audio.loaded, []);
    await player.playFrom(1200);
    assert.deepEqual(audio.loaded, ["audio?until=80000"]);
    assert.equal(audio.currentTime, 1.2);
    assert.equal(player.isPlaying, true);
  });

  test("is loaded once for all that lies within it", async () => {
    player.setAvailable(5000);
    await player.playFrom(0);
    player.setAvailable(9000);
    await player.seek(4999);
    assert.equal(audio.loaded.length, 1);
  });

  test("is loaded anew for what has come since", async () => {
    player.setAvailable(5000);
    await player.playFrom(0);
    player.setAvailable(9000);
    await player.playFrom(7000);
    assert.deepEqual(audio.loaded, ["audio?until=80000", "audio?until=144000"]);
    assert.equal(audio.currentTime, 7);
  });
});

describe("Going to a moment", () => {
  test("stays within the recording", async () => {
    player.setAvailable(5000);
    await player.seek(99_000);
    assert.equal(player.ms, 5000);
    await player.seek(-1);
    assert.equal(player.ms, 0);
  });

  test("shows the moment at once, also while more is loaded", async () => {
    player.setAvailable(5000);
    const gone = player.seek(3000);
    assert.equal(player.ms, 3000);
    await gone;
    assert.equal(player.ms, 3000);
  });

  test("does not play by itself", async () => {
    player.setAvailable(5000);
    await player.seek(100);
    assert.equal(player.isPlaying, false);
  });
});

describe("Playing where it may not sound", () => {
  test("does not begin, and begins when it is asked for again", async () => {
    let isAllowed = false;
    /** @type {() => void} */
    let again = () => {};
    player.mayPlay = (ask) => {
      again = ask;
      return isAllowed;
    };
    player.setAvailable(5000);
    await player.playFrom(1000);
    await player.toggle();
    await player.playFrom(2000);
    assert.deepEqual([player.isPlaying, audio.loaded], [false, []]);
    isAllowed = true;
    again();
    await new Promise(setImmediate);
    assert.deepEqual([player.isPlaying, audio.currentTime], [true, 2]);
  });

  test("does not go on where a live meeting has gone on", async () => {
    player.setAvailable(5000);
    await player.playFrom(4000);
    player.setAvailable(8000);
    player.mayPlay = () => false;
    audio.end();
    await new Promise(setImmediate);
    assert.equal(player.isPlaying, false);
  });

  test("leaves one free to look elsewhere in silence", async () => {
    player.mayPlay = () => false;
    player.setAvailable(5000);
    await player.seek(3000);
    assert.equal(player.ms, 3000);
  });
});

describe("Playing", () => {
  test("that was paused before the recording was loaded does not begin", async () => {
    player.setAvailable(5000);
    const playing = player.playFrom(0);
    player.pause();
    await playing;
    assert.equal(player.isPlaying, false);
  });

  test("that was paused before it was known from where does not begin", async () => {
    player.setAvailable(5000);
    const playing = player.playFrom(Promise.resolve(1000));
    player.pause();
    await playing;
    assert.deepEqual([player.isPlaying, audio.loaded], [false, []]);
  });

  test("goes where it was asked for last", async () => {
    player.setAvailable(5000);
    /** @type {(ms: number) => void} */
    let find = () => {};
    const slow = player.playFrom(new Promise((resolve) => (find = resolve)));
    await player.playFrom(3000);
    find(1000);
    await slow;
    assert.equal(audio.currentTime, 3);
  });

  test("goes on and off by one button", async () => {
    player.setAvailable(5000);
    await player.toggle();
    assert.equal(player.isPlaying, true);
    audio.playUntil(2000);
    await player.toggle();
    assert.equal(player.isPlaying, false);
    await player.toggle();
    assert.equal(audio.currentTime, 2);
  });

  test("begins anew at the end", async () => {
    player.setAvailable(5000);
    await player.seek(4960);
    await player.toggle();
    assert.equal(audio.currentTime, 0);
  });

  test("goes on by itself where a live meeting has gone on", async () => {
    player.setAvailable(5000);
    await player.playFrom(4000);
    player.setAvailable(8000);
    audio.playUntil(5000);
    audio.end();
    await new Promise(setImmediate);
    assert.deepEqual(audio.loaded.at(-1), "audio?until=128000");
    assert.equal(audio.currentTime, 5);
    assert.equal(player.isPlaying, true);
  });

  test("is over at the end of what there is", async () => {
    player.setAvailable(5000);
    await player.playFrom(4000);
    player.setAvailable(5200); // too little to load for
    audio.end();
    await new Promise(setImmediate);
    assert.equal(audio.loaded.length, 1);
    assert.equal(player.isPlaying, false);
  });

  test("keeps its speed when more is loaded", async () => {
    player.setAvailable(5000);
    player.rate = 1.5;
    await player.playFrom(0);
    player.setAvailable(9000);
    await player.playFrom(8000);
    assert.equal(player.rate, 1.5);
    assert.equal(audio.defaultPlaybackRate, 1.5);
  });
});

test("Every change is told", async () => {
  player.setAvailable(5000);
  assert.equal(changes, 1);
  await player.playFrom(0);
  const before = changes;
  audio.playUntil(100);
  assert.equal(changes, before + 1);
});

test("A recording that cannot be loaded is a failure, not a silence", async () => {
  player.setAvailable(5000);
  audio.isBroken = true;
  await assert.rejects(player.playFrom(0));
});
