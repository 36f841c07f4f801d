// `npm run soak`: what is too long for CI. Starts everything that it needs on loopback and ends it again; every claim is a
// line, and the exit code is 1 when one of them does not hold.

import { Report } from "./report.ts";
import { soakRequests } from "./section-requests.ts";

const USAGE = `soak [--requests N] [--connections N] [--kills N] [--seed N]
`;

function numberOption(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} wants a number`);
}

async function main(): Promise<void> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const report = new Report(print);
  const requests = numberOption("requests", 1_000_000);
  const seed = numberOption("seed", Date.now() % 1_000_000);
  print(`seed ${seed}`);
  await soakRequests(
    {
      requests,
      connections: numberOption("connections", 100_000),
      kills: numberOption("kills", Math.ceil(requests / 20_000)),
      seed,
      tell: print,
    },
    report,
  );
  process.exitCode = report.failures.length === 0 ? 0 : 1;
}

if (process.argv.includes("--help")) process.stdout.write(USAGE);
else await main();
process.exit();
