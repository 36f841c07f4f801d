// `npm run soak`: what is too long for CI. Starts everything that it needs on loopback and ends it
// again; every claim is a line, and the exit code is 1 when one of them does not hold.

import { Report } from "./report.ts";
import { soakDrops } from "./section/drops.ts";
import { soakFuzz } from "./section/fuzz.ts";
import { soakRequests } from "./section/requests.ts";
import { soakTunnels } from "./section/tunnels.ts";
import { soakUnkind } from "./section/unkind.ts";
import { soakWatch } from "./section/watch.ts";

const USAGE = `soak [--only <part>[,<part>…]] [--seed N]

What is too long for CI, against dist/iddio as a process of its own. Every claim is printed
as a line that begins with ok or FAILED; the exit code is 1 when one has failed.

parts:
  soak     --requests N     intercepted requests (default 1000000), HTTP/1.1, HTTP/2, upgrades,
                            tunnels; denied, held and decided; clients that leave half-way
           --connections N  new connections that they come on (default 100000)
           --kills N        how often the upstream is killed meanwhile (default one in 20000 requests)
  watch    --minutes N      how long quiet streams must live (default 30)
  fuzz     --fuzz N         the fuzzers, with N times as many runs as in CI (default 100)
  tunnels  --tunnels N      tunnels at once that carry data, and connections (default 1000)
  drops    --drops N        connections dropped half-way at every stage (default 10000)
  unkind   --unkind N       minutes of one client that tries to take everything (default 10)

--seed N: what chance is drawn from. It is printed, so that a run can be repeated; which requests
are under way together still differs from run to run.
`;

const PARTS = ["soak", "tunnels", "drops", "unkind", "fuzz", "watch"] as const;

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

function numberOption(name: string, otherwise: number): number {
  const value = Number(option(name) ?? otherwise);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} wants a number`);
}

function wantedParts(): readonly string[] {
  const names = option("only")?.split(",") ?? PARTS;
  const strange = names.find((name) => !(PARTS as readonly string[]).includes(name));
  if (strange !== undefined) throw new Error(`no part '${strange}'\n${USAGE}`);
  return names;
}

async function main(): Promise<void> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const parts = wantedParts();
  const report = new Report(print);
  const seed = numberOption("seed", 1 + (Date.now() % 1_000_000));
  const requests = numberOption("requests", 1_000_000);
  const kills = numberOption("kills", Math.max(2, Math.round(requests / 20_000)));
  const connections = numberOption("connections", 100_000);
  const runs: Readonly<Record<string, () => Promise<void>>> = {
    soak: () => soakRequests({ requests, connections, kills, seed, tell: print }, report),
    tunnels: () => soakTunnels({ tunnels: numberOption("tunnels", 1_000) }, report),
    drops: () => soakDrops({ drops: numberOption("drops", 10_000) }, report),
    unkind: () => soakUnkind({ minutes: numberOption("unkind", 10), tell: print }, report),
    fuzz: () => soakFuzz({ factor: numberOption("fuzz", 100), seed }, report),
    watch: () => soakWatch({ minutes: numberOption("minutes", 30), tell: print }, report),
  };
  // Whatever runs beside it ends with it, also when it is interrupted.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
  print(`seed ${seed}`);
  for (const part of parts) {
    report.heading(part);
    await runs[part]?.();
  }
  print(
    `\n${report.failures.length === 0 ? "every claim holds" : `${report.failures.length} claims FAILED`}`,
  );
  process.exitCode = report.failures.length === 0 ? 0 : 1;
}

if (process.argv.includes("--help")) process.stdout.write(USAGE);
else await main();
process.exit();
