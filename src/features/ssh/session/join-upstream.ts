// Joins a client's channel, once it may go, to a run of the operator's ssh: bytes both ways,
// through a gate where there is one, into the recording, to the end; and says to the daemon how it
// ended.

import type { ServerChannel } from "ssh2";
import type { ChannelWriter } from "./channel-writer.ts";
import type { Recording } from "./recording.ts";
import type { SessionContext } from "./session-context.ts";
import type { SftpGate } from "./sftp-gate.ts";
import { type ClientTerminal, type SshUpstream, startUpstream } from "./upstream.ts";
import type { UpstreamWork } from "./upstream-arguments.ts";

/** How ssh says that it could not connect, or that a signal ended the command. */
const FAILED = 255;

/** Both sides, and everything in between. */
export interface Joint {
  readonly context: SessionContext;
  readonly channel: ServerChannel;
  readonly writer: ChannelWriter;
  /** The daemon's number for it. */
  readonly id: number;
  readonly work: UpstreamWork;
  readonly terminal: () => ClientTerminal | undefined;
  readonly variables: ReadonlyMap<string, string>;
  readonly recording: Recording | undefined;
  /** Reads the bytes in between, which would pass unread otherwise. */
  readonly gate?: (upstream: SshUpstream) => SftpGate;
  /** Words for whoever reads the client's stderr; nothing where there is none. */
  tell(text: string): Promise<void>;
}

/** Starts it. Never throws; `ended` resolves to the exit code. */
export function joinUpstream(joint: Joint): {
  readonly upstream: Pick<SshUpstream, "write" | "kill" | "resize"> | undefined;
  readonly ended: Promise<number>;
} {
  const { context, channel, writer, id, work, terminal, variables, recording, tell } = joint;
  let toRemote = 0;
  let fromRemote = 0;
  let gate: SftpGate | undefined;
  let running: SshUpstream;
  try {
    running = startUpstream({
      target: context.target,
      work,
      terminal: terminal(),
      variables,
      env: context.env,
      scratch: context.start.scratch,
      output: async (bytes, isStderr) => {
        fromRemote += bytes.length;
        if (gate === undefined || isStderr) recording?.data(isStderr ? "stderr" : "stdout", bytes);
        if (gate !== undefined && !isStderr) await gate.server(bytes);
        else await writer.write(bytes, isStderr);
      },
    });
  } catch (error) {
    const reason = `ssh cannot be started (${error instanceof Error ? error.message : String(error)})`;
    context.link.end(id, { code: undefined, toRemote, fromRemote, reason });
    const ended = (async () => {
      await recording?.end(undefined);
      await tell(`iddio: ${reason}`);
      return FAILED;
    })();
    return { upstream: undefined, ended };
  }
  const size = terminal();
  if (size !== undefined) recording?.resize(size.columns, size.rows);
  gate = joint.gate?.(running);
  context.link.onStop(id, () => {
    void tell("iddio: a person ended the session");
    running.kill();
  });
  const forget = context.track(running);
  channel.once("close", () => running.kill());
  // Not by an iterator: at its end that would close the channel, and the answer with it.
  let taken = Promise.resolve();
  channel.on("data", (bytes: Buffer) => {
    toRemote += bytes.length;
    if (gate === undefined) recording?.data("stdin", bytes);
    const wait = gate === undefined ? running.write(bytes) : gate.client(bytes);
    // Most pieces are taken at once: to stop and go on for each costs more than to pass it on.
    if (wait === undefined) return;
    channel.pause();
    taken = wait.then(() => void channel.resume());
  });
  channel.once("end", () => void taken.then(() => running.end()));
  const ended = (async () => {
    const { code, log } = await running.ended;
    forget();
    gate?.close();
    await recording?.end(code);
    const reason = code === FAILED ? lastLine(log) : "";
    context.link.end(id, { code, toRemote, fromRemote, ...(reason === "" ? {} : { reason }) });
    if (log !== "" && code === FAILED) await tell(context.explain(log));
    return code;
  })();
  return {
    upstream: {
      write: running.write,
      kill: running.kill,
      resize(columns, rows) {
        recording?.resize(columns, rows);
        running.resize(columns, rows);
      },
    },
    ended,
  };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim().slice(0, 300) ?? "";
}
