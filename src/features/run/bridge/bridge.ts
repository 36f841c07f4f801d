// The process between an agent and the daemon. It runs in a network namespace of the run's own, in
// the machine's file system, where the agent cannot see or signal it: it makes every address lead
// to itself, answers names, hands connections to the daemon, and starts the inner sandbox. When it
// ends, the agent ends.

import { tryRead, tryWrite } from "../../../host/process/descriptor-io.ts";
import { shellExitCode } from "../../../host/process/exit-code.ts";
import {
  clearAmbientCapabilities,
  closeDescriptor,
  forbidTracing,
  giveTerminal,
  ignoreSignal,
  limitProcesses,
  memoryFile,
  processGroup,
  routeEverythingToLoopback,
  setProcessGroup,
  signalGroup,
} from "../../../host/sandbox/libc.ts";
import { UserError } from "../../../model/user-error.ts";
import { serveConnections } from "./connections.ts";
import { FakeNames } from "./fake-names.ts";
import { LineSocket } from "./line-socket.ts";
import { networkProblem } from "./network-check.ts";
import { asMountPath, MOUNTS_ARE_OWN, PREFLIGHT } from "./preflight.ts";
import { register } from "./register.ts";
import { serveNames } from "./resolver.ts";
import { type BridgeLine, type BridgeSpec, ORDERS_DESCRIPTOR, ORDERS_END } from "./spec.ts";
import { StoppedAgent } from "./stopped-agent.ts";

const SIGHUP = 1;
const SIGINT = 2;
const SIGQUIT = 3;
const SIGTTIN = 21;
const SIGTTOU = 22;
const SIGCONT = 18;
const SIGKILL = 9;
const SIGTERM = 15;
const ORDERS_PIECE = 64 * 1024;
const STOP_POLL_MS = 50;
/** Of one run, threads included: an agent that starts itself without end does not take the whole machine. */
const PROCESSES_MAX = 8_192;
/** The agent has this long to end after a stop. */
const END_MS = 2_000;

/** Runs the bridge to its agent's end and gives the agent's exit code. */
export async function runBridge(): Promise<number> {
  forbidTracing();
  // Typed at the agent, not at us; and a bridge in the background must not stop when it hands over the terminal.
  for (const signal of [SIGHUP, SIGINT, SIGQUIT, SIGTTIN, SIGTTOU]) ignoreSignal(signal);
  routeEverythingToLoopback();
  const names = new FakeNames();
  await serveNames(names);
  const spec = ordersFrom(ORDERS_DESCRIPTOR);
  if (spec === undefined) return 1;
  clearAmbientCapabilities();
  limitProcesses(PROCESSES_MAX);
  // Its mounts are made meanwhile; it waits in them until everything else holds.
  const agent = new Agent(spec);
  serveConnections({ ...spec, names });
  const end = () => void agent.end();
  const [host, problem, isAdmitted] = await Promise.all([
    LineSocket.open(spec.hostSocket),
    networkProblem(spec),
    register(spec, end, true),
  ]);
  if (host === undefined) throw new UserError("iddio run has gone");
  if (problem !== undefined) throw new UserError(`the sandbox is not closed: ${problem}`);
  if (!isAdmitted)
    throw new UserError("the daemon did not admit this run", { hint: "see the end of its log" });
  const tell = (line: BridgeLine) => host.write(line);
  void agent.letGo(() => tell("stopped")).then(() => tell("ready"));
  void listenToHost(host, spec, agent);
  const code = await agent.exited;
  tell(`exited ${code}`);
  return code;
}

/**
 * Reads the orders until they are complete; undefined when the pipe ended before. The bridge does nothing
 * else until then.
 */
function ordersFrom(descriptor: number): BridgeSpec | undefined {
  const pieces: Uint8Array[] = [];
  for (let last: number | undefined; last !== ORDERS_END; ) {
    const piece = new Uint8Array(ORDERS_PIECE);
    const read = tryRead(descriptor, piece);
    const length = read < 0 ? process.getBuiltinModule("node:fs").readSync(descriptor, piece) : read;
    if (length === 0) return undefined;
    pieces.push(piece.subarray(0, length));
    last = piece[length - 1];
  }
  closeDescriptor(descriptor);
  return JSON.parse(Buffer.concat(pieces).toString()) as BridgeSpec;
}

/** Carries out what `iddio run` says; when it has gone, so has the agent. */
async function listenToHost(host: LineSocket, spec: BridgeSpec, agent: Agent): Promise<void> {
  for (let line = await host.next(); line !== undefined; line = await host.next()) {
    const [verb, first, second] = line.split(" ");
    if (verb === "continue") agent.resume();
    else if (verb === "signal") agent.signal(Number(first));
    else if (verb === "open")
      void import("./publish.ts").then(({ publish }) => publish(spec, Number(first), Number(second)));
  }
  agent.signal(SIGKILL);
}

/** Descriptor at which the sandbox waits for a line before it starts the agent; its end ends it. */
const GO_DESCRIPTOR = 5;
const WAIT = `read -r go <&${GO_DESCRIPTOR} || exit 126; exec ${GO_DESCRIPTOR}<&-; `;
/** Milliseconds to wait for the agent to be seen, where the system shows it. */
const GO_TRIES = 2_000;

/** The inner sandbox with the agent in it. */
class Agent {
  readonly #child: Bun.Subprocess;
  readonly #group: number;
  readonly #terminal: number | undefined;
  readonly #stopped: StoppedAgent;
  /** bubblewrap was started without signals, which its command has again; see signal-wrappers.ts. */
  readonly #isWrapped: boolean;
  /** The exit code, when nothing of the agent is left. */
  readonly exited: Promise<number>;
  #poll: Timer | undefined;

  /** Starts the sandbox; the agent waits in it until it is let go. */
  constructor(spec: BridgeSpec) {
    const filter = memoryFile("filter", Buffer.from(spec.filter, "base64"));
    const args = memoryFile("args", new TextEncoder().encode(`${spec.args.join("\0")}\0`));
    this.#isWrapped = spec.wrappers[1].length > 0;
    const own = processGroup(0);
    // The agent's group is one of its own in our session, so that Ctrl-Z can stop it without stopping us. It is the
    // group that we are in for the moment of the start.
    setProcessGroup(0, 0);
    this.#group = process.pid;
    this.#child = Bun.spawn(
      [
        ...spec.wrappers[0],
        spec.bwrap,
        "--args",
        "4",
        "--seccomp",
        "3",
        "--",
        ...spec.wrappers[1],
        "/bin/sh",
        "-c",
        WAIT + MOUNTS_ARE_OWN + PREFLIGHT,
        "iddio",
        ...spec.bound.map(asMountPath),
        ...spec.mounts,
        "--",
        ...spec.secrets,
        "--",
        ...spec.command,
      ],
      { stdio: [...spec.stdio, filter, args, "pipe"] as never, env: { ...spec.env } },
    );
    setProcessGroup(0, own);
    closeDescriptor(filter);
    closeDescriptor(args);
    this.#terminal = spec.hasTerminal ? 0 : undefined;
    try {
      if (this.#terminal !== undefined) giveTerminal(this.#terminal, this.#group);
    } catch (error) {
      // It may not yet have asked the kernel to end it with us.
      this.#child.kill("SIGKILL");
      throw error;
    }
    this.#stopped = new StoppedAgent(this.#child.pid);
    this.exited = this.#child.exited.then(async () => {
      clearInterval(this.#poll);
      await this.#stopped.nothingIsLeft();
      return shellExitCode(this.#child);
    });
  }

  /**
   * Starts the agent; resolves when it was started, or has failed to. It waits until bubblewrap has asked the kernel to end it with us, which it has when the agent is there: of a
   * bridge that is killed before that nothing would be left but an agent that nobody can end.
   */
  async letGo(onStop: () => void): Promise<void> {
    if (this.#terminal !== undefined)
      this.#poll = setInterval(() => this.#stopped.wasStopped() && onStop(), STOP_POLL_MS);
    const go = (this.#child.stdio as readonly unknown[])[GO_DESCRIPTOR] as number;
    for (let tries = 0; tries < GO_TRIES && !this.#isReady(); tries += 1) await Bun.sleep(1);
    // Where this fails, it has ended.
    tryWrite(go, new TextEncoder().encode("\n"));
  }

  /** It is there and would hear Ctrl-C. */
  #isReady(): boolean {
    return this.#stopped.isThere && (!this.#isWrapped || this.#stopped.hearsInterrupts);
  }

  resume(): void {
    if (this.#terminal !== undefined) giveTerminal(this.#terminal, this.#group);
    signalGroup(this.#group, SIGCONT);
    this.#stopped.resume();
  }

  signal(signal: number): void {
    signalGroup(this.#group, signal);
    // A stopped process, by Ctrl-Z or by the agent itself, would not end.
    if (signal === SIGTERM || signal === SIGHUP) signalGroup(this.#group, SIGCONT);
    if (signal === SIGKILL) this.#child.kill("SIGKILL");
  }

  async end(): Promise<void> {
    this.signal(SIGTERM);
    await Promise.race([this.exited, Bun.sleep(END_MS)]);
    this.signal(SIGKILL);
  }
}
