// Whether the agent has been stopped. Ctrl-Z stops its whole group and with it bubblewrap, which is
// our child; a program that handles Ctrl-Z itself stops itself alone, and only /proc tells of that.

import { procText, wasStopped } from "../../../host/sandbox/libc.ts";

/** SIGINT among the signals of a process. */
const INTERRUPT = 2n;
/** Milliseconds that a sandbox's last processes are waited for. */
const GONE_TRIES = 1_000;

/** Looks at one sandbox. */
export class StoppedAgent {
  readonly #sandbox: number;
  /** The first process in it, with which all others end. */
  #first: number | undefined;
  #agent: number | undefined;
  #isTold = false;

  /** `sandbox` is the process of bubblewrap; the agent is its child's child. */
  constructor(sandbox: number) {
    this.#sandbox = sandbox;
  }

  /** Whether it has been started. */
  get isThere(): boolean {
    this.#first ??= childOf(this.#sandbox);
    this.#agent ??= childOf(this.#first);
    return this.#agent !== undefined;
  }

  /** Resolves when every process of a sandbox that has ended is gone: the kernel ends them one after the other. */
  async nothingIsLeft(): Promise<void> {
    for (let tries = 0; tries < GONE_TRIES && isAlive(this.#first); tries += 1) await Bun.sleep(1);
  }

  /** Whether Ctrl-C would end it, as it would a program that was just started. */
  get hearsInterrupts(): boolean {
    const status = this.#agent === undefined ? undefined : procText(`/proc/${this.#agent}/status`);
    const ignored = /^SigIgn:\s*([0-9a-f]{16})$/m.exec(status ?? "")?.[1];
    return ignored !== undefined && (BigInt(`0x${ignored}`) & INTERRUPT) === 0n;
  }

  /** Whether it has been stopped since the last time that this was asked. */
  wasStopped(): boolean {
    const isWhole = wasStopped(this.#sandbox);
    const isStopped = this.#state() === "T";
    const isNews = isStopped && !this.#isTold;
    this.#isTold = isStopped;
    return isWhole || isNews;
  }

  /** Has it go on, should it be in no group of ours. */
  resume(): void {
    this.#isTold = false;
    try {
      if (this.#state() === "T" && this.#agent !== undefined) process.kill(this.#agent, "SIGCONT");
    } catch {
      // It has ended.
    }
  }

  #state(): string | undefined {
    return this.isThere ? stateOf(this.#agent) : undefined;
  }
}

function stateOf(pid: number | undefined): string | undefined {
  const text = pid === undefined ? undefined : procText(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2)[0];
}

function isAlive(pid: number | undefined): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

function childOf(pid: number | undefined): number | undefined {
  const text = pid === undefined ? undefined : procText(`/proc/${pid}/task/${pid}/children`);
  return Number(text?.split(" ")[0]) || undefined;
}
