// A Python program that a file of tests starts many times, as each of them would: with arguments,
// an environment and a folder of its own, and its real code. Only the interpreter's start and the
// imports, most of what a start costs, happen once. See python-forks/sitecustomize.py.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Finished, type RunOptions, runClient } from "../clients.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

/** A program that is ready to start. */
export interface ForkedProgram extends AsyncDisposable {
  /** Runs it to its end, with no input. */
  run(args: readonly string[], options: RunOptions): Promise<Finished>;
}

/** The options of the first process. */
export interface ForkedProgramOptions {
  /** The environment in which it is imported. */
  readonly env: Readonly<Record<string, string>>;
  /** Arguments of starts, without network, that import what later starts need. */
  readonly warm: readonly (readonly string[])[];
}

const RUN_MS = 100_000;
const FOLDER = join(import.meta.dir, "../python-forks");

/** Imports it; `await using` ends it. A program that is not of Python, after all, is started each time. */
export async function startForkedProgram(
  program: string,
  { env, warm }: ForkedProgramOptions,
): Promise<ForkedProgram> {
  await using own = new AsyncDisposableStack();
  const directory = own.use(await temporaryDirectory());
  const child = Bun.spawn([program], {
    env: {
      PATH: process.env.PATH ?? "",
      ...env,
      PYTHONPATH: FOLDER,
      PYTHONDONTWRITEBYTECODE: "1",
      ...(env.PYTHONPATH === undefined ? {} : { IDDIO_TEST_PYTHONPATH: env.PYTHONPATH }),
      IDDIO_TEST_FORKS: JSON.stringify({ warm, given: [...Object.keys(env), "PATH"] }),
    },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  own.defer(async () => {
    await child.stdin.end();
    await child.exited;
  });
  const ends = new Map<number, (code: number) => void>();
  const isReady = await new Promise<boolean>((resolve) => {
    void (async () => {
      let pending = "";
      const decoder = new TextDecoder();
      for await (const bytes of child.stdout) {
        const lines = (pending + decoder.decode(bytes, { stream: true })).split("\n");
        pending = lines.pop() ?? "";
        for (const line of lines) {
          if (!line.startsWith("{")) continue;
          const answer = JSON.parse(line) as { readonly id?: number; readonly code?: number };
          if (answer.id === undefined) resolve(true);
          else ends.get(answer.id)?.(answer.code ?? -1);
        }
      }
      resolve(false);
      for (const end of ends.values()) end(-1);
    })();
  });
  const ended = own.move();
  let count = 0;
  const say = async (line: object) => {
    child.stdin.write(`${JSON.stringify(line)}\n`);
    await child.stdin.flush();
  };
  return {
    async run(args, options) {
      if (!isReady) return runClient(program, args, options);
      const id = count++;
      const [stdout, stderr] = [join(directory.path, `${id}.out`), join(directory.path, `${id}.err`)];
      const { promise, resolve } = Promise.withResolvers<number>();
      ends.set(id, resolve);
      const timer = setTimeout(() => void say({ kill: id }), options.timeoutMs ?? RUN_MS);
      await say({
        ...{ id, args, stdout, stderr },
        cwd: options.cwd ?? process.cwd(),
        env: { PATH: process.env.PATH ?? "", ...options.env },
      });
      const code = await promise;
      clearTimeout(timer);
      ends.delete(id);
      return { code, stdout: await readFile(stdout, "utf8"), stderr: await readFile(stderr, "utf8") };
    },
    [Symbol.asyncDispose]: () => ended.disposeAsync(),
  };
}
