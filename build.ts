// Builds dist/iddio, the one binary. Run by `npm run build`; the version is the time of the last commit
// (or SOURCE_DATE_EPOCH), so the same input gives the same bytes. `--if-stale` builds only when a source is newer,
// `--release [target…]` makes all that a release consists of, `--new-key` the pair of keys that signs it.

import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile, PUBLIC_KEY_PATH } from "./packaging/release/compile.ts";
import { isStale } from "./packaging/release/stale.ts";

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

const VERSION = process.env.IDDIO_VERSION;

async function build(): Promise<void> {
  const version = VERSION ?? versionAt(buildDate());
  // Built elsewhere and renamed, so that a running iddio or a test never sees half a program. The name
  // of the file is part of the result and stays the same.
  const scratch = join(ROOT, "dist", `.build-${process.pid}`);
  mkdirSync(scratch, { recursive: true });
  const started = performance.now();
  try {
    await compile({
      root: ROOT,
      outfile: join(scratch, "iddio"),
      version,
      isShipped: process.env.IDDIO_SHIPPED === "1",
    });
    renameSync(join(scratch, "iddio"), OUTPUT);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  const megabytes = (statSync(OUTPUT).size / 1e6).toFixed(1);
  say(`dist/iddio ${version}, ${megabytes} MB, ${Math.round(performance.now() - started)} ms`);
}

/** Everything of a release, into dist/release. Named targets build only those. */
async function release(names: readonly string[]): Promise<void> {
  const { buildRelease } = await import("./packaging/release/build-release.ts");
  const { TARGETS } = await import("./packaging/release/targets.ts");
  const privateKey = process.env.IDDIO_RELEASE_KEY;
  if (!privateKey) throw new Error("IDDIO_RELEASE_KEY must hold the private key (docs/releasing.md)");
  const targets = names.length === 0 ? TARGETS : TARGETS.filter(({ name }) => names.includes(name));
  const date = buildDate();
  const version = VERSION ?? versionAt(date);
  const seconds = Math.floor(date.getTime() / 1000);
  const base = process.env.IDDIO_RELEASE_BASE;
  const out = process.env.IDDIO_RELEASE_OUT ?? join(ROOT, "dist", "release");
  await buildRelease({
    root: ROOT,
    out,
    version,
    seconds,
    targets,
    privateKey,
    say,
    ...(base ? { base } : {}),
  });
}

/** A new key pair: the public half into packaging/, the private half to stdout and nowhere else. */
async function newKey(): Promise<void> {
  const { newReleaseKeys } = await import("./packaging/release/sign.ts");
  const { publicKey, privateKey } = newReleaseKeys();
  writeFileSync(join(ROOT, PUBLIC_KEY_PATH), publicKey);
  process.stdout.write(privateKey);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main([first, ...rest]: readonly string[]): Promise<void> {
  if (first === "--release") await release(rest);
  else if (first === "--new-key") await newKey();
  else if (first !== "--if-stale" || isStale(ROOT, OUTPUT)) await build();
}

if (import.meta.main) {
  await main(process.argv.slice(2)).catch((error: unknown) => {
    // A bundle that fails holds the reasons, one an error.
    const reasons = error instanceof AggregateError ? error.errors : [];
    for (const reason of [error, ...reasons])
      process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`);
    process.exit(1);
  });
}
