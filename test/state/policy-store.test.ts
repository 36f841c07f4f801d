// The policy under a real editor's saves: seen within a second, never torn, never gone.

import { afterAll, afterEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../src/model/user-error.ts";
import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import { type StatePaths, statePaths } from "../../src/state/paths.ts";
import { type PolicyChange, PolicyStore } from "../../src/state/policy-store.ts";
import { slack } from "../support/wire/under-attack.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-policy-"));
const stores: PolicyStore[] = [];
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const policyText = (host: string, extra = 0) => `kubectl:
  inspect: ["${host}"]
  default: deny
  groups: { read: { tiers: [observe] } }
  rules:
    allow: { groups: [read] }
${"# padding\n".repeat(extra)}`;

async function opened(
  text?: string,
): Promise<{ store: PolicyStore; paths: StatePaths; changes: PolicyChange[] }> {
  const paths = statePaths({ IDDIO_HOME: mkdtempSync(join(root, "home-")) });
  if (text !== undefined) writeFileSync(paths.policy, text);
  const store = await PolicyStore.open(paths);
  stores.push(store);
  const changes: PolicyChange[] = [];
  store.onChange((change) => changes.push(change));
  return { store, paths, changes };
}

function next(store: PolicyStore): Promise<PolicyChange> {
  return new Promise((resolve) => {
    const stop = store.onChange((change) => {
      stop();
      resolve(change);
    });
  });
}

describe("at the start", () => {
  test("a missing policy is seeded, for the owner only", async () => {
    const { store, paths } = await opened();
    expect(readFileSync(paths.policy, "utf8")).toBe(DEFAULT_POLICY);
    expect(statSync(paths.policy).mode & 0o777).toBe(0o600);
    expect(store.current.text).toBe(DEFAULT_POLICY);
    expect(store.revision).toBe(1);
    expect(store.reloadProblem).toBeUndefined();
  });

  const bad: [string, (path: string) => void, RegExp][] = [
    [
      "wrong",
      (path) => writeFileSync(path, "kubectl:\n  inspect: 1\n  default: maybe\n"),
      /line 2.*\n.*line 3/,
    ],
    ["empty", (path) => writeFileSync(path, ""), /no protocol block/],
    ["a directory", (path) => mkdirSync(path), /it is not a file/],
    ["not text", (path) => writeFileSync(path, Buffer.from([0, 255, 254, 1])), /line 1/],
    ["huge", (path) => writeFileSync(path, "#".repeat(9 * 1024 * 1024)), /larger than/],
  ];
  for (const [what, make, wanted] of bad)
    test(`a policy that is ${what} is an error that says what to fix, and stays as it is`, async () => {
      const paths = statePaths({ IDDIO_HOME: mkdtempSync(join(root, "home-")) });
      make(paths.policy);
      const before = statSync(paths.policy).ino;
      const error = await PolicyStore.open(paths).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toStartWith(`cannot load '${paths.policy}': `);
      expect((error as UserError).message).toMatch(wanted);
      expect((error as UserError).hint).toContain("iddio policy validate");
      expect(statSync(paths.policy).ino).toBe(before);
    });
});

describe("an edit is seen within a second when it is saved", () => {
  const [old, edited] = [policyText("a.example", 3), policyText("b.example")];
  const ways: [string, (path: string) => void | Promise<void>][] = [
    [
      "by rename",
      (path) => {
        writeFileSync(`${path}.new`, edited);
        renameSync(`${path}.new`, path);
      },
    ],
    ["by truncating and writing", (path) => writeFileSync(path, edited)],
    [
      "in pieces",
      async (path) => {
        truncateSync(path, 0);
        for (const piece of edited.match(/[^\n]*\n/g) ?? []) {
          appendFileSync(path, piece);
          await Bun.sleep(20);
        }
      },
    ],
    [
      "by removing and creating",
      async (path) => {
        rmSync(path);
        await Bun.sleep(30);
        writeFileSync(path, edited);
      },
    ],
    ["without a newline at its end", (path) => writeFileSync(path, edited.trimEnd())],
    ["with the same size and time", (path) => writeFileSync(path, old.replace("a.example", "c.example"))],
  ];
  for (const [how, save] of ways)
    test(how, async () => {
      const { store, paths, changes } = await opened(old);
      const change = next(store);
      await save(paths.policy);
      const saved = performance.now();
      expect((await change).kind).toBe("loaded");
      // On a busy machine the turn of this process comes later.
      const limitMs = (how.startsWith("without") ? 6_000 : 1_000) * slack();
      expect(performance.now() - saved).toBeLessThan(limitMs);
      expect(store.current.text).toBe(readFileSync(paths.policy, "utf8"));
      expect(store.revision).toBe(2);
      expect(changes).toHaveLength(1);
    });

  test("through a symbolic link whose target is edited, and then moved to another file", async () => {
    const { store, paths } = await opened(old);
    const real = join(paths.root, "real.yaml");
    writeFileSync(real, edited);
    let change = next(store);
    rmSync(paths.policy);
    symlinkSync(real, paths.policy);
    expect((await change).kind).toBe("loaded");
    change = next(store);
    writeFileSync(real, policyText("target.example"));
    await change;
    expect(store.current.text).toContain("target.example");
    change = next(store);
    writeFileSync(`${paths.root}/other.yaml`, policyText("other.example"));
    symlinkSync(`${paths.root}/other.yaml`, `${paths.policy}.link`);
    renameSync(`${paths.policy}.link`, paths.policy);
    await change;
    expect(store.current.text).toContain("other.example");
  });
});

describe("a file that does not load changes nothing", () => {
  const text = policyText("good.example");
  const bad: [string, (path: string) => void, RegExp][] = [
    ["with mistakes", (path) => writeFileSync(path, "kubectl:\n  inspekt: []\n"), /line 2/],
    ["emptied", (path) => writeFileSync(path, ""), /no protocol block/],
    ["with comments only", (path) => writeFileSync(path, "# nothing\n---\n"), /no protocol block/],
    ["removed", (path) => rmSync(path), /missing/],
    [
      "with a bomb in it",
      (path) => writeFileSync(path, `a: &a [x]\nb: &b [${"*a,".repeat(1000)}]\n`),
      /line/,
    ],
  ];
  for (const [what, spoil, wanted] of bad)
    test(what, async () => {
      const { store, paths } = await opened(text);
      const kept = store.current;
      const failed = next(store);
      spoil(paths.policy);
      const change = await failed;
      expect(change.kind).toBe("failed");
      expect(store.current).toBe(kept);
      expect(store.revision).toBe(1);
      expect(store.reloadProblem).toMatch(wanted);
      const back = next(store);
      writeFileSync(paths.policy, text);
      expect((await back).kind).toBe("loaded");
      expect(store.reloadProblem).toBeUndefined();
    });
});

test("reload reads at once, says what came of it, and listeners hear of it once", async () => {
  const { store, paths, changes } = await opened(policyText("a.example"));
  expect((await store.reload()).kind).toBe("unchanged");
  writeFileSync(paths.policy, policyText("b.example"));
  expect(await store.reload()).toMatchObject({ kind: "loaded", revision: 2 });
  writeFileSync(paths.policy, "kubectl: 7\n");
  expect(await store.reload()).toMatchObject({ kind: "failed" });
  await Bun.sleep(450); // a look at the file finds nothing that reload did not
  expect(changes.map(({ kind }) => kind)).toEqual(["loaded", "failed"]);
  expect(store.current.text).toContain("b.example");
});

test("somebody who saves by rename all the time does not keep edits from being seen", async () => {
  const { store, paths } = await opened(policyText("v.example"));
  const end = performance.now() + 1500;
  for (let edit = 0; performance.now() < end; edit++) {
    writeFileSync(`${paths.policy}.new`, policyText(`v${1000 + edit}.example`));
    renameSync(`${paths.policy}.new`, paths.policy);
    await Bun.sleep(4);
  }
  expect(store.revision).toBeGreaterThan(3);
});

test("under fire there is always a policy, never a torn one, and the last is seen", async () => {
  const versions = Array.from({ length: 40 }, (_, version) => policyText(`v${version}.example`, version % 7));
  const { store, paths, changes } = await opened(versions[0]);
  const whole = new Set(versions);
  const end = performance.now() + 2500;
  for (let edit = 0; performance.now() < end; edit++) {
    const text = versions[edit % versions.length] ?? "";
    if (edit % 3 === 0) {
      writeFileSync(`${paths.policy}.new`, text);
      renameSync(`${paths.policy}.new`, paths.policy);
    } else if (edit % 3 === 1) writeFileSync(paths.policy, text);
    else {
      const half = text.indexOf("\n", text.length / 2) + 1;
      writeFileSync(paths.policy, text.slice(0, half));
      await Bun.sleep(edit % 10);
      appendFileSync(paths.policy, text.slice(half));
    }
    expect(whole.has(store.current.text)).toBe(true);
    await Bun.sleep(edit % 4 === 0 ? 60 : 1);
  }
  const last = policyText("last.example");
  writeFileSync(paths.policy, last);
  while (store.current.text !== last) await next(store);
  expect(changes.filter(({ kind }) => kind === "failed")).toEqual([]);
}, 120_000);
