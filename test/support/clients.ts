// Real programs as clients: finding them on PATH, running them to their end or alongside a test. A
// program that is not installed makes its tests print one line and pass; with
// IDDIO_REQUIRE_CLIENTS=1 it makes them fail.

import { eventually } from "./eventually.ts";

/** Absolute path of a program, or undefined (and one line saying so) when it is not on PATH. */
export function findClient(name: string): string | undefined {
  const path = Bun.which(name);
  if (path !== null) return path;
  if (process.env.IDDIO_REQUIRE_CLIENTS === "1")
    throw new Error(`${name} is not on PATH, and IDDIO_REQUIRE_CLIENTS=1 demands it`);
  process.stderr.write(`no ${name} on PATH: its tests have nothing to run\n`);
  return undefined;
}

/** How a program ended. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs beside the test. */
export interface Running extends AsyncDisposable {
  /** Everything on stdout so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves with stdout once it contains the text, `count` times. */
  until(text: string, count?: number): Promise<string>;
  /** Resolves when it ends. */
  readonly finished: Promise<Finished>;
  /** Ends it, by SIGTERM unless another signal is given. */
  stop(signal?: NodeJS.Signals): Promise<Finished>;
}

/** How to run a client. */
export interface RunOptions {
  /** The whole environment but for GOGC; nothing is inherited but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** It is killed after this time; by default before the test's own limit, which would end every child of the file. */
  readonly timeoutMs?: number;
}

const RUN_MS = 100_000;
/** Programs in Go end before collecting garbage is worth a third of their processor time. */
const SHORT = { GOGC: "off" };
/** For programs of ours that end, or are ended, before code is compiled again for speed: up to a fifth of their time. */
export const COMPILED_ONCE = { BUN_JSC_useDFGJIT: "0" };
/** For programs of ours that a test has do thousands of things, where compiling once costs more than it saves. */
export const COMPILED_TWICE = { BUN_JSC_useDFGJIT: "1", BUN_JSC_useFTLJIT: "0" };
/** For programs whose speed and memory under load is tried: as they are shipped. */
export const COMPILED_FULLY = { BUN_JSC_useDFGJIT: "1" };

/** Starts a program; `await using` ends it. */
export function startClient(path: string, args: readonly string[], options: RunOptions = {}): Running {
  const child = Bun.spawn([path, ...args], {
    env: { PATH: process.env.PATH ?? "", ...SHORT, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: options.input === undefined ? "ignore" : Buffer.from(options.input),
    stdout: "pipe",
    stderr: "pipe",
    timeout: options.timeoutMs ?? RUN_MS,
  });
  const text = { stdout: "", stderr: "" };
  const collect = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for await (const bytes of child[name]) text[name] += decoder.decode(bytes, { stream: true });
  };
  const read = Promise.all([collect("stdout"), collect("stderr")]);
  const finished = (async () => {
    await read;
    return { code: await child.exited, ...text };
  })();
  const stop = (signal?: NodeJS.Signals) => {
    child.kill(signal);
    return finished;
  };
  return {
    get stdout() {
      return text.stdout;
    },
    get stderr() {
      return text.stderr;
    },
    finished,
    stop,
    until: (wanted, count = 1) =>
      eventually(
        () => Promise.resolve(text.stdout),
        (stdout) => {
          if (stdout.split(wanted).length > count) return true;
          if (child.exitCode !== null && text.stderr !== "")
            throw new Error(`it ended first: ${text.stderr}`);
          return false;
        },
      ),
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** Runs a program to its end. */
export function runClient(
  path: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return startClient(path, args, options).finished;
}
