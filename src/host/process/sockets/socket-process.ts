// Which process holds a client's socket. macOS tells; Linux has no index for that: every
// descriptor of every process is looked at, newest processes first, because a CLI that has
// just connected has just started. So questions are gathered and answered in one pass, a
// pass is cut into slices, and passes together take a small share of the time: nobody's
// request waits for this, and a flood of connections makes answers rarer, not the gateway
// slower.

import { readdirSync, readlinkSync } from "node:fs";
import { readMacSockets } from "./mac-sockets.ts";
import type { SocketEnd } from "./sock-diag.ts";
import { macSocketOf } from "./socket-owner.ts";

/** One question: the client's end of a connection, with its inode where the system tells (Linux). */
export interface SocketQuestion {
  readonly client: SocketEnd;
  readonly server: SocketEnd;
  readonly inode?: number;
}

/** Answers, by pid, the questions that a pass could answer; resolves with the milliseconds that it used of the thread. */
export type Pass = (
  questions: readonly SocketQuestion[],
  answer: (question: SocketQuestion, pid: number) => void,
) => Promise<number>;

/** A question that waits; forgetting it is free. */
export interface Pending {
  /** The pid, or undefined when nobody could tell. */
  readonly pid: Promise<number | undefined>;
  /** The connection has ended: there is nothing to find any more. */
  forget(): void;
}

/** Passes take at most one part in so many of the time. */
const REST_FACTOR = 25;
/** The same while somebody waits for an answer. */
const URGENT_FACTOR = 4;
const WAITING_MAX = 2_000;

/** Gathers questions and runs passes; one per daemon. */
export class SocketProcesses {
  readonly #pass: Pass;
  readonly #waiting = new Map<SocketQuestion, (pid: number | undefined) => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRunning = false;
  #isUrgent = false;
  #endedMs = 0;
  #usedMs = 0;

  /** `pass` is the system's way to look, unless a test gives its own. */
  constructor(pass: Pass = passOfThisSystem()) {
    this.#pass = pass;
  }

  /** Asks once; the answer comes within milliseconds on a quiet machine. */
  find(question: SocketQuestion): Pending {
    if (this.#waiting.size >= WAITING_MAX) return { pid: Promise.resolve(undefined), forget() {} };
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const settle = (pid: number | undefined) => {
      this.#waiting.delete(question);
      resolve(pid);
    };
    this.#waiting.set(question, settle);
    this.#schedule();
    return { pid: promise, forget: () => settle(undefined) };
  }

  /** Somebody waits for an answer: the next pass begins soon. */
  hurry(): void {
    this.#isUrgent = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule();
  }

  /** Answers everything that waits with undefined. */
  close(): void {
    clearTimeout(this.#timer);
    for (const settle of [...this.#waiting.values()]) settle(undefined);
  }

  #schedule(): void {
    if (this.#isRunning || this.#timer !== undefined) return;
    const restMs = this.#usedMs * (this.#isUrgent ? URGENT_FACTOR : REST_FACTOR);
    const waitMs = Math.max(0, this.#endedMs + restMs - performance.now());
    this.#timer = setTimeout(() => void this.#run(), waitMs).unref();
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#isUrgent = false;
    if (this.#waiting.size === 0) return;
    this.#isRunning = true;
    let usedMs = 0;
    const questions = [...this.#waiting.keys()];
    try {
      usedMs = await this.#pass(questions, (question, pid) => this.#waiting.get(question)?.(pid));
    } catch {
      // Whatever could not be read stays unknown.
    }
    for (const question of questions) this.#waiting.get(question)?.(undefined);
    this.#isRunning = false;
    // Only its own time counts: what others did between its slices is no reason to answer rarely, least of all under load.
    this.#usedMs = usedMs;
    this.#endedMs = performance.now();
    if (this.#waiting.size > 0) this.#schedule();
  }
}

function passOfThisSystem(): Pass {
  if (process.platform === "linux") return new ProcPass().run;
  return process.platform === "darwin" ? macPass : async () => 0;
}

/** Longest time that the event loop is held at once. */
const SLICE_MS = 2;
const RECENT_MAX = 16;

/** Looks through /proc/<pid>/fd, the processes that answered last first. */
class ProcPass {
  /** Latest last. */
  readonly #recent = new Set<number>();

  readonly run: Pass = async (questions, answer) => {
    const wanted = new Map<string, SocketQuestion>();
    for (const question of questions)
      if (question.inode !== undefined) wanted.set(`socket:[${question.inode}]`, question);
    let usedMs = 0;
    let sliceStart = performance.now();
    for (const pid of this.#order()) {
      for (const link of linksOf(pid)) {
        const question = wanted.get(link);
        if (question !== undefined) {
          wanted.delete(link);
          this.#remember(pid);
          answer(question, pid);
        }
        const spentMs = performance.now() - sliceStart;
        if (spentMs < SLICE_MS) continue;
        usedMs += spentMs;
        await new Promise((resolve) => setImmediate(resolve));
        sliceStart = performance.now();
      }
      if (wanted.size === 0) break;
    }
    return usedMs + performance.now() - sliceStart;
  };

  #order(): readonly number[] {
    const recent = [...this.#recent].reverse();
    // Numbers grow with every process; where they wrapped around, the order is only less good.
    const others = readdirSync("/proc")
      .map(Number)
      .filter((pid) => pid > 0 && !this.#recent.has(pid))
      .sort((a, b) => b - a);
    return [...recent, ...others];
  }

  #remember(pid: number): void {
    this.#recent.delete(pid);
    this.#recent.add(pid);
    const oldest = this.#recent.size > RECENT_MAX ? this.#recent.values().next().value : undefined;
    if (oldest !== undefined) this.#recent.delete(oldest);
  }
}

/** Yields the targets of a process's descriptors; nothing for a process that ended or belongs to another user. */
function* linksOf(pid: number): Generator<string> {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return;
  }
  for (const descriptor of descriptors) {
    try {
      yield readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      // Closed meanwhile.
    }
  }
}

/** On macOS the kernel's table names the process of each connection: one system call answers every question. */
const macPass: Pass = async (questions, answer) => {
  const started = performance.now();
  const sockets = readMacSockets();
  for (const question of questions) {
    const found = macSocketOf(sockets, question.client, question.server);
    if (found !== undefined && found.pid > 0) answer(question, found.pid);
  }
  return performance.now() - started;
};
