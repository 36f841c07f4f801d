// `bun test/truth/run-additions.ts [--runs 10000000] [--seed 1]`: adds fields, parameters and
// members to requests of the corpora for as many runs, and prints every addition that lowered a
// tier.

import { bases, tryAdditions } from "./additions.ts";

const runs = numberOption("--runs", 1_000_000);
const seed = numberOption("--seed", Date.now() % 1_000_000);
const started = process.cpuUsage();
const all = bases();
let sunk = 0;
for (let done = 0; done < runs; done += 500_000) {
  const lowered = tryAdditions(all, Math.min(500_000, runs - done), seed + done);
  sunk += lowered.length;
  for (const { id, added, from, to } of lowered.slice(0, 20))
    write(
      `${id}: ${from} to ${to} by ${added.map(({ place, name, value }) => `${place} ${name}=${value}`).join(", ")}`,
    );
}
const { user, system } = process.cpuUsage(started);
write(
  `${runs} variations of ${all.length} requests, seed ${seed}: ${sunk} lower, ${Math.round((user + system) / 1e6)} s`,
);
process.exitCode = sunk === 0 ? 0 : 1;

function numberOption(name: string, usual: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? usual : Number(process.argv[at + 1]);
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
