// bench/history.tsv: what runs of the bench measured, a line each number, so that a number can be
// compared with the last one of the same machine. Only `--record` adds to it; a run that was
// disturbed need not be kept.

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { arch, cpus, platform, release } from "node:os";
import { join } from "node:path";
import type { Bar } from "./report.ts";

const PATH = join(import.meta.dir, "history.tsv");
const HEAD = "date\tcommit\tmachine\twhat\tmedian\tunit\tbar\n";

/** The machine in a few words: another one's numbers are no comparison. */
export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} x ${(first?.model ?? arch()).replace(/\s+/g, " ").trim()}, ${platform()} ${release().split("-")[0]}`;
}

function commit(): string {
  const { stdout, success } = Bun.spawnSync(["git", "rev-parse", "--short", "HEAD"], {
    cwd: import.meta.dir,
    stderr: "ignore",
  });
  return success ? stdout.toString().trim() : "unknown";
}

/** The last recorded value of each number on this machine. */
export function lastRecorded(path = PATH): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  if (!existsSync(path)) return last;
  const own = machine();
  for (const line of readFileSync(path, "utf8").split("\n").slice(1)) {
    const [, , where, what, value] = line.split("\t");
    if (where === own && what !== undefined) last.set(what, Number(value));
  }
  return last;
}

/** Adds the numbers of a run. */
export function record(bars: readonly Bar[], path = PATH): void {
  const head = existsSync(path) ? "" : HEAD;
  const start = [new Date().toISOString().slice(0, 10), commit(), machine()];
  const lines = bars.map(({ what, value, unit, wants, limit }) =>
    [...start, what, value.toPrecision(4), (unit ?? "").trim(), `${wants} ${limit}`].join("\t"),
  );
  appendFileSync(path, `${head}${lines.join("\n")}\n`);
}
