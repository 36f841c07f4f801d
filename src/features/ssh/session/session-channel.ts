// One session channel of a client: collects its first wishes (variables, a terminal), takes its one
// command, shell or subsystem, waits for the daemon's answer, and joins it to the operator's ssh.
// Nothing reaches the remote side before the answer; a refusal is text on stderr and exit status
// 126.

import type { Connection, ServerChannel, Session } from "ssh2";
import type { Wish } from "../link.ts";
import { ChannelWriter } from "./channel-writer.ts";
import { joinUpstream } from "./join-upstream.ts";
import { Recording } from "./recording.ts";
import type { SessionContext } from "./session-context.ts";
import { SftpGate } from "./sftp-gate.ts";
import type { ClientTerminal, SshUpstream } from "./upstream.ts";
import type { UpstreamWork } from "./upstream-arguments.ts";

/** How a shell says that a command was found and not run. */
const REFUSED = 126;
const COMMAND_MAX = 100_000;
const VARIABLES_MAX = 32;

/** Variables that change how a program speaks, and nothing that it does. */
const ALLOWED_VARIABLE =
  /^(?:LANG|LANGUAGE|LC_[A-Z]{2,20}|TZ|COLORTERM|NO_COLOR|FORCE_COLOR|CLICOLOR|GIT_PROTOCOL)$/;
const ALLOWED_VALUE = /^[\w.,:@=+ -]{0,200}$/;
/** Only a zone's name has slashes: elsewhere, and in front, they would name a file that a program then reads. */
const ZONE = /^[A-Za-z][\w+-]*(?:\/[A-Za-z][\w+-]*){0,2}$/;

/** Whether a client's variable goes on to the host. */
export function isAllowedVariable(name: string, value: string): boolean {
  if (!ALLOWED_VARIABLE.test(name) || value.startsWith(":")) return false;
  return ALLOWED_VALUE.test(value) || (name === "TZ" && ZONE.test(value));
}

/** Serves a session channel. */
export function serveSessionChannel(context: SessionContext, client: Connection, session: Session): void {
  const variables = new Map<string, string>();
  let terminal: ClientTerminal | undefined;
  let upstream: Pick<SshUpstream, "write" | "kill" | "resize"> | undefined;
  let hasBegun = false;

  session.on("env", (accept, _, { key, val }) => {
    // A variable that is not on the list is ignored silently, as sshd does: a client's locale must not break
    // its command. So is one that comes after the question, which was about the others.
    if (!hasBegun && isAllowedVariable(key, val) && variables.size < VARIABLES_MAX) variables.set(key, val);
    accept?.();
  });
  session.on("pty", (accept, reject, info) => {
    if (hasBegun) return reject?.();
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
    void context.refuseForward("x11");
    reject?.();
  });
  session.on("auth-agent", (_, reject) => {
    void context.refuseForward("auth-agent");
    (reject as unknown as (() => void) | undefined)?.();
  });

  const begin = (accept: () => ServerChannel, wish: Wish, work: UpstreamWork) => {
    if (hasBegun) return;
    hasBegun = true;
    const channel = accept();
    void serve(context, client, channel, {
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
  readonly started: (upstream: Pick<SshUpstream, "write" | "kill" | "resize">) => void;
}

async function serve(
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
  // The client left while a person decided, so the command is not run.
  if (writer.isClosed) {
    context.link.end(asked.id, {
      code: undefined,
      toRemote: 0,
      fromRemote: 0,
      reason: "the client went away",
    });
    return;
  }
  let recording: Recording | undefined;
  let upstream: Pick<SshUpstream, "write" | "kill" | "resize"> | undefined;
  try {
    const { recording: order } = answer;
    if (order !== undefined)
      recording = await Recording.begin(order, (why) => {
        if (!order.endsOnFailure) return;
        void tell(`iddio ended the session: it cannot be recorded (${why})`);
        upstream?.kill();
      });
  } catch (error) {
    const reason = `the session cannot be recorded (${error instanceof Error ? error.message : String(error)})`;
    if (answer.recording?.endsOnFailure) {
      context.link.end(asked.id, { code: undefined, toRemote: 0, fromRemote: 0, reason });
      await tell(`iddio refused it: ${reason}`);
      return writer.finish(REFUSED);
    }
  }
  const asksNothing = wish.kind !== "subsystem" || wish.name !== "sftp";
  const join = joinUpstream({
    context,
    channel,
    writer,
    id: asked.id,
    work,
    terminal,
    variables,
    recording,
    tell,
    ...(asksNothing
      ? {}
      : { gate: (upstream) => sftpGate({ context, upstream, writer, channel: asked.id, tell, recording }) }),
  });
  upstream = join.upstream;
  if (upstream !== undefined) started(upstream);
  await writer.finish(await join.ended);
}

interface GateOptions {
  readonly context: SessionContext;
  readonly upstream: SshUpstream;
  readonly writer: ChannelWriter;
  readonly channel: number;
  readonly tell: (text: string) => Promise<void>;
  readonly recording: Recording | undefined;
}

/** The gate of a channel of SFTP; without it the bytes would pass unread. A recording has a line for each operation. */
function sftpGate({ context, upstream, writer, channel, tell, recording }: GateOptions): SftpGate {
  const { link } = context;
  const names = new Map<number, string>();
  return new SftpGate({
    ask(operation, paths) {
      const asked = link.ask({ kind: "file", operation, paths, channel }, (text) => void tell(text));
      names.set(asked.id, `${operation} ${paths.join(" ")}`);
      return asked;
    },
    leave: (id) => link.leave(id),
    end(id, end) {
      link.end(id, end);
      const { toRemote, fromRemote, sha256, reason } = end;
      const digest = sha256 === undefined ? "" : ` sha256 ${sha256}`;
      const bytes = toRemote + fromRemote === 0 ? "" : ` ${toRemote + fromRemote} bytes`;
      recording?.note(`${names.get(id) ?? ""}${bytes}${digest}${reason === undefined ? "" : ` (${reason})`}`);
      names.delete(id);
    },
    toServer: async (bytes) => upstream.write(bytes),
    toClient: (bytes) => writer.write(bytes),
    tell,
    cut(reason) {
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
      return "iddio refused a command that holds a null byte or is not UTF-8: it cannot be read";
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
