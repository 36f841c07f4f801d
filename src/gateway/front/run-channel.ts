// The socket on which one run's bridge hands over the agent's connections. It admits one process:
// the bridge that registered with the run's token. A connection is then served like any other of
// the proxy, as that run's. The first line of the bridge's own connection is `IDDIO-RUN <token>`;
// it stays open as long as the run lives. With ` PASSES` behind it (Linux), each later connection
// carries one open socket of the agent's and the line of handed-over.ts.

import { chmod, chown, rm } from "node:fs/promises";
import type { Socket } from "bun";
import { peerOf } from "../../api/server/peer.ts";
import { startTimeOf } from "../../host/process/process-start.ts";
import { takeConnection } from "../../host/process/sockets/pass-descriptor.ts";
import { type HandedOver, readHandedOver } from "../../host/sandbox/handed-over.ts";
import { closeDescriptor } from "../../host/sandbox/libc.ts";
import type { Run, RunChannel, Runs } from "../request/runs/runs.ts";
import { adoptSocket } from "../stream/adopt-socket.ts";
import { Channel } from "../stream/channel.ts";
import { TcpStream } from "../stream/tcp-stream.ts";

const FIRST_LINE_MS = 10_000;
const FIRST_LINE_MAX = 200;
/** A bridge that was told to end has this long to end its agent in good order. */
const END_MS = 5_000;

/** The inputs of a run's channel. */
export interface RunChannelParts {
  readonly run: Run;
  readonly path: string;
  /** The user, by number, to whom the socket is given; ours unless given. */
  readonly owner?: number;
  readonly runs: () => Runs;
  /** Serves a connection of the run to its end. */
  readonly serve: (stream: TcpStream, run: Run, handedOver?: HandedOver) => void;
}

/** Listens for the bridge of one run. */
export async function openRunChannel(parts: RunChannelParts): Promise<RunChannel> {
  const { run, path, runs } = parts;
  const open = new Set<TcpStream>();
  let bridge: Channel | undefined;
  let bridgePid: number | undefined;
  let passes = false;
  let isClosed = false;
  await rm(path, { force: true });

  const serveBridge = async (stream: TcpStream, pid: number) => {
    const channel = new Channel(stream);
    const said = await firstLine(channel);
    if (said === undefined || bridge !== undefined || !(await runs().register(run.id, said.token, pid)))
      return channel.destroy();
    bridge = channel;
    passes = said.passes;
    bridgePid = pid;
    channel.write(new TextEncoder().encode("OK\n"));
    channel.onClosed(() => {
      bridge = undefined;
      if (!isClosed) runs().end(run.id, "ended");
    });
    channel.onOver(() => channel.destroy());
  };

  const serve = (stream: TcpStream, handedOver?: HandedOver) => {
    if (isClosed) return stream.destroy();
    open.add(stream);
    stream.onceGone(() => open.delete(stream));
    parts.serve(stream, run, handedOver);
  };

  /** One connection of the agent's, which came beside a line that says what it is. */
  const takeOver = async (fd: number) => {
    const passed = await takeConnection(fd);
    if (passed === undefined) return;
    const handedOver = readHandedOver(passed.text);
    if (handedOver === undefined) return closeDescriptor(passed.fd);
    // One that has broken meanwhile cannot be adopted.
    const stream = await adoptSocket(passed.fd).catch(() => undefined);
    if (stream) serve(stream, handedOver);
  };

  const handlers = TcpStream.handlers(() => undefined);
  const server = Bun.listen<TcpStream | undefined>({
    unix: path,
    allowHalfOpen: true,
    data: undefined,
    socket: {
      ...handlers,
      open(socket: Socket<TcpStream | undefined>) {
        const stream = new TcpStream(socket);
        const pid = peerOf((socket as unknown as { fd: number }).fd).pid;
        if (pid === undefined || isClosed) return stream.destroy();
        if (bridge === undefined) {
          void serveBridge(stream, pid);
          return;
        }
        if (!runs().isBridge(run.id, pid)) return stream.destroy();
        if (!passes) return serve(stream);
        void takeOver((socket as unknown as { fd: number }).fd);
        stream.hangUp();
      },
    },
  });
  await chmod(path, 0o600);
  if (parts.owner !== undefined) await chown(path, parts.owner, process.getgid?.() ?? 0);

  return {
    close(why) {
      if (isClosed) return;
      isClosed = true;
      server.stop(false);
      for (const stream of open) stream.destroy();
      // A daemon that only restarts says nothing: the bridge comes back.
      if (why === "stopped") bridge?.write(new TextEncoder().encode("END\n"));
      bridge?.end();
      void rm(path, { force: true });
      if (why === "stopped" && bridgePid !== undefined) endLater(bridgePid);
    },
  };
}

/** Whatever the bridge does with the order, its processes do not outlive it. */
function endLater(pid: number): void {
  const started = startTimeOf(pid);
  setTimeout(() => {
    try {
      // The number may be somebody else's by now.
      if (startTimeOf(pid) === started) process.kill(pid, "SIGKILL");
    } catch {
      // It has ended, as it was told.
    }
  }, END_MS).unref();
}

async function firstLine(
  channel: Channel,
): Promise<{ readonly token: string; readonly passes: boolean } | undefined> {
  const end = performance.now() + FIRST_LINE_MS;
  let text = "";
  for (;;) {
    text += new TextDecoder("latin1").decode(channel.read());
    const [, token, passes] = /^IDDIO-RUN ([0-9a-f]{64})( PASSES)?\n$/.exec(text) ?? [];
    if (token !== undefined) return { token, passes: passes !== undefined };
    if (text.length > FIRST_LINE_MAX || text.includes("\n")) return undefined;
    if (!(await channel.moreWithin(end - performance.now()))) return undefined;
  }
}
