// The `session` rule: who has sent a request that was held, and whether a caller belongs to the
// same terminal. It is a speed bump, level L0: `script`, `tmux send-keys` or a pseudo-terminal of a
// detached process get past it. It remembers senders that have ended, and forgets all when the
// daemon ends.

import { type SessionChain, type SessionMember, sessionChainOf } from "../../host/process/session-chain.ts";
import type { ClientIdentity } from "../../model/entry.ts";

/** A session that a sender belongs to; the start of the process that began it tells it from a later one. */
interface Marked {
  readonly session: number;
  /** Undefined when the process that began it had ended already: then any session with this number is meant. */
  readonly started: string | undefined;
}

const MARKED_MAX = 8_192;

/** Why a caller does not count as a person at a terminal. */
export type SessionRefusal = "no-terminal" | "same-session" | "unknown";

/** The sessions of everybody who has sent a held request. */
export class Senders {
  readonly #marked = new Map<number, Marked[]>();
  /** Clients of which every session is marked. */
  readonly #followed = new WeakSet<ClientIdentity>();
  #count = 0;
  #isFull = false;

  /** Marks the sessions of a sender, from its own up to the outermost terminal that it was started from. */
  remember(chain: SessionChain): void {
    for (const session of sessionsOf(chain.members)) this.#mark(session);
  }

  /**
   * Marks the sessions of a client whose request is held; the system was asked which process it is. What a run sends says
   * nothing against the terminal that started the run: no run can decide.
   */
  async rememberClient(client: ClientIdentity): Promise<void> {
    if (client.run_id !== undefined) return void this.#followed.add(client);
    if (client.pid === undefined) return;
    const chain = await sessionChainOf(client.pid);
    this.remember(chain);
    if (chain.isWhole) this.#followed.add(client);
  }

  /** Whether the terminals that a client was started from are known, so that they can be told from a caller's. */
  hasFollowed(client: ClientIdentity): boolean {
    return this.#followed.has(client);
  }

  /** Why this caller may not answer; undefined when it may. */
  refusal(caller: SessionChain): SessionRefusal | undefined {
    const [first] = caller.members;
    if (first === undefined || !caller.isWhole || this.#isFull) return "unknown";
    if (!first.hasTerminal) return "no-terminal";
    const leaders = new Map(caller.members.map((member) => [member.pid, member.started]));
    const isMarked = caller.members.some(({ session }) =>
      (this.#marked.get(session) ?? []).some(({ started }) => {
        const present = leaders.get(session);
        return started === undefined || present === undefined || started === present;
      }),
    );
    return isMarked ? "same-session" : undefined;
  }

  #mark({ session, started }: Marked): void {
    const known = this.#marked.get(session) ?? [];
    if (known.some((each) => each.started === started)) return;
    // A program that makes up thousands of sessions pushes none out: then everybody is refused.
    if (this.#count >= MARKED_MAX) {
      this.#isFull = true;
      return;
    }
    this.#count += 1;
    this.#marked.set(session, [...known, { session, started }]);
  }
}

/** Sessions from the process up to its outermost terminal; without any terminal, all but that of the system's own manager. */
function sessionsOf(members: readonly SessionMember[]): readonly Marked[] {
  const outermost = members.findLastIndex(({ hasTerminal }) => hasTerminal);
  const manager = members.findLastIndex(({ session }) => session !== members.at(-1)?.session);
  const last = outermost >= 0 ? outermost : Math.max(0, manager);
  const starts = new Map(members.map(({ pid, started }) => [pid, started]));
  const sessions = new Set(members.slice(0, last + 1).map(({ session }) => session));
  return [...sessions].map((session) => ({ session, started: starts.get(session) }));
}
