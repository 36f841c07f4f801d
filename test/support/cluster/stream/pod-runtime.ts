// The inside of the pods: their logs, a temporary directory as file system, real processes for exec
// and small servers for port-forward. Processes run as the test's own user, so the cluster listens
// on loopback only.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteStream } from "./byte-stream.ts";

/** Serves one connection to a pod's port. */
export type PortHandler = (stream: ByteStream) => Promise<void>;

/** How a process ended, as exec reports it. */
export type ExitStatus = { readonly code: number } | { readonly problem: string };

/** Where a command's bytes go and come from; stdin is undefined when the client attaches none. */
export interface ProcessStreams {
  readonly stdin: { read(): Promise<Uint8Array | undefined> } | undefined;
  stdout(bytes: Uint8Array): Promise<void>;
  stderr(bytes: Uint8Array): Promise<void>;
  readonly gone: AbortSignal;
}

interface Running {
  readonly lines: { readonly at: string; readonly text: string }[];
  readonly listeners: Set<() => void>;
  readonly ports: Map<number, PortHandler>;
  root: Promise<string> | undefined;
}

/** The state of all pods, by namespace and name. */
export class PodRuntime {
  readonly #pods = new Map<string, Running>();

  #pod(namespace: string, name: string): Running {
    const key = `${namespace}/${name}`;
    let pod = this.#pods.get(key);
    if (pod === undefined) {
      pod = { lines: [], listeners: new Set(), ports: new Map(), root: undefined };
      this.#pods.set(key, pod);
      this.log(namespace, name, `${name} started`);
      this.log(namespace, name, "listening on port 8080");
    }
    return pod;
  }

  /** Appends a line to a pod's log; followers get it at once. */
  log(namespace: string, name: string, text: string): void {
    const pod = this.#pod(namespace, name);
    pod.lines.push({ at: new Date().toISOString().replace("Z", "000000Z"), text });
    for (const listener of [...pod.listeners]) listener();
  }

  /** Lines so far from the given index on. */
  lines(namespace: string, name: string, from = 0): readonly { at: string; text: string }[] {
    return this.#pod(namespace, name).lines.slice(from);
  }

  /** Resolves when the log has grown or the signal aborts. */
  grown(namespace: string, name: string, signal: AbortSignal): Promise<void> {
    const { listeners } = this.#pod(namespace, name);
    return new Promise((resolve) => {
      const wake = () => {
        listeners.delete(wake);
        resolve();
      };
      listeners.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** Serves a port of a pod from now on; ports without a handler answer one HTTP request. */
  listen(namespace: string, name: string, port: number, handler: PortHandler): void {
    this.#pod(namespace, name).ports.set(port, handler);
  }

  /** The handler of a pod's port. */
  portHandler(namespace: string, name: string, port: number): PortHandler {
    return this.#pod(namespace, name).ports.get(port) ?? greeting(`hello from ${name} port ${port}\n`);
  }

  /** The directory that is the pod's file system. */
  root(namespace: string, name: string): Promise<string> {
    const pod = this.#pod(namespace, name);
    pod.root ??= mkdtemp(join(tmpdir(), "iddio-pod-"));
    return pod.root;
  }

  /** Runs a command in a pod to its end. */
  async run(
    namespace: string,
    name: string,
    argv: readonly string[],
    streams: ProcessStreams,
  ): Promise<ExitStatus> {
    const root = await this.root(namespace, name);
    let child: Bun.Subprocess<"pipe", "pipe", "pipe">;
    try {
      child = Bun.spawn(inRoot(argv, root), {
        cwd: root,
        env: { PATH: process.env.PATH ?? "", HOME: root, HOSTNAME: name },
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
      });
    } catch {
      return { problem: `exec: "${argv[0] ?? ""}": executable file not found in $PATH` };
    }
    streams.gone.addEventListener("abort", () => child.kill("SIGKILL"), { once: true });
    void feed(child, streams.stdin);
    await Promise.all([drain(child.stdout, streams.stdout), drain(child.stderr, streams.stderr)]);
    return { code: await child.exited };
  }

  /** Removes the directories. */
  async dispose(): Promise<void> {
    for (const pod of this.#pods.values())
      if (pod.root !== undefined) await rm(await pod.root, { recursive: true, force: true });
  }
}

// Absolute paths mean the pod's file system; tar and test are what `kubectl cp` runs.
function inRoot(argv: readonly string[], root: string): string[] {
  const [program = "", ...args] = argv;
  const moved = args.map((arg) => (arg.startsWith("/") ? join(root, arg) : arg));
  if (program === "tar" && args[0] === "cf")
    return ["tar", "-C", root, "-cf", ...args.slice(1).map((arg) => arg.replace(/^\/+(?=.)/, ""))];
  if (["tar", "test", "cat", "ls", "mkdir", "touch", "rm"].includes(program)) return [program, ...moved];
  return [program, ...args];
}

async function feed(
  child: Bun.Subprocess<"pipe", "pipe", "pipe">,
  stdin: ProcessStreams["stdin"],
): Promise<void> {
  try {
    for (let bytes = await stdin?.read(); bytes !== undefined; bytes = await stdin?.read()) {
      child.stdin.write(bytes);
      await child.stdin.flush();
    }
    await child.stdin.end();
  } catch {
    // The process has ended before its input did.
  }
}

async function drain(
  output: ReadableStream<Uint8Array>,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  for await (const bytes of output) await write(bytes);
}

function greeting(text: string): PortHandler {
  return async (stream) => {
    await stream.read();
    await stream.write(
      `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
    );
  };
}
