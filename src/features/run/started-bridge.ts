// A bridge that was started before it was known what for: its start takes longer than all else,
// which is worked out meanwhile. It waits for its orders at a pipe; when nothing comes, it ends and
// nothing was started.

import { isTerminal } from "../../host/process/descriptor-io.ts";
import { AgentTerminal } from "./agent-terminal.ts";
import type { HostEnd } from "./bridge/host-end.ts";
import { type BridgeSpec, ORDERS_DESCRIPTOR, ORDERS_END } from "./bridge/spec.ts";
import type { RunSignals } from "./run-signals.ts";

/** The environment of the process: nothing of the person's own. */
const ENVIRONMENT = { PATH: "/usr/bin:/bin", HOME: "/", LANG: "C.UTF-8" };

/** The process, its orders and the agent's terminal; `using` ends it. */
export class StartedBridge implements Disposable {
  readonly child: Bun.Subprocess;
  /** The agent's own terminal, where the person sits at one. */
  readonly terminal: AgentTerminal | undefined;
  readonly #stdio: BridgeSpec["stdio"];
  readonly #orders: number;
  #isOver = false;

  /** Starts it in a network of its own. */
  constructor(argv: readonly string[]) {
    const terminals = [0, 1, 2].map((fd) => isTerminal(fd));
    const hasTerminal = terminals.includes(true);
    // Those of stdin, stdout and stderr that are no terminal go past the agent's terminal.
    const extra = hasTerminal ? [0, 1, 2].filter((fd) => !terminals[fd]) : [];
    this.#stdio = [0, 1, 2].map((fd) =>
      extra.includes(fd) ? 4 + extra.indexOf(fd) : fd,
    ) as unknown as BridgeSpec["stdio"];
    this.terminal = hasTerminal ? new AgentTerminal() : undefined;
    this.child = Bun.spawn([...argv], {
      stdio: this.terminal === undefined ? [0, 1, 2, "pipe"] : [null, null, null, "pipe", ...extra],
      env: ENVIRONMENT,
      ...(this.terminal === undefined ? { detached: true } : { terminal: this.terminal.options }),
    } as never) as Bun.Subprocess;
    this.#orders = (this.child.stdio as readonly unknown[])[ORDERS_DESCRIPTOR] as number;
    this.terminal?.attach(this.child.terminal);
    void this.child.exited.then(() => {
      this.#isOver = true;
    });
  }

  /** Tells it what to do; from now on the person's terminal is the agent's. */
  async instruct(
    spec: Omit<BridgeSpec, "stdio" | "hasTerminal">,
    host: HostEnd,
    signals: RunSignals,
  ): Promise<void> {
    const whole: BridgeSpec = { ...spec, stdio: this.#stdio, hasTerminal: this.terminal !== undefined };
    this.terminal?.begin(host, signals);
    const bytes = new TextEncoder().encode(`${JSON.stringify(whole)}${String.fromCharCode(ORDERS_END)}`);
    try {
      for (let at = 0; at < bytes.length; ) at += await writeSome(this.#orders, bytes.subarray(at));
    } catch (error) {
      // It has ended, and has said why.
      if (!["EPIPE", "ECONNRESET"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
    }
  }

  /** Ends it at once. Its group is its own: a part of bubblewrap that waits for the rest would wait forever. */
  kill(): void {
    try {
      process.kill(-this.child.pid, "SIGKILL");
    } catch {
      this.child.kill("SIGKILL");
    }
  }

  [Symbol.dispose](): void {
    if (!this.#isOver) this.kill();
    this.terminal?.[Symbol.dispose]();
  }
}

/** Not on this thread: a bridge that does not read must not keep signals from being heard. */
async function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  process.getBuiltinModule("node:fs").write(fd, bytes, 0, bytes.length, null, (error, written) => {
    if (error === null) resolve(written);
    else if (error.code === "EAGAIN") resolve(0);
    else reject(error);
  });
  const written = await promise;
  if (written === 0) await Bun.sleep(1);
  return written;
}
