// `npm test` and `npm run ok`: the build, then every test file.
// With `--report`, as `npm test` is, a test that fails is tried twice more. With `--gate`, as `npm run ok` is: types and
// style beside the tests. Further arguments are the test runner's own. The report of all tests is dist/junit.xml.
//
// Files that compute and files that run other programs run beside each other, each half in workers of its own: while
// programs are waited for, one worker computes, with code that is compiled once and stays warm.
// The files of one worker share their modules (`--no-isolate`); a file that changes something global puts it back.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { suiteHalves } from "./support/suite/halves.ts";
import { joinReports } from "./support/suite/junit-report.ts";

const ROOT = join(import.meta.dir, "..");
const DIST = join(ROOT, "dist");
const BINARY = join(DIST, "iddio");
const REPORT = join(DIST, "junit.xml");
const HALVES = { computing: join(DIST, "junit-computing.xml"), programs: join(DIST, "junit-programs.xml") };
/** A test that needs longer than this has stopped, also on a machine ten times slower than most. */
const TEST_MS = 300_000;
/** A quick machine starts the program within this; on a slow or busy one few files run at once, none near its limit. */
const QUICK_START_MS = 16;
const STARTS = 8;
const ENV = {
  // It was just built: no file has to look whether it is older than a source.
  IDDIO_BINARY: process.env.IDDIO_BINARY ?? BINARY,
  // As the daemon does: memory that was freed a moment ago need not be cleared and mapped again. A tenth of the time.
  MIMALLOC_PURGE_DELAY: "1000",
  // Most code runs briefly: the last stages of compiling JavaScript and WebAssembly cost a fifth more than they save.
  ...{ BUN_JSC_useFTLJIT: "0", BUN_JSC_useOMGJIT: "0" },
};

/** A command that runs. */
interface Running {
  /** Whether it succeeded. */
  readonly ended: Promise<boolean>;
  readonly stop: () => void;
}

/** Starts a command; output that is kept is shown when it has ended, so that nothing comes between its lines. */
function start(argv: readonly string[], output: "shown" | "kept" = "shown"): Running {
  const out = output === "shown" ? "inherit" : "pipe";
  const env = { ...process.env, ...ENV };
  const child = Bun.spawn([...argv], { cwd: ROOT, env, stdio: ["inherit", out, out] });
  const ended = async () => {
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout ?? "").text(),
      new Response(child.stderr ?? "").text(),
      child.exited,
    ]);
    // Waited for: into a pipe not all of it is written at once, and the suite may end right after.
    await new Promise((written) => process.stdout.write(stdout, written));
    await new Promise((written) => process.stderr.write(stderr, written));
    return code === 0;
  };
  return { ended: ended(), stop: () => child.kill() };
}

/** Whether the program starts as on a quick machine. */
function isQuick(): boolean {
  const times = Array.from({ length: STARTS }, () => {
    const started = performance.now();
    Bun.spawnSync([BINARY, "--version"], { stdout: "ignore" });
    return performance.now() - started;
  });
  return Math.min(...times) <= QUICK_START_MS;
}

/** The runner's command line. */
function runner(workers: number, report: string, more: readonly string[]): string[] {
  return [
    ...[process.execPath, "test", `--parallel=${workers}`, "--no-isolate", "--timeout", String(TEST_MS)],
    ...["--timings=test/support/suite/durations.json", "--reporter=junit", `--reporter-outfile=${report}`],
    ...more,
  ];
}

async function main(given: readonly string[]): Promise<number> {
  const began = performance.now();
  const isGate = given.includes("--gate");
  const isReported = given.includes("--report");
  const rest = given.filter((each) => each !== "--report" && each !== "--gate");
  const more = [...(isReported ? ["--retry", "2"] : []), ...rest];
  const cores = Math.max(2, availableParallelism());
  // Of named files or a pattern one half may have none.
  const halves = rest.every((each) => each.startsWith("--shard=")) ? suiteHalves() : undefined;
  for (const path of [REPORT, ...Object.values(HALVES)]) rmSync(path, { force: true });

  // It needs no built program, so it begins at once.
  const computing =
    halves && start(runner(cores >> 1, HALVES.computing, [...more, ...halves.computing]), "kept");
  const build = [process.execPath, "build.ts", ...(isReported ? [] : ["--if-stale"])];
  if (!(await start(build).ended)) {
    computing?.stop();
    return 1;
  }
  const workers = isQuick() ? cores + 1 : cores >> 1;
  const npm = (script: string) => (isGate ? start(["npm", "run", "--silent", script]).ended : true);
  const names = ["tests of programs", "tests that compute", "types", "style"];
  const passed = await Promise.all([
    start(runner(workers, HALVES.programs, [...more, ...(halves?.programs ?? [])])).ended,
    computing?.ended ?? true,
    npm("types"),
    npm("lint"),
  ]);

  const seconds = (performance.now() - began) / 1000;
  const written = Object.values(HALVES).filter((path) => existsSync(path));
  const { xml, tests, failures } = joinReports(
    written.map((path) => readFileSync(path, "utf8")),
    seconds,
  );
  writeFileSync(REPORT, xml);
  for (const path of written) rmSync(path);
  process.stderr.write(`\n${tests - failures} passed, ${failures} failed in ${Math.round(seconds)} s\n`);
  const failed = names.filter((_, at) => !passed[at]);
  if (failed.length > 0) process.stderr.write(`failed: ${failed.join(", ")}\n`);
  return failed.length === 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
