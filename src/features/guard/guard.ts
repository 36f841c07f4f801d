// Whether a person is present, for every call that decides or widens. The only implementation of
// the API's gate. A missing, damaged or contradictory record closes the guard; it is never taken
// for "off". A proof is used up before the method runs, whether or not the method then succeeds.

import { createHash, randomBytes } from "node:crypto";
import type { GuardReport } from "../../api/daemon-reports.ts";
import { type Gate, PresenceNeeded, type PresenceRequest } from "../../api/gate.ts";
import type { Standing } from "../../api/method.ts";
import { isRemote, type Presence, type Principal } from "../../api/principal.ts";
import { type SessionChain, sessionChainOf } from "../../host/process/session-chain.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import { type Level, strongerLevel } from "../../model/level.ts";
import { TIERS, type TierOrUnknown } from "../../model/tier.ts";
import { UserError } from "../../model/user-error.ts";
import type { FactorRecord, GuardStore } from "../../state/tables/guard-store.ts";
import { guardLevel } from "./level.ts";
import type { PasskeyCeremonies } from "./passkey-ceremonies.ts";
import { type AskedApproval, type GuardQuestion, guardQuestionOf } from "./question.ts";
import { remotePresence } from "./remote-presence.ts";
import { RootProofs } from "./root-proof.ts";
import type { Senders } from "./senders.ts";
import { acceptedCounter, decodeBase32 } from "./totp.ts";

/** A guard as the settings name it. */
export type GuardName = "off" | "session" | "totp" | "passkey";

/** The parts that the guard works with. */
export interface GuardParts {
  readonly setting: () => GuardName;
  readonly store: GuardStore;
  readonly senders: Senders;
  /** Resolves when the sender of every held ask is known. */
  readonly sendersKnown: () => Promise<unknown>;
  /** Whether the sender of an ask can be told from a caller. */
  readonly isSenderKnown: (asked: AskedApproval) => boolean;
  readonly ceremonies: PasskeyCeremonies;
  readonly standing: () => Standing;
  /** The text of the policy in force. */
  readonly policyText: () => string;
  /** The approval that an id means; throws a UserError when there is none. */
  readonly approval: (id: string) => AskedApproval;
  /** The user whom the daemon serves. */
  readonly ownerUid: number | undefined;
  /** The daemon's own user; this process's unless given. */
  readonly daemonUid?: number;
  /** Whether that user becomes root without being asked. */
  readonly isRootFree: () => boolean;
  /** The level at which who sent a request is kept from deciding; undefined outside of `iddio run`. */
  readonly levelOfSender?: (client: ClientIdentity | undefined) => Level | undefined;
  /** The terminal session that opened a session of the console; undefined when the console may only look. */
  readonly consoleOpener?: (session: string | undefined) => SessionChain | undefined;
  /** The agents in `iddio run`. */
  readonly runs?: () => NonNullable<GuardReport["runs"]>;
  readonly publish: (fields: Readonly<Record<string, unknown>>) => void;
  /** Milliseconds since 1970, as the user's authenticator counts. */
  readonly now: () => number;
  /** Never goes back; for lock-outs and reuse. */
  readonly steadyMs?: () => number;
  readonly roots?: RootProofs;
}

const REUSE_MS = 60_000;
const LOCK_MS = 60_000;
const FAILURES_MAX = 5;

interface Reuse {
  readonly session: string;
  readonly tier: TierOrUnknown;
  readonly isLook: boolean;
  readonly untilMs: number;
}

/** The guard of one daemon. */
export class Guard implements Gate {
  readonly #parts: GuardParts;
  readonly #roots: RootProofs;
  readonly #steadyMs: () => number;
  #failures = 0;
  #lockedUntilMs = 0;
  #counter: number;
  #reuse: Reuse | undefined;

  constructor(parts: GuardParts) {
    this.#parts = parts;
    this.#steadyMs = parts.steadyMs ?? (() => performance.now());
    this.#roots = parts.roots ?? new RootProofs();
    // A state.db that was put back while the daemon was down would let the last codes count again.
    this.#counter = Math.floor(parts.now() / 30_000);
  }

  standing(): Standing {
    const { factor, problem } = this.state;
    return { ...this.#parts.standing(), hasFactor: factor !== undefined && problem === undefined };
  }

  /** The guard that is in force, or why decisions are refused. */
  get state(): { readonly guard: GuardName; readonly factor?: FactorRecord; readonly problem?: string } {
    const guard = this.#parts.setting();
    const factor = this.#parts.store.factor();
    if (factor === "damaged") return { guard, problem: "the record of the factor in state.db is damaged" };
    const wanted = guard === "totp" || guard === "passkey" ? guard : undefined;
    if (factor?.kind === wanted) return { guard, ...(factor === undefined ? {} : { factor }) };
    const problem =
      factor === undefined
        ? `the settings say '${guard}', and state.db has no such factor`
        : `the settings say '${guard}', and state.db has a ${factor.kind} factor`;
    return { guard, problem, ...(factor === undefined ? {} : { factor }) };
  }

  /** The guard's state, for `guard status`, `status` and `doctor`. */
  report(): GuardReport {
    const { guard, factor, problem } = this.state;
    const { ownerUid, isRootFree, store, now } = this.#parts;
    const daemonUid = this.#parts.daemonUid ?? process.getuid?.();
    const hasSystemService = process.platform === "linux";
    const level = guardLevel({
      guard,
      problem,
      daemonUid,
      ownerUid,
      isRootFree: isRootFree(),
      hasSystemService,
    });
    const runs = this.#parts.runs?.() ?? [];
    const isLater = factor !== undefined && factor.decidesFromMs > now();
    return {
      guard,
      ...level,
      ...(problem === undefined ? {} : { problem, raise: "iddio guard remove, then iddio guard enroll" }),
      ...(isLater ? { decides_from_ms: factor.decidesFromMs } : {}),
      ...(factor === undefined ? {} : { recovery_codes: store.recoveryCount() }),
      ...(runs.length === 0 ? {} : { runs }),
    };
  }

  async presence(request: PresenceRequest): Promise<Presence> {
    const asked = this.#asked(request);
    const { kind, via } = request.caller;
    if (isRemote(kind)) return remotePresence(via ?? kind, request, asked, this.report());
    const question = guardQuestionOf(request, asked, this.#parts.policyText());
    const shown = await this.#present(request, question, asked);
    // The agent that asks may be kept further from the answer than other programs of the user are.
    const sender = asked && this.#parts.levelOfSender?.(asked.ask.subject.client);
    return sender === undefined ? shown : { ...shown, level: strongerLevel(shown.level, sender) };
  }

  async #present(
    request: PresenceRequest,
    question: GuardQuestion,
    asked: AskedApproval | undefined,
  ): Promise<Presence> {
    const { guard, factor, problem } = this.state;
    if (request.isForRoot) {
      const shown = await this.#rootOrRecovery(request, question);
      if (shown !== undefined) return shown;
      // A first factor, and whatever is out of order, is root's.
      if (factor === undefined || problem !== undefined || factor.decidesFromMs > this.#parts.now())
        throw this.#needsRoot(question, problem);
    }
    if (problem !== undefined)
      throw new PresenceNeeded(`decisions are refused: ${problem}`, {
        hint: "iddio guard remove, as root or with sudo's password, then enrol again",
      });
    if (factor !== undefined && factor.decidesFromMs > this.#parts.now())
      throw new PresenceNeeded("the factor is too new to decide", {
        hint: `it decides from ${new Date(factor.decidesFromMs).toISOString()}, or once root has enrolled it`,
      });
    if (factor === undefined) {
      if (guard === "off") return { factor: "none", level: "L0" };
      await this.#session(request.caller);
      this.#checkSender(asked);
      return { factor: "session", level: "L0" };
    }
    if (factor.kind === "totp") return this.#totp(factor, request, question);
    await this.#parts.ceremonies.prove(factor, request.proof, question);
    return { factor: "passkey", level: this.#level() };
  }

  /** Counts a wrong proof; five in a row lock for a minute. */
  failed(): void {
    this.#failures += 1;
    if (this.#failures < FAILURES_MAX) return;
    this.#failures = 0;
    this.#lockedUntilMs = this.#steadyMs() + LOCK_MS;
    this.#parts.publish({ change: "locked", for_ms: LOCK_MS });
  }

  /** Throws while wrong proofs have locked it. */
  checkLock(): void {
    const left = this.#lockedUntilMs - this.#steadyMs();
    if (left > 0)
      throw new PresenceNeeded("too many wrong codes", {
        hint: `try again in ${Math.ceil(left / 1000)}s`,
      });
  }

  #asked(request: PresenceRequest): AskedApproval | undefined {
    const { id } = request.input as { readonly id?: unknown };
    const isAbout = request.effect === "decide" || request.method === "approvals_effect";
    const isApproval = isAbout && typeof id === "string";
    return isApproval ? this.#parts.approval(id) : undefined;
  }

  #level(): Level {
    return this.report().level;
  }

  async #rootOrRecovery(request: PresenceRequest, question: GuardQuestion): Promise<Presence | undefined> {
    if (request.caller.uid === 0) return { factor: "root", level: this.#level() };
    const [kind, value = ""] = (request.proof ?? "").split(" ", 2);
    if (kind === "root" && this.#roots.take(value, question.digest))
      return { factor: "root", level: this.#level() };
    if (kind !== "recovery" || request.method !== "guard_enroll") return undefined;
    this.checkLock();
    if (!this.#parts.store.takeRecovery(recoveryHash(value))) {
      this.failed();
      throw new PresenceNeeded("this recovery code is not right, or was used before", {
        hint: "iddio guard enroll --recovery <code>",
      });
    }
    this.#parts.publish({ change: "recovery_code_used" });
    return { factor: "recovery", level: "L0" };
  }

  #needsRoot(question: GuardQuestion, problem: string | undefined): PresenceNeeded {
    const { nonce, path } = this.#roots.ask(question.digest);
    return new PresenceNeeded(
      problem === undefined
        ? "the first factor needs root"
        : `only root can put the guard in order: ${problem}`,
      {
        hint: "run it in a terminal: it asks sudo for your password, or run it as root",
        question: { ask: "root", nonce, path },
      },
    );
  }

  async #session({ kind, pid, session }: Principal): Promise<void> {
    await this.#parts.sendersKnown();
    if (kind === "console") return this.#consoleSession(session);
    const chain = pid === undefined ? undefined : await sessionChainOf(pid);
    const refusal = chain === undefined ? "unknown" : this.#parts.senders.refusal(chain);
    if (refusal === undefined) return;
    throw new PresenceNeeded(SESSION_TEXT[refusal], {
      hint: `${SESSION_WAY[refusal]}; or set up a factor: iddio guard enroll passkey`,
    });
  }

  /** A sender who could not be told may sit at the very terminal that answers. */
  #checkSender(asked: AskedApproval | undefined): void {
    if (asked === undefined || this.#parts.isSenderKnown(asked)) return;
    throw new PresenceNeeded(
      "the program that sent this has ended or hides, so no terminal may answer for it",
      {
        hint: "let it be sent again and answer while the program waits; or set up a factor: iddio guard enroll passkey",
      },
    );
  }

  /** A session of the console is worth the terminal that it was opened from, as that terminal is now. */
  #consoleSession(session: string | undefined): void {
    const chain = this.#parts.consoleOpener?.(session);
    const refusal = chain === undefined ? "look" : this.#parts.senders.refusal(chain);
    if (refusal === undefined) return;
    throw new PresenceNeeded(
      refusal === "look"
        ? "this console may only look"
        : "the terminal that opened this console has sent requests that were held",
      {
        hint: "open it from another terminal: iddio console; or set up a passkey: iddio guard enroll passkey",
      },
    );
  }

  async #totp(
    factor: Extract<FactorRecord, { kind: "totp" }>,
    request: PresenceRequest,
    question: GuardQuestion,
  ): Promise<Presence> {
    const session = await terminalOf(request.caller);
    const shown: Presence = { factor: "totp", level: this.#level() };
    if (request.proof === undefined && this.#mayReuse(session, question)) return shown;
    const [kind, code = ""] = splitProof(request.proof);
    if (kind !== "totp")
      throw new PresenceNeeded("this needs a code of your authenticator", {
        hint: "run it in a terminal: it asks for the code",
        question: { ask: "totp" },
      });
    this.checkLock();
    const secret = decodeBase32(factor.secret);
    const last = Math.max(this.#counter, factor.counter);
    const counter = secret === undefined ? undefined : acceptedCounter(secret, code, this.#parts.now(), last);
    if (counter === undefined) {
      this.failed();
      this.checkLock();
      throw new PresenceNeeded("this code is not right, or was used before", {
        hint: "wait for the next code",
        question: { ask: "totp" },
      });
    }
    // On disk before the method runs: the code is used up whatever becomes of the call.
    this.#counter = counter;
    this.#parts.store.put({ ...factor, counter });
    this.#failures = 0;
    const { plainTier, isLook } = question;
    this.#reuse =
      plainTier === undefined || session === undefined
        ? undefined
        : { session, tier: plainTier, isLook, untilMs: this.#steadyMs() + REUSE_MS };
    return shown;
  }

  /**
   * A code may serve again for a minute: same terminal, plain allow or look, no higher tier, never break-glass or unknown.
   * One that was given for a look allows nothing.
   */
  #mayReuse(session: string | undefined, { plainTier, isLook }: GuardQuestion): boolean {
    const reuse = this.#reuse;
    if (reuse === undefined || reuse.session !== session || reuse.untilMs <= this.#steadyMs()) return false;
    if (reuse.isLook && !isLook) return false;
    if (plainTier === undefined || plainTier === "unknown" || plainTier === "break-glass") return false;
    if (reuse.tier === "unknown") return false;
    return TIERS.indexOf(plainTier) <= TIERS.indexOf(reuse.tier);
  }
}

const SESSION_TEXT = {
  "no-terminal": "this needs a person at a terminal, and there is no terminal here",
  "same-session": "this terminal has sent requests that were held, so it may not answer for them",
  unknown: "the system does not say from which terminal this comes",
} as const;

const SESSION_WAY = {
  "no-terminal": "run it in a terminal, over ssh with: ssh -t",
  "same-session": "run it in another terminal",
  unknown: "run it in a terminal of this machine",
} as const;

/** The first word of a proof and the rest. */
function splitProof(proof: string | undefined): readonly [kind: string, value: string] {
  const blank = proof?.indexOf(" ") ?? -1;
  return proof === undefined || blank < 0 ? ["", ""] : [proof.slice(0, blank), proof.slice(blank + 1)];
}

/** The terminal session of a caller, told from a later one with its number; undefined without a terminal. */
async function terminalOf({ kind, pid, session }: Principal): Promise<string | undefined> {
  if (kind === "console") return session === undefined ? undefined : `console:${session}`;
  const [first, ...others] = pid === undefined ? [] : (await sessionChainOf(pid)).members;
  if (first === undefined || !first.hasTerminal) return undefined;
  const leader = [first, ...others].find((each) => each.pid === first.session);
  return leader === undefined ? undefined : `${first.session}:${leader.started}`;
}

/** How a recovery code is kept: 128 random bits need no slow hash. */
export function recoveryHash(code: string): string {
  return createHash("sha256")
    .update(code.replace(/[^0-9a-f]/gi, "").toLowerCase())
    .digest("hex");
}

/** A new recovery code: 128 bits, in groups that can be read out. */
export function newRecoveryCode(): string {
  return (randomBytes(16).toString("hex").match(/.{4}/g) ?? []).join("-");
}

/** Refuses a change of the setting that must go through the guard's own commands. */
export function checkGuardSetting(value: unknown, factor: FactorRecord | "damaged" | undefined): void {
  const kind = factor === undefined || factor === "damaged" ? undefined : factor.kind;
  if (value === "totp" || value === "passkey") {
    if (kind !== value)
      throw new UserError(`no ${value} is enrolled`, { hint: `iddio guard enroll ${value}`, exitCode: 2 });
  } else if (factor !== undefined)
    throw new UserError("a factor is enrolled, so the setting stays", { hint: "iddio guard remove" });
}
