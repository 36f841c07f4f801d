// `iddio mcp run`: starts a server, stands between it and the client on stdin and stdout, and ends
// with it. Stderr is the server's own. When the client goes, the server is ended as the
// specification says: stdin, TERM, KILL.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { ADDRESS_IN_RUN } from "../../../api/client.ts";
import { ownProgram } from "../../../host/process/own-program.ts";
import { UserError } from "../../../model/user-error.ts";
import type { StatePaths } from "../../../state/paths.ts";
import { LineReader } from "../../../wire/jsonrpc/line-reader.ts";
import { visible } from "../judge/hidden-text.ts";
import { McpLink } from "./daemon-link.ts";
import { identityOf } from "./identity.ts";
import { patienceOf } from "./patience.ts";
import { StdioRelay } from "./relay.ts";

/** Bytes of one message of a client and of a server. */
const CLIENT_LINE_MAX = 16 * 1024 * 1024;
const SERVER_LINE_MAX = 64 * 1024 * 1024;
/** After its stdin was closed, and after TERM. */
const END_MS = 2_000;

/** The options of a server's run. */
export interface ServerRunOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** Whether the server is started by `iddio run`. */
  readonly isSandboxed: boolean;
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs a server; gives its exit code. */
export async function runServer(options: ServerRunOptions): Promise<number> {
  const { name, command, paths, env } = options;
  const [program = "", ...args] = command;
  // The words of a server may be in it.
  const note = (text: string) => void process.stderr.write(`iddio mcp: ${visible(text)}\n`);
  const link = new McpLink(paths.socket, { name, identity: await identityOf(program, args, env) }, note);
  await link.open();
  const [first = "", ...rest] = startedAs(options, note);
  const child = spawn(first, rest, { stdio: ["pipe", "pipe", "inherit"], env: { ...env } });
  const started = await new Promise<Error | undefined>((resolve) => {
    child.once("spawn", () => resolve(undefined));
    child.once("error", resolve);
  });
  if (started !== undefined) {
    link.close();
    throw new UserError(`cannot start '${program}': ${started.message}`, {
      hint: "see that the command runs by itself; it stands after '--'",
    });
  }
  const relay = new StdioRelay({
    link,
    note,
    patience: patienceOf(env),
    toClient: writer(process.stdout, child.stdout),
    toServer: writer(child.stdin, process.stdin),
  });
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    child.stdin.end();
    const term = setTimeout(() => child.kill("SIGTERM"), END_MS);
    const kill = setTimeout(() => child.kill("SIGKILL"), 2 * END_MS);
    child.once("close", () => {
      clearTimeout(term);
      clearTimeout(kill);
    });
  };
  readLines(
    process.stdin,
    CLIENT_LINE_MAX,
    (line) => relay.clientLine(line),
    (why) => {
      if (why !== undefined) note(`the client's messages cannot be read: ${why}`);
      relay.close();
      end();
    },
  );
  const read = readLines(
    child.stdout,
    SERVER_LINE_MAX,
    (line) => relay.serverLine(line),
    (why) => {
      if (why === undefined) return;
      note(`the server's messages cannot be read: ${why}`);
      end();
    },
  );
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.stdin.on("error", () => undefined);
  process.stdout.on("error", end);
  const code = await new Promise<number>((resolve) => {
    child.once("close", (status, signal) => resolve(status ?? (signal === null ? 1 : 128)));
  });
  await read;
  await Promise.race([relay.told(), Bun.sleep(END_MS)]);
  relay.close();
  await flushed(process.stdout);
  link.close();
  process.stdin.pause();
  return code;
}

/** The command to start: as it is, or inside `iddio run`. A run has no second sandbox in it. */
function startedAs(
  { name, command, isSandboxed }: ServerRunOptions,
  note: (text: string) => void,
): readonly string[] {
  if (!isSandboxed) return command;
  if (existsSync(ADDRESS_IN_RUN)) {
    note("this is a sandbox already; the server is started in it");
    return command;
  }
  return [...ownProgram(), "run", "--name", `mcp-${name}`, "--", ...command];
}

/** Writes lines; while the reader is slow, their source is not read. */
function writer(to: Writable, source: Readable): (text: string) => void {
  return (text) => {
    if (to.destroyed || to.writableEnded) return;
    if (to.write(`${text}\n`) || source.isPaused()) return;
    source.pause();
    to.once("drain", () => source.resume());
  };
}

function readLines(
  from: Readable,
  maxBytes: number,
  onLine: (line: Uint8Array) => void,
  onEnd: (why: string | undefined) => void,
): Promise<void> {
  const reader = new LineReader(maxBytes);
  return new Promise((resolve) => {
    let isOver = false;
    const over = (why?: string) => {
      if (isOver) return;
      isOver = true;
      onEnd(why);
      resolve();
    };
    from.on("data", (chunk: Buffer) => {
      for (const line of reader.push(chunk)) onLine(line);
      if (reader.problem !== undefined) over(reader.problem);
    });
    from.once("end", () => over());
    from.once("error", (error: Error) => over(error.message));
    from.once("close", () => over());
  });
}

function flushed(to: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed) resolve();
    else to.write("", () => resolve());
  });
}
