// One session channel of a client: collects what it asks for first (variables, a terminal), takes its one command,
// shell or subsystem, waits for the daemon's answer, and joins it to the operator's ssh. Nothing reaches the remote side
// before the answer; a refusal is text on stderr and exit status 126.

import type { Connection, ServerChannel, Session } from "ssh2";
import type { Wish } from "../link.ts";
import { ChannelWriter } from "./channel-writer.ts";
import type { SessionContext } from "./session-context.ts";
import { SftpGate } from "./sftp-gate.ts";
import { type ClientTerminal, startUpstream, type Upstream } from "./upstream.ts";
import type { UpstreamWork } from "./upstream-arguments.ts";

/** How a shell says that a command was found and not run. */
const REFUSED = 126;
/** How ssh says that it could not connect, or that a signal ended the command. */
const FAILED = 255;
const COMMAND_MAX = 100_000;
const VARIABLES_MAX = 32;

/** Variables that change how a program speaks, and nothing that it does. */
const ALLOWED_VARIABLE =
  /^(?:LANG|LANGUAGE|LC_[A-Z]{2,20}|TZ|COLORTERM|NO_COLOR|FORCE_COLOR|CLICOLOR|GIT_PROTOCOL)$/;
const ALLOWED_VALUE = /^[\w.,:@=+/ -]{0,200}$/;

/** Serves a session channel. */
export function serveSessionChannel(context: SessionContext, client: Connection, session: Session): void {
  const variables = new Map<string, string>();
  let terminal: ClientTerminal | undefined;
  let upstream: Upstream | undefined;
  let hasBegun = false;

  session.on("env", (accept, _, { key, val }) => {
    // What is not on the list is passed over in silence, as sshd does: a client's locale must not break its command.
    if (ALLOWED_VARIABLE.test(key) && ALLOWED_VALUE.test(val) && variables.size < VARIABLES_MAX)
      variables.set(key, val);
    accept?.();
  });
  session.on("pty", (accept, _, info) => {
    const { term } = info as unknown as { term?: string };
    terminal = { term: plainTerm(term), columns: bounded(info.cols, 80), rows: bounded(info.rows, 24) };
    accept?.();
  });
  session.on("window-change", (accept, _, { cols, rows }) => {
    if (terminal) terminal = { ...terminal, columns: bounded(cols, 80), rows: bounded(rows, 24) };
    upstream?.resize(bounded(cols, 80), bounded(rows, 24));
    accept?.();
  });
  session.on("signal", (accept, _, { name }) => {
    if (upstream !== undefined && name === "INT" && terminal !== undefined) void upstream.write(INTERRUPT);
    else if (/^(?:INT|TERM|KILL|HUP|QUIT)$/.test(name)) upstream?.kill();
    accept?.();
  });
  session.on("x11", (_, reject) => {
    void context.refuseForward("x11", "");
    reject?.();
  });
  session.on("auth-agent", (_, reject) => {
    void context.refuseForward("auth-agent", "");
    (reject as unknown as (() => void) | undefined)?.();
  });

  const begin = (accept: () => ServerChannel, wish: Wish, work: UpstreamWork) => {
    if (hasBegun) return;
    hasBegun = true;
    const channel = accept();
    void run(context, client, channel, {
      wish,
      work,
      terminal: () => terminal,
      variables,
      started: (each) => (upstream = each),
    });
  };
  session.on("exec", (accept, _, { command }) => {
    const pty = terminal !== undefined;
    if (command === "") begin(accept, { kind: "shell" }, { kind: "shell", pty });
    else begin(accept, { kind: "exec", command, pty }, { kind: "command", command, pty });
  });
  session.on("shell", (accept) => {
    begin(accept, { kind: "shell" }, { kind: "shell", pty: terminal !== undefined });
  });
  session.on("subsystem", (accept, _, { name }) => {
    begin(accept, { kind: "subsystem", name }, { kind: "subsystem", name });
  });
}

interface Run {
  readonly wish: Wish;
  readonly work: UpstreamWork;
  readonly terminal: () => ClientTerminal | undefined;
  readonly variables: ReadonlyMap<string, string>;
  readonly started: (upstream: Upstream) => void;
}

async function run(
  context: SessionContext,
  client: Connection,
  channel: ServerChannel,
  { wish, work, terminal, variables, started }: Run,
): Promise<void> {
  const writer = new ChannelWriter(channel, client);
  const tell = (text: string) => {
    const end = terminal() === undefined ? "\n" : "\r\n";
    return writer.write(new TextEncoder().encode(text.replace(/\n/g, end) + end), true);
  };
  const problem = unreadable(wish);
  if (problem !== undefined) {
    await tell(problem);
    return writer.finish(REFUSED);
  }
  const asked = context.link.ask(wish, (text) => void tell(text));
  const left = () => context.link.leave(asked.id);
  channel.once("close", left);
  const answer = await asked.answer;
  channel.off("close", left);
  if (answer.kind === "refuse") {
    await tell(answer.text);
    return writer.finish(REFUSED);
  }
  let toRemote = 0;
  let fromRemote = 0;
  let upstream: Upstream;
  let gate: SftpGate | undefined;
  try {
    upstream = startUpstream({
      target: context.target,
      work,
      terminal: terminal(),
      variables,
      env: context.env,
      scratch: context.start.scratch,
      output: async (bytes, isStderr) => {
        fromRemote += bytes.length;
        if (gate !== undefined && !isStderr) await gate.server(bytes);
        else await writer.write(bytes, isStderr);
      },
    });
  } catch (error) {
    const reason = `ssh cannot be started (${error instanceof Error ? error.message : String(error)})`;
    context.link.end(asked.id, { code: undefined, toRemote, fromRemote, reason });
    await tell(`iddio: ${reason}`);
    return writer.finish(FAILED);
  }
  started(upstream);
  if (wish.kind === "subsystem" && wish.name === "sftp")
    gate = sftpGate(context, upstream, writer, asked.id, tell);
  const forget = context.track(upstream);
  channel.once("close", () => upstream.kill());
  // Not by an iterator: at its end that would close the channel, and the answer with it.
  let taken = Promise.resolve();
  channel.on("data", (bytes: Buffer) => {
    toRemote += bytes.length;
    channel.pause();
    taken = taken
      .then(() => (gate === undefined ? upstream.write(bytes) : gate.client(bytes)))
      .then(() => void channel.resume());
  });
  channel.once("end", () => void taken.then(() => upstream.end()));
  const { code, log } = await upstream.ended;
  forget();
  gate?.close();
  const reason = code === FAILED ? lastLine(log) : "";
  context.link.end(asked.id, { code, toRemote, fromRemote, ...(reason === "" ? {} : { reason }) });
  if (log !== "" && code === FAILED) await tell(context.explain(log));
  await writer.finish(code);
}

/** The gate of a channel of SFTP; without it the bytes would pass unread. */
function sftpGate(
  { link }: SessionContext,
  upstream: Upstream,
  writer: ChannelWriter,
  channel: number,
  tell: (text: string) => Promise<void>,
): SftpGate {
  return new SftpGate({
    ask: (operation, paths) =>
      link.ask({ kind: "file", operation, paths, channel }, (text) => void tell(text)),
    leave: (id) => link.leave(id),
    end: (id, end) => link.end(id, end),
    toServer: (bytes) => upstream.write(bytes),
    toClient: (bytes) => writer.write(bytes),
    tell,
    cut: (reason) => {
      void tell(`iddio ended the transfer: ${reason}`);
      upstream.kill();
    },
  });
}

const INTERRUPT = new Uint8Array([3]);

/** Why a wish cannot be carried on as it is; the daemon is not even asked. */
function unreadable(wish: Wish): string | undefined {
  if (wish.kind === "exec") {
    if (wish.command.length > COMMAND_MAX)
      return `iddio refused a command of more than ${COMMAND_MAX} characters`;
    if (/[\0\uFFFD]/.test(wish.command))
      return "iddio refused a command that holds a null byte or is not UTF-8; what it would run cannot be read";
  }
  if (wish.kind === "subsystem" && !/^[A-Za-z0-9][A-Za-z0-9@._-]{0,63}$/.test(wish.name))
    return "iddio refused a subsystem whose name is not plain";
  return undefined;
}

function plainTerm(term: string | undefined): string {
  return term !== undefined && /^[A-Za-z0-9][A-Za-z0-9+._-]{0,40}$/.test(term) ? term : "dumb";
}

function bounded(value: number, usual: number): number {
  return Number.isInteger(value) && value > 0 ? Math.min(value, 2000) : usual;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim().slice(0, 300) ?? "";
}
