// A policy that is cut off while it is written, at every octet; what is no file, or is open to
// others; and a start after a crash in the middle of a write. What was in force stays in force.

import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { statePaths } from "../../src/state/paths.ts";
import { type PolicyChange, PolicyStore } from "../../src/state/policy-store.ts";
import { SettingsStore } from "../../src/state/settings/settings-store.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const POLICY = 'kubectl:\n  inspect: ["a.example", "b.example"]\n  default: deny\n';

async function storeWith(text: string) {
  const directory = await temporaryDirectory();
  const paths = statePaths({ IDDIO_HOME: directory.path });
  writeFileSync(paths.policy, text, { mode: 0o600 });
  const store = await PolicyStore.open(paths);
  const changes: PolicyChange[] = [];
  store.onChange((change) => changes.push(change));
  return {
    store,
    paths,
    changes,
    async [Symbol.asyncDispose]() {
      store.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

test("no prefix of the seeded policy is loaded at the next start, except what only lacks its last blank", async () => {
  await using at = await storeWith(DEFAULT_POLICY);
  at.store.close();
  const whole = Buffer.from(DEFAULT_POLICY);
  // Each start costs a read and a parse: some of the prefixes, of which many would load as policies of their own.
  const lengths = [...Array(whole.length).keys()].filter((length) => length % 61 === 0);
  const loading = lengths.filter((length) => "policy" in parsePolicy(whole.toString("utf8", 0, length)));
  expect(loading.length).toBeGreaterThan(20);
  for (const length of lengths) {
    writeFileSync(at.paths.policy, whole.subarray(0, length), { mode: 0o600 });
    const store = await PolicyStore.open(at.paths);
    expect([length, store.current.text.trimEnd().length]).toEqual([length, DEFAULT_POLICY.trimEnd().length]);
    store.close();
  }
}, 120_000);

test("a running daemon takes no beginning of its policy, until a person asks for it", async () => {
  await using at = await storeWith(DEFAULT_POLICY);
  const line = DEFAULT_POLICY.indexOf("\n", DEFAULT_POLICY.length / 2) + 1;
  expect("policy" in parsePolicy(DEFAULT_POLICY.slice(0, line)) || line > 0).toBe(true);
  const cut = [...Array(200).keys()]
    .map((back) => DEFAULT_POLICY.slice(0, line + back * 7))
    .find((text) => text.endsWith("\n") && "policy" in parsePolicy(text));
  if (cut === undefined) throw new Error("no prefix of whole lines loads");
  truncateSync(at.paths.policy, cut.length);
  await eventually(
    async () => at.store.reloadProblem,
    (problem) => problem?.includes("only the beginning") === true,
  );
  expect(at.store.current.text).toBe(DEFAULT_POLICY);
  expect((await at.store.reload()).kind).toBe("loaded");
  expect(at.store.current.text).toBe(cut);
  expect(at.store.reloadProblem).toBeUndefined();
}, 120_000);

test("hosts that a reload takes out of inspect are said", async () => {
  await using at = await storeWith(POLICY);
  writeFileSync(at.paths.policy, POLICY.replace(', "b.example"', ""));
  const [change] = await eventually(
    async () => at.changes,
    (changes) => changes.length > 0,
  );
  expect(change).toMatchObject({ kind: "loaded", removed: ["kubectl: b.example"] });
  expect(at.store.removed).toEqual(["kubectl: b.example"]);
}, 120_000);

test("a FIFO, a device or a directory in place of a file does not stop the daemon from looking", async () => {
  if (process.platform === "win32") return;
  await using at = await storeWith(POLICY);
  rmSync(at.paths.policy);
  expect(Bun.spawnSync(["mkfifo", at.paths.policy]).success).toBe(true);
  await eventually(
    async () => at.store.reloadProblem,
    (problem) => problem === "it is not a file",
  );
  const before = at.store.lookedMs;
  await eventually(
    async () => at.store.lookedMs,
    (now) => now > before,
  );
  rmSync(at.paths.policy);
  const edited = POLICY.replace("deny", "escalate");
  writeFileSync(at.paths.policy, edited, { mode: 0o600 });
  await eventually(
    async () => at.store.current.text,
    (text) => text === edited,
  );
}, 120_000);

test("a policy that others may write or another user owns is not loaded, and the last good one stays", async () => {
  await using at = await storeWith(POLICY);
  writeFileSync(at.paths.policy, POLICY.replace("deny", "escalate"));
  chmodSync(at.paths.policy, 0o666);
  await eventually(
    async () => at.store.reloadProblem,
    (problem) => problem?.includes("everybody may write it (mode 666)") === true,
  );
  expect(at.store.current.text).toBe(POLICY);
  chmodSync(at.paths.policy, 0o600);
  await eventually(
    async () => at.store.reloadProblem,
    (problem) => problem === undefined,
  );
  if (process.getuid?.() === 0) {
    chownSync(at.paths.policy, 65534, 0);
    await eventually(
      async () => at.store.reloadProblem,
      (problem) => problem?.includes("it belongs to user 65534") === true,
    );
  }
}, 120_000);

test("a folder that others may write is as good as the file", async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, "shared");
  mkdirSync(folder);
  writeFileSync(join(folder, "settings.yaml"), "log_level: debug\n", { mode: 0o600 });
  chmodSync(folder, 0o777);
  const paths = statePaths({ IDDIO_HOME: directory.path, IDDIO_CONFIG: folder });
  const error = await SettingsStore.open(paths).catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("everybody may write it");
  chmodSync(folder, 0o700);
  const store = await SettingsStore.open(paths);
  expect(store.current.log_level).toBe("debug");
  store.close();
});

test("the policy in force is kept for the next start, for its owner only", async () => {
  await using at = await storeWith(POLICY);
  expect(readFileSync(at.paths.policyInForce, "utf8")).toBe(POLICY);
  expect(statSync(at.paths.policyInForce).mode & 0o777).toBe(0o600);
});
