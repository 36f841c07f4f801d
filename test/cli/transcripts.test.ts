// Runs every transcript in scripts/ against the compiled program, each in a home directory of its
// own, or after another one in that one's.

import { expect } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { builtBinary } from "../support/built-binary.ts";
import { COMPILED_ONCE } from "../support/clients.ts";
import { testsSideBySide } from "../support/lanes.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { testSettings } from "../support/test-settings.ts";
import { matches, parseTranscript, type Step } from "./transcript.ts";

const FOLDER = join(import.meta.dir, "scripts");
const PATIENCE_MS = 300_000;
/** A transcript waits half of its time. */
const transcript = testsSideBySide(3);

interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** One transcript while it runs. */
class Session implements AsyncDisposable {
  readonly #home: string;
  /** The transcript that runs. */
  #name = "";
  readonly #env: Record<string, string>;
  readonly #background: Promise<Output>[] = [];
  readonly #cleanups: (() => unknown)[] = [];

  constructor(home: string) {
    this.#home = home;
    this.#env = {
      // The system's own python3 first: one of a version manager is a script that takes longer than all else.
      PATH: `${dirname(builtBinary())}:/usr/bin:/bin:${process.env.PATH ?? ""}`,
      HOME: home,
      TZ: "UTC",
      LC_ALL: "C.UTF-8",
      ...COMPILED_ONCE,
    };
  }

  async step(step: Step, name: string): Promise<void> {
    this.#name = name;
    switch (step.kind) {
      case "run":
        return this.#check(step, await this.#run(step.command));
      case "background":
        this.#background.push(this.#run(step.command));
        return;
      case "wait": {
        const output = await this.#background.shift();
        if (output === undefined)
          throw new Error(`${this.#name}.txt:${step.line}: nothing runs in the background`);
        return this.#check(step, output);
      }
      case "until":
        return this.#until(step);
      case "daemon":
        return this.#startDaemon(step);
      case "upstream":
        return this.#startUpstream();
      case "after":
        return;
    }
  }

  async #run(command: string): Promise<Output> {
    const process = Bun.spawn(["bash", "-c", command], {
      cwd: this.#home,
      env: this.#env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(process.stdout).text(),
      new Response(process.stderr).text(),
      process.exited,
    ]);
    return { stdout, stderr, exitCode };
  }

  #check(step: Step, output: Output): void {
    const expected = { stdout: this.#filled(step.stdout), stderr: this.#filled(step.stderr) };
    const isRight =
      output.exitCode === step.exitCode &&
      matches(expected.stdout, output.stdout) &&
      matches(expected.stderr, output.stderr);
    if (isRight) return;
    // Compared as text only to show the difference.
    expect({ at: `${this.#name}.txt:${step.line}: ${step.command}`, ...lined(output) }).toEqual({
      at: `${this.#name}.txt:${step.line}: ${step.command}`,
      stdout: expected.stdout,
      stderr: expected.stderr,
      exitCode: step.exitCode,
    });
  }

  #filled(lines: readonly string[]): string[] {
    const variables = ["HOME", "PROXY", "UPSTREAM"];
    return lines.map((line) =>
      variables.reduce((text, name) => text.replaceAll(`$${name}`, this.#env[name] ?? `$${name}`), line),
    );
  }

  async #until(step: Step): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    let last: Output;
    do {
      last = await this.#run(step.command);
      if (last.exitCode === 0) return;
      await Bun.sleep(30);
    } while (Date.now() < deadline);
    throw new Error(
      `${this.#name}.txt:${step.line}: never succeeded: ${step.command}\n${last.stdout}${last.stderr}`,
    );
  }

  async #startDaemon(step: Step): Promise<void> {
    const state = join(this.#home, ".iddio");
    await mkdir(state, { recursive: true, mode: 0o700 });
    const settings = join(state, "settings.yaml");
    if (!(await Bun.file(settings).exists())) await writeFile(settings, testSettings(), { mode: 0o600 });
    const daemon = Bun.spawn([builtBinary(), "gateway"], {
      cwd: this.#home,
      env: this.#env,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    this.#cleanups.push(async () => {
      daemon.kill();
      await daemon.exited;
    });
    const reader = daemon.stderr.getReader();
    let said = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      said += new TextDecoder().decode(part.value);
      const listen = /listens on (\S+);/.exec(said)?.[1];
      if (listen === undefined) continue;
      this.#env.PROXY = listen;
      reader.releaseLock();
      return;
    }
    throw new Error(`${this.#name}.txt:${step.line}: the daemon ended: ${said}`);
  }

  #startUpstream(): void {
    if (this.#env.UPSTREAM !== undefined) return;
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("hello from upstream\n"),
    });
    this.#cleanups.push(() => server.stop(true));
    this.#env.UPSTREAM = `127.0.0.1:${server.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
  }
}

function lined(output: Output): { stdout: string[]; stderr: string[]; exitCode: number } {
  const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "");
  return { stdout: lines(output.stdout), stderr: lines(output.stderr), exitCode: output.exitCode };
}

/** The transcripts by name, and by the name of one those that go on after it. */
const steps = new Map<string, Step[]>();
const followers = new Map<string, string[]>();
const firsts: string[] = [];
for (const file of readdirSync(FOLDER).sort()) {
  const name = file.replace(/\.txt$/, "");
  steps.set(name, parseTranscript(readFileSync(join(FOLDER, file), "utf8")));
}
for (const [name, [first]] of steps) {
  if (first?.kind !== "after") firsts.push(name);
  else if (steps.has(first.command))
    followers.set(first.command, [...(followers.get(first.command) ?? []), name]);
  else throw new Error(`${name}.txt is after '${first.command}', which is not there`);
}

function chain(name: string): string[] {
  return [name, ...(followers.get(name) ?? []).flatMap(chain)];
}

for (const first of firsts) {
  const names = chain(first);
  transcript(
    names.join(", then ").replaceAll("-", " "),
    async () => {
      await using directory = await temporaryDirectory();
      await using session = new Session(directory.path);
      for (const name of names) {
        for (const step of steps.get(name) ?? []) await session.step(step, name);
      }
    },
    900_000,
  );
}
if (firsts.flatMap(chain).length !== steps.size) throw new Error("some transcripts are after each other");
