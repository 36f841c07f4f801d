// One run of the operator's ssh: its input, its output, its end. With a terminal it has one of its
// own, so that sizes and modes reach the remote side; without one it has three pipes. Both hold
// back who writes too fast.

import { closeSync, fchownSync, openSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { adoptSocket } from "../../../gateway/stream/adopt-socket.ts";
import { Channel } from "../../../gateway/stream/channel.ts";
import { socketPair } from "../../../host/process/descriptor.ts";
import type { OtherUser } from "../../../host/process/other-user.ts";
import { closeDescriptor } from "../../../host/sandbox/libc.ts";
import { type SshTarget, type UpstreamWork, upstreamArguments } from "./upstream-arguments.ts";

/** A terminal as the client described it. */
export interface ClientTerminal {
  readonly term: string;
  readonly columns: number;
  readonly rows: number;
}

/** The inputs of an upstream connection. */
export interface UpstreamOptions {
  readonly target: SshTarget;
  readonly work: UpstreamWork;
  readonly terminal: ClientTerminal | undefined;
  /** Names of the variables that may go to the remote side. */
  readonly variables: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly scratch: string;
  /** Takes a piece of output; the next piece is read once it resolves. */
  readonly output: (bytes: Uint8Array, isStderr: boolean) => Promise<void>;
}

/** A running upstream. */
export interface SshUpstream {
  /** Resolves when more may be written; undefined when that is now. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Nothing more will be written. */
  end(): void;
  resize(columns: number, rows: number): void;
  /** Ends it, whatever it is doing. */
  kill(): void;
  /** Resolves when it has ended and everything it said was taken. */
  readonly ended: Promise<{ readonly code: number; readonly log: string }>;
}

/** Bytes of a terminal's output that may wait for a slow client before ssh is stopped for a while. */
const TERMINAL_HIGH = 1024 * 1024;
/** Set in a terminal until ssh makes it raw. */
const ICANON = 0x2;
const RAW_POLL_MS = 5;
const RAW_WAIT_MS = 30_000;
const LOG_MAX = 16 * 1024;

/**
 * Marks connections that must not come back to us; and has every question answered with no, also those of the
 * ssh that ssh itself starts for a jump host, which would ask the client's terminal.
 */
const NO_QUESTIONS = { IDDIO_SSH_UPSTREAM: "1", SSH_ASKPASS: "/bin/false", SSH_ASKPASS_REQUIRE: "force" };

let serial = 0;

/** Starts the operator's ssh. Throws when it cannot be started. */
export function startUpstream(options: UpstreamOptions): SshUpstream {
  serial += 1;
  const log = join(options.scratch, `ssh-${process.pid}-${serial}.log`);
  makeLog(log, options.target.runAs);
  const argv = upstreamArguments(options.target, options.work, {
    log,
    sendEnv: [...options.variables.keys()],
  });
  const env = { ...options.env, ...Object.fromEntries(options.variables), ...NO_QUESTIONS };
  const running =
    options.terminal === undefined
      ? startPiped(argv, env, options)
      : startInTerminal(argv, { ...env, TERM: options.terminal.term }, options.terminal, options);
  return { ...running, ended: running.ended.then(async (code) => ({ code, log: await takeLog(log) })) };
}

type Running = Omit<SshUpstream, "ended"> & { readonly ended: Promise<number> };
type ChildEnvironment = Record<string, string | undefined>;

function startPiped(argv: readonly string[], env: ChildEnvironment, { output }: UpstreamOptions): Running {
  // One socket for both directions: Bun reads and writes it in larger pieces than a pipe's.
  const [ours, theirs] = socketPair();
  let child: Bun.Subprocess<number, number, "pipe">;
  try {
    child = Bun.spawn([...argv], { env, cwd: "/", stdio: [theirs, theirs, "pipe"] });
  } catch (error) {
    closeDescriptor(ours);
    throw error;
  } finally {
    closeDescriptor(theirs);
  }
  let ready: Channel | undefined;
  const opened = adoptSocket(ours).then((stream) => {
    ready = new Channel(stream);
    return ready;
  });
  const write = (channel: Channel, bytes: Uint8Array) =>
    channel.write(bytes) ? undefined : channel.flushed();
  const taken = Promise.all([
    (async () => {
      const channel = await opened;
      while (await channel.readable()) await output(channel.read(), false);
    })(),
    (async () => {
      for await (const bytes of child.stderr as ReadableStream<Uint8Array>) await output(bytes, true);
    })(),
  ]);
  return {
    write: (bytes) =>
      ready === undefined ? opened.then((channel) => write(channel, bytes)) : write(ready, bytes),
    end: () => void opened.then((channel) => channel.end()),
    resize() {},
    kill: () => child.kill("SIGTERM"),
    ended: taken
      .then(() => child.exited)
      .finally(() => {
        child.kill("SIGKILL");
        void opened.then((channel) => channel.destroy()).catch(() => undefined);
      }),
  };
}

function startInTerminal(
  argv: readonly string[],
  env: ChildEnvironment,
  terminal: ClientTerminal,
  { output }: UpstreamOptions,
): Running {
  let queue: Uint8Array[] = [];
  let queued = 0;
  let isStopped = false;
  let isClosed = false;
  let wake = () => {};
  const child = Bun.spawn([...argv], {
    env,
    cwd: "/",
    terminal: {
      cols: terminal.columns,
      rows: terminal.rows,
      data(_, bytes) {
        queue.push(new Uint8Array(bytes));
        queued += bytes.length;
        if (queued > TERMINAL_HIGH && !isStopped && child.exitCode === null) {
          isStopped = true;
          child.kill("SIGSTOP");
        }
        wake();
      },
      exit() {
        isClosed = true;
        wake();
      },
    },
  });
  const pty = child.terminal as unknown as {
    readonly localFlags: number;
    write(bytes: Uint8Array): number;
    resize(columns: number, rows: number): void;
    close(): void;
  };
  const taken = (async () => {
    for (;;) {
      const bytes = queue.length === 1 ? queue[0] : queue.length === 0 ? undefined : Buffer.concat(queue);
      if (bytes === undefined) {
        if (isClosed) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      queue = [];
      queued = 0;
      if (isStopped) {
        isStopped = false;
        child.kill("SIGCONT");
      }
      await output(bytes, false);
    }
  })();
  void child.exited.then(async () => {
    // Its last output may still be in the terminal.
    for (let quiet = 0; quiet < 3 && !isClosed; quiet++) {
      const before = queued;
      await Bun.sleep(10);
      if (queued !== before) quiet = 0;
    }
    isClosed = true;
    wake();
  });
  // Until ssh has made the terminal raw, the kernel would echo keystrokes and turn Ctrl-C into a signal for
  // ssh.
  const raw = untilRaw(() => pty.localFlags, child.exited);
  return {
    async write(bytes) {
      await raw;
      if (child.exitCode === null) pty.write(bytes);
    },
    end() {},
    resize: (columns, rows) => {
      if (child.exitCode === null) pty.resize(columns, rows);
    },
    kill: () => {
      child.kill("SIGCONT");
      child.kill("SIGTERM");
    },
    ended: taken.then(() => child.exited).finally(() => pty.close()),
  };
}

async function untilRaw(localFlags: () => number, exited: Promise<number>): Promise<void> {
  let hasEnded = false;
  void exited.then(() => {
    hasEnded = true;
  });
  const end = performance.now() + RAW_WAIT_MS;
  while (!hasEnded && performance.now() < end) {
    if ((localFlags() & ICANON) === 0) return;
    await Bun.sleep(RAW_POLL_MS);
  }
}

/** Another user's ssh writes into a file that is there already, in a folder where that user makes none. */
function makeLog(path: string, runAs: OtherUser | undefined): void {
  if (runAs === undefined) return;
  const fd = openSync(path, "wx", 0o600);
  try {
    fchownSync(fd, runAs.uid, runAs.gid);
  } finally {
    closeSync(fd);
  }
}

/** Reads and removes ssh's own log; the remote side cannot write into it. */
async function takeLog(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  await rm(path, { force: true });
  return text.slice(-LOG_MAX);
}
