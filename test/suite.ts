// `npm test` and `npm run ok`: the build, then every test file.
// With `--report`, as `npm test` is: a report in dist/junit.xml, and a test that fails is tried twice more.
// With `--gate`, as `npm run ok` is: types and style beside the tests.
// Further arguments are the test runner's own. The files of one worker share their modules (`--no-isolate`): loading them
// anew for each was a fifth of the time. A file that changes something global puts it back.

import { availableParallelism } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const BINARY = join(ROOT, "dist", "iddio");
/** A test that needs longer than this has stopped, also on a machine ten times slower than most. */
const TEST_MS = 300_000;
const REPORT = ["--retry", "2", "--reporter=junit", "--reporter-outfile=dist/junit.xml"];
/**
 * Files that run at once on a core, by the milliseconds in which the program starts: tests wait for others half of the
 * time. On a slow or busy machine it is one, so that no test comes near its limit.
 */
const FILES_A_CORE = [
  [9, 4],
  [16, 3],
  [Number.POSITIVE_INFINITY, 1],
] as const;
const STARTS = 8;

/** Runs a command to its end, with its output shown. */
async function succeeds(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["inherit", "inherit", "inherit"],
  });
  return (await child.exited) === 0;
}

/** Files that run at once. */
function workers(): number {
  const times = Array.from({ length: STARTS }, () => {
    const started = performance.now();
    Bun.spawnSync([BINARY, "--version"], { stdout: "ignore" });
    return performance.now() - started;
  });
  const fastest = Math.min(...times);
  const each = FILES_A_CORE.find(([ms]) => fastest <= ms)?.[1] ?? 1;
  return each * Math.max(2, availableParallelism());
}

async function main(given: readonly string[]): Promise<number> {
  const isReported = given.includes("--report");
  const isGate = given.includes("--gate");
  const rest = given.filter((each) => each !== "--report" && each !== "--gate");
  if (!(await succeeds([process.execPath, "build.ts", ...(isReported ? [] : ["--if-stale"])]))) return 1;
  const test = [
    ...[process.execPath, "test", `--parallel=${workers()}`, "--no-isolate"],
    "--timings=test/support/durations.json",
    ...["--timeout", String(TEST_MS), ...(isReported ? REPORT : []), ...rest],
  ];
  const env = {
    // It was just built: no file has to look whether it is older than a source.
    IDDIO_BINARY: process.env.IDDIO_BINARY ?? BINARY,
    // As the daemon does: memory that was freed a moment ago need not be cleared and mapped again. A tenth of the time.
    MIMALLOC_PURGE_DELAY: "1000",
    // Most code runs briefly: the last stages of compiling JavaScript and WebAssembly cost a fifth more than they save.
    ...{ BUN_JSC_useFTLJIT: "0", BUN_JSC_useOMGJIT: "0" },
  };
  const names = ["tests", "types", "style"];
  const npm = (script: string) => (isGate ? succeeds(["npm", "run", "--silent", script]) : true);
  const passed = await Promise.all([succeeds(test, env), npm("types"), npm("lint")]);
  const failed = names.filter((_, at) => !passed[at]);
  if (failed.length > 0) process.stderr.write(`failed: ${failed.join(", ")}\n`);
  return failed.length === 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
