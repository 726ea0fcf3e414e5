// Who may import whom. Arrows go down only, as those of the Python packages do (tests/test_layering.py).

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = path.join(root, "static/js");

/** Rooms, from the lowest up, with those that they may import from. @type {Record<string, string[]>} */
const ROOMS = {
  lib: [],
  catalogue: ["lib"],
  connection: ["lib"],
  uploads: ["lib"],
  transcript: ["lib", "connection"],
  player: ["lib", "connection", "transcript"],
  recording: ["lib", "connection", "transcript"],
  editing: ["lib", "connection", "transcript", "player"],
  notes: ["lib", "connection", "transcript", "player"],
  minutes: ["lib", "connection", "transcript", "player"],
  session: ["lib", "connection", "transcript", "player", "editing", "notes", "minutes"],
  pages: ["lib", "catalogue", "connection", "transcript", "recording", "session", "uploads", "minutes"],
};

/** What a browser loads by name: not by an import. */
const LOADED_BY_NAME = ["lib/theme.js", "lib/zone.js", "recording/capture-worklet.js"];

/**
 * Return all files below a folder, by their paths from there.
 *
 * @param {string} within
 * @returns {string[]}
 */
function filesBelow(within) {
  return readdirSync(within, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    return filesBelow(path.join(within, entry.name)).map((name) => `${entry.name}/${name}`);
  });
}

const modules = filesBelow(folder).filter((name) => name.endsWith(".js"));
const sources = new Map(modules.map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));

/**
 * Return what a module imports by this pattern, as paths from static/js.
 *
 * @param {string} name
 * @param {RegExp} pattern
 */
function importsOf(name, pattern) {
  const found = [...(sources.get(name) ?? "").matchAll(pattern)].map(([, target]) => target);
  return found.map((target) => path.posix.join(path.posix.dirname(name), target));
}

const CODE = /^(?:import|export) [^;]*?"(\..+?)"/gm;
const CODE_OR_TYPES = /(?:^(?:import|export) |@import |\bimport\()[^;]*?"(\..+?)"/gm;
const imports = new Map(modules.map((name) => [name, importsOf(name, CODE)]));

const roomOf = (/** @type {string} */ name) => name.split("/")[0];

describe("A module", () => {
  for (const name of modules) {
    test(`${name} imports only what lies below it, types too`, () => {
      const allowed = [roomOf(name), ...(ROOMS[roomOf(name)] ?? [])];
      for (const target of importsOf(name, CODE_OR_TYPES)) {
        assert.ok(sources.has(target), `${target} does not exist`);
        assert.ok(allowed.includes(roomOf(target)), `${target} is not below`);
      }
    });
  }

  test("is in a room, and each room has modules", () => {
    assert.deepEqual([...new Set(modules.map(roomOf))].sort(), Object.keys(ROOMS).sort());
  });

  test("says in its first line what it is", () => {
    for (const [name, source] of sources) assert.match(source, /^\/\/ \S.+\n/, name);
  });

  test("is imported by somebody, or is a page's", () => {
    const imported = new Set([...imports.values()].flat());
    // Some hold only types.
    const typed = new Set(modules.flatMap((name) => importsOf(name, CODE_OR_TYPES)));
    for (const name of modules) {
      if (roomOf(name) === "pages" || LOADED_BY_NAME.includes(name)) assert.equal(imported.has(name), false, name);
      else assert.ok(typed.has(name), `nobody needs ${name}`);
    }
  });
});

test("Imports go round in no circle, within a room neither", () => {
  const left = new Map([...imports].map(([name, targets]) => [name, new Set(targets)]));
  for (let size = Infinity; left.size < size;) {
    size = left.size;
    for (const [name, targets] of left) if (![...targets].some((target) => left.has(target))) left.delete(name);
  }
  assert.deepEqual([...left.keys()], []);
});

describe("A module that calls itself pure", () => {
  const pure = modules.filter((name) => / Pure[.;:]/.test((sources.get(name) ?? "").split("\n\n")[0]));
  const touches =
    /\b(document|window|location|navigator|fetch|performance|localStorage|sessionStorage|addEventListener|setTimeout|setInterval|Date|Math\.random|new WebSocket)\b/;

  for (const name of pure) {
    test(`${name} touches neither a page nor a clock, and imports nothing that does`, () => {
      const seen = new Set([name]);
      for (const each of seen) {
        const code = (sources.get(each) ?? "").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
        assert.doesNotMatch(code, touches, each);
        imports.get(each)?.forEach((target) => seen.add(target));
      }
    });

    test(`${name} has tests`, () => {
      const own = path.join(root, "tests/js", name.replace(/\.js$/, ".test.js"));
      assert.match(readFileSync(own, "utf8"), new RegExp(`static/js/${name}`));
    });
  }

  test("is one of many", () => assert.ok(pure.length >= 15, String(pure)));
});

describe("A script that a template names", () => {
  const templates = filesBelow(path.join(root, "templates"));
  const named = templates.flatMap((name) =>
    [
      ...readFileSync(path.join(root, "templates", name), "utf8").matchAll(/(?:static|page_module) ['"]js\/(.+?)['"]/g),
    ].map(([, script]) => script),
  );

  test("exists", () => {
    for (const script of named) assert.ok(sources.has(script), script);
  });

  test("is every module of pages", () => {
    const pages = modules.filter((name) => roomOf(name) === "pages");
    assert.deepEqual(
      pages.filter((name) => !named.includes(name)),
      [],
    );
  });
});
