// Builds dist/iddio, the one binary. Run by `npm run build`; the version is the time of the last commit
// (or SOURCE_DATE_EPOCH), so the same input gives the same bytes. `--if-stale` builds only when a source is newer.

import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOT = import.meta.dir;
const OUTPUT = join(ROOT, "dist", "iddio");

/** `vYY.MMDD.HHMM` in UTC. */
export function versionAt(date: Date): string {
  const [year = "", month, day, hour, minute] = date.toISOString().split(/[-T:]/);
  return `v${year.slice(2)}.${month}${day}.${hour}${minute}`;
}

function buildDate(): Date {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  if (epoch !== undefined && /^\d+$/.test(epoch)) return new Date(Number(epoch) * 1000);
  const git = Bun.spawnSync(["git", "log", "-1", "--format=%ct"], { cwd: ROOT, stderr: "ignore" });
  const seconds = Number(git.stdout.toString().trim());
  // Outside a checkout there is no commit to date it by.
  return git.success && seconds > 0 ? new Date(seconds * 1000) : new Date();
}

function isStale(): boolean {
  const built = statSync(OUTPUT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).map((file) =>
    join("src", file),
  );
  return ["build.ts", "package-lock.json", ...files].some(
    (file) => statSync(join(ROOT, file)).mtimeMs > built,
  );
}

async function build(): Promise<void> {
  const version = process.env.IDDIO_VERSION ?? versionAt(buildDate());
  // Built elsewhere and renamed, so that a running iddio or a test never sees half a program. The name
  // of the file is part of the result and stays the same.
  const scratch = join(ROOT, "dist", `.build-${process.pid}`);
  mkdirSync(scratch, { recursive: true });
  const started = performance.now();
  const result = await Bun.build({
    entrypoints: [join(ROOT, "src", "main.ts")],
    compile: { outfile: join(scratch, "iddio") },
    minify: true,
    bytecode: true,
    // Split, what a command does not import is not even read at its start: 5 ms of 12.
    splitting: true,
    format: "esm",
    define: { IDDIO_BUILD_VERSION: JSON.stringify(version) },
  });
  for (const log of result.logs) process.stderr.write(`${log}\n`);
  if (result.success) renameSync(join(scratch, "iddio"), OUTPUT);
  rmSync(scratch, { recursive: true });
  if (!result.success) process.exit(1);
  const megabytes = (statSync(OUTPUT).size / 1e6).toFixed(1);
  process.stdout.write(
    `dist/iddio ${version}, ${megabytes} MB, ${Math.round(performance.now() - started)} ms\n`,
  );
}

if (import.meta.main && !(process.argv.includes("--if-stale") && !isStale())) await build();
