// Part 3: every test that reads test/support/fuzz-runs.ts, for far more runs than in CI and with a
// fresh seed.

import { PROJECT_ROOT, sourceFiles } from "../../support/source-files.ts";
import type { Report } from "../report.ts";

/** How much of it. */
export interface FuzzOptions {
  /** Times as many runs as in CI. */
  readonly factor: number;
  readonly seed: number;
}

const TIMEOUT_MS = 3_600_000;

/** Runs them, one file after the other, and reports each. */
export async function soakFuzz({ factor, seed }: FuzzOptions, report: Report): Promise<void> {
  const files = sourceFiles("test").filter(
    ({ path, text }) => path.endsWith(".test.ts") && text.includes("/fuzz-runs.ts"),
  );
  for (const { path } of files) {
    const began = performance.now();
    const env = { IDDIO_FUZZ: String(factor), IDDIO_FUZZ_SEED: String(seed) };
    const run = Bun.spawn([process.execPath, "test", `--timeout=${TIMEOUT_MS}`, path], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const [text, code] = await Promise.all([new Response(run.stderr).text(), run.exited]);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    const tests = /^\s*(\d+) pass$/m.exec(text)?.[1] ?? "0";
    const again = Object.entries(env)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ");
    const numbers = code === 0 ? `${tests} tests in ${seconds} s` : `${again} bun test ${path}\n${text}`;
    report.claim(`${path}, ${factor} times as many runs`, code === 0, numbers);
  }
}
