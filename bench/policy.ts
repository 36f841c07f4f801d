// `bun bench/policy.ts`: the policy tools at the size of a real log, with time and memory printed.
// A synthetic week of 200,000 rows is replayed and learnt from; ten million random requests are
// decided by two policies, and whatever the comparison says nothing about must be the same. `--rows
// N` (0 for none), `--samples N` and `--seed N` cut it into pieces. Seconds are of this process's own
// work. Exit code 1 when a law does not hold; no time is a failure.

import type { Classification } from "../src/model/classification.ts";
import type { Protocol } from "../src/model/protocol.ts";
import { TIERS, type TierOrUnknown } from "../src/model/tier.ts";
import { knownNames } from "../src/policy/compare/catalogue.ts";
import { diffPolicies, isWidening } from "../src/policy/compare/diff.ts";
import { decide } from "../src/policy/decide/decide.ts";
import { DEFAULT_POLICY } from "../src/policy/default-policy.ts";
import { addInspectEntry } from "../src/policy/edit/edit.ts";
import { parsePolicy } from "../src/policy/parse/parse.ts";
import type { Policy } from "../src/policy/policy.ts";
import { Replay } from "../src/policy/replay/replay.ts";
import { Observations } from "../src/policy/suggest/observations.ts";
import { suggest } from "../src/policy/suggest/suggest.ts";
import { randomFrom, syntheticWeek } from "./synthetic-week.ts";

const ROWS = countFrom("--rows", 200_000);
const SAMPLES = countFrom("--samples", 10_000_000);
const SEED = countFrom("--seed", 11);
const VERSION = "v26.1129.0600";

/** The default policy with the blocks that it seeds as comments. */
const ALL = policyOf(
  [
    ["aws", "*.amazonaws.com"],
    ["github", "api.github.com"],
    ["cloudflare", "api.cloudflare.com"],
  ].reduce((text, [protocol = "aws", host = ""]) => {
    const edited = addInspectEntry(text, protocol as Protocol, host);
    return edited.kind === "changed" ? edited.text : text;
  }, DEFAULT_POLICY),
);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function countFrom(flag: string, usual: number): number {
  const at = process.argv.indexOf(flag);
  return at < 0 ? usual : Number(process.argv[at + 1]);
}

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems[0]));
  return parsed.policy;
}

function timed<T>(what: string, count: number, work: () => T): T {
  Bun.gc(true);
  const [start, before] = [process.cpuUsage(), process.memoryUsage().rss];
  const result = work();
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1000;
  const mib = (process.memoryUsage().rss - before) / 2 ** 20;
  say(
    `${what}: ${count} in ${(ms / 1000).toFixed(2)} s, ${Math.round(count / (ms / 1000))} a second, ${mib.toFixed(0)} MiB more`,
  );
  return result;
}

function replayWeek(): void {
  const lines = timed("rows written", ROWS, () =>
    [...syntheticWeek(ALL, ROWS, VERSION)].map((row) => JSON.stringify(row)),
  );
  const replay = new Replay(ALL, policyOf(`${ALL.text}\n`), VERSION);
  timed("rows replayed", ROWS, () => {
    for (const line of lines) replay.add(JSON.parse(line));
  });
  const { decided, exact, changes, skipped } = replay.report();
  say(`  decided ${decided}, exact ${exact}, skipped ${skipped}, differ ${changes.length}`);
  const seen = new Observations(ALL);
  timed("rows learnt from", ROWS, () => {
    for (const line of lines) seen.add(JSON.parse(line));
  });
  const { rules } = timed("suggestions made", seen.all.length, () =>
    suggest(ALL, seen.all, knownNames, (ms) => new Date(ms).toISOString().slice(0, 10)),
  );
  const learnt = rules.filter(({ heldBack }) => heldBack === undefined);
  say(`  learnt ${learnt.length}, held back ${rules.length - learnt.length}`);
  const wrong = learnt.filter(
    ({ tier, count }) => tier === "sensitive" || tier === "break-glass" || count < 2,
  );
  if (changes.length > 0 || wrong.length > 0) process.exitCode = 1;
}

const ATOMS = ["read", "write", "list", "pods", "jobs", "a", "b"];
const PROJECTS = ["dev", "dev-eu", "prod", "prod-us", "x"];
const GLOBS = ["*", "pods.*", "*.read", "a.b", "{a,b}.*", "jobs.write", "*.list"];

/** A random policy with two scope lists. */
function randomPolicy(random: () => number): Policy {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const some = <T>(from: readonly T[]) =>
    Array.from({ length: 1 + Math.floor(random() * 2) }, () => pick(from));
  const rules = () =>
    Object.fromEntries(
      ["allow", "escalate", "deny"]
        .filter(() => random() < 0.6)
        .map((action) => [
          action,
          { ...(random() < 0.7 ? { groups: some(["g1", "g2"]) } : {}), commands: some(GLOBS) },
        ]),
    );
  const entry = (names: readonly string[]) => ({
    names: some(names),
    rules: { deny: { commands: ["never"] }, ...rules() },
  });
  const block = {
    default: pick(["allow", "escalate", "deny"]),
    groups: { g1: { tiers: some(TIERS) }, g2: { commands: some(GLOBS) } },
    projects: [entry(["dev*", "prod", "*"]), entry(["prod-*", "dev"])],
    zones: [entry(["a", "b*", "*"])],
    rules: { deny: { commands: ["never"] }, ...rules() },
  };
  return policyOf(JSON.stringify({ gcloud: block }));
}

function randomRequest(random: () => number): Classification {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const name = () => `${pick(ATOMS)}.${pick(ATOMS)}`;
  return {
    protocol: "gcloud",
    tier: pick<TierOrUnknown>([...TIERS, "unknown"]),
    command: random() < 0.05 ? "" : name(),
    aliases: random() < 0.3 ? [name()] : [],
    labels: {
      ...(random() < 0.7 ? { project: pick(PROJECTS) } : {}),
      ...(random() < 0.5 ? { zone: pick(["a", "b1", "c"]) } : {}),
    },
    ...(random() < 0.15 ? { unnamedScopes: ["project"] } : {}),
    ...(random() < 0.1 ? { spannedScopes: ["zone"] } : {}),
    reason: "",
  };
}

/** Enumeration against sampling: what differs in a sample was told, what is wider was called so. */
function sampling(): void {
  const random = randomFrom(SEED);
  const pairs = 100;
  let [differing, missed, silent] = [0, 0, 0];
  timed("random requests", SAMPLES, () => {
    for (let pair = 0; pair < pairs; pair++) {
      const one = randomPolicy(random);
      // Often the same policy with one thing changed, which is where silence would be wrong most easily.
      const two = pair % 2 === 0 ? randomPolicy(random) : policyOf(one.text.replace('"dev"', '"dev-eu"'));
      const diff = diffPolicies(one, two, () => ({ operations: [], open: "any" }));
      const isSilent = diff.changes.length + diff.unknown.length === 0;
      if (isSilent) silent += 1;
      for (let number = 0; number < SAMPLES / pairs; number++) {
        const asked = randomRequest(random);
        const change = { from: decide(one, asked).action, to: decide(two, asked).action };
        if (change.from === change.to) continue;
        differing += 1;
        if (isSilent || (isWidening(change) && !diff.isWider)) missed += 1;
      }
    }
  });
  say(
    `  ${pairs} pairs of policies, ${silent} silent; ${differing} requests differ, ${missed} of them untold`,
  );
  if (missed > 0 || differing === 0) process.exitCode = 1;
}

if (ROWS > 0) replayWeek();
if (SAMPLES > 0) sampling();
