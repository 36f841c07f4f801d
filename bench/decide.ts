// How long routing and deciding take, at the default policy and at one of 10,000 rules and 1,000
// inspect entries. Prints one line a measurement: median and 99th percentile in microseconds. Each
// sample is one call, timed with the clock's own cost taken off. Run: bun bench/decide.ts

import type { Classification } from "../src/model/classification.ts";
import { decide } from "../src/policy/decide/decide.ts";
import { routeOf } from "../src/policy/decide/route.ts";
import { DEFAULT_POLICY } from "../src/policy/default-policy.ts";
import { parsePolicy } from "../src/policy/parse/parse.ts";
import type { Policy } from "../src/policy/policy.ts";

const WARM_UP = 20_000;
const SAMPLES = 200_000;

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("policy" in parsed) return parsed.policy;
  throw new Error(parsed.problems[0]?.message);
}

/** 10,000 selectors: half of them in one rules block (exact and globs), half spread over 1,000 namespaces. */
function largePolicy(): string {
  const inspect = Array.from({ length: 1_000 }, (_, index) => {
    const kinds = [
      `h${index}.example.com`,
      `*.z${index}.example.net`,
      `10.${index % 256}.${index >> 8}.0/24`,
      `api-${index}-*.example.org`,
    ];
    return kinds[index % 4];
  });
  const commands = Array.from({ length: 5_000 }, (_, index) =>
    index % 5 === 0 ? `res${index}/* delete` : `res${index} update`,
  );
  const entries = Array.from({ length: 1_000 }, (_, index) => ({
    names: [index % 2 === 0 ? `ns-${index}` : `team-${index}-*`],
    rules: {
      allow: { groups: ["read"] },
      escalate: { commands: [`a${index} get`, `b${index} *`, "secrets get"] },
      deny: { groups: ["worst"] },
    },
  }));
  const kubectl = {
    inspect,
    default: "escalate",
    groups: { read: { tiers: ["observe"] }, worst: { tiers: ["break-glass"] } },
    namespaces: entries,
    rules: { escalate: { commands }, allow: { groups: ["read"] }, deny: { groups: ["worst"] } },
  };
  return JSON.stringify({ kubectl });
}

function classification(tier: Classification["tier"], command: string, namespace?: string): Classification {
  const labels = namespace === undefined ? {} : { namespace };
  return {
    protocol: "kubectl",
    tier,
    command,
    aliases: [command.replace(" ", ".v1 ")],
    labels,
    reason: "a bench",
  };
}

const SMALL = [
  classification("observe", "pods list", "payments"),
  classification("modify", "deployments create", "payments"),
  classification("break-glass", "pods/exec create", "payments"),
  classification("observe", "nodes list"),
];
const LARGE = [
  classification("observe", "res4999 update"),
  classification("sensitive", "res4995/status delete"),
  classification("observe", "pods list"),
  classification("observe", "pods list", "ns-998"),
  classification("modify", "b999 patch", "team-999-x"),
  classification("modify", "pods create", "none-of-them"),
];
const UNNAMED = LARGE.filter(({ labels }) => labels.namespace === undefined).map(
  (one): Classification => ({ ...one, unnamedScopes: ["namespace"] }),
);
const SPANNED = UNNAMED.map(({ unnamedScopes: spannedScopes = [], ...one }) => ({ ...one, spannedScopes }));
const SMALL_HOSTS = [
  "abc.gr7.eu-west-1.eks.amazonaws.com",
  "storage.googleapis.com",
  "api.fly.io",
  "example.com",
  "10.0.0.1",
];
const LARGE_HOSTS = [
  "h996.example.com",
  "a.b.c.z997.example.net",
  "10.230.3.9",
  "api-999-blue.example.org",
  "a.very.long.host.name.that.matches.nothing.example.com",
  "192.0.2.1",
  "2001:db8::1",
];

function percentiles(calls: readonly (() => unknown)[]): { readonly p50: number; readonly p99: number } {
  let sink = 0;
  for (let index = 0; index < WARM_UP; index++) if (calls[index % calls.length]?.() !== undefined) sink++;
  const samples = new Float64Array(SAMPLES);
  const empty = new Float64Array(SAMPLES);
  for (let index = 0; index < SAMPLES; index++) {
    const call = calls[index % calls.length];
    const before = Bun.nanoseconds();
    if (call?.() !== undefined) sink++;
    const between = Bun.nanoseconds();
    empty[index] = Bun.nanoseconds() - between;
    samples[index] = between - before;
  }
  if (sink < 0) throw new Error("unreachable");
  const clock = empty.sort()[SAMPLES >> 1] ?? 0;
  samples.sort();
  const at = (share: number): number =>
    Math.max(0, (samples[Math.floor(SAMPLES * share)] ?? 0) - clock) / 1_000;
  return { p50: at(0.5), p99: at(0.99) };
}

function report(name: string, calls: readonly (() => unknown)[]): void {
  const { p50, p99 } = percentiles(calls);
  process.stdout.write(
    `${name.padEnd(36)} p50 ${p50.toFixed(2).padStart(7)} µs   p99 ${p99.toFixed(2).padStart(7)} µs\n`,
  );
}

const started = Bun.nanoseconds();
const large = policyOf(largePolicy());
process.stdout.write(
  `loading the large policy took ${((Bun.nanoseconds() - started) / 1e6).toFixed(0)} ms\n`,
);
const small = policyOf(DEFAULT_POLICY);

report(
  "decide, default policy",
  SMALL.map((one) => () => decide(small, one)),
);
report(
  "decide, 10,000 rules",
  LARGE.map((one) => () => decide(large, one)),
);
report(
  "decide, 1,000 entries, none named",
  UNNAMED.map((one) => () => decide(large, one)),
);
report(
  "decide, 1,000 entries, in every one",
  SPANNED.map((one) => () => decide(large, one)),
);
report(
  "routeOf, default policy",
  SMALL_HOSTS.map((host) => () => routeOf(small, { host, port: 443 })),
);
report(
  "routeOf, 1,000 inspect entries",
  LARGE_HOSTS.map((host) => () => routeOf(large, { host, port: 443 })),
);
