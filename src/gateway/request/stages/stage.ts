// The contract of a stage, one step between an ask's carrier and its end. A stage is one file and
// one line in stages.ts; it reads and adds to the state of the ask, and returns nothing (the next
// stage runs) or a refusal (no other stage runs). A stage that throws refuses. No stage can let an
// ask through by itself: `forward` asks for proof of the others' results.

import type { Ask, AskFields } from "../../../model/ask.ts";
import type { Mode } from "../../../model/mode.ts";
import type { Verdict } from "../../../model/verdict.ts";
import type { Session } from "../../../protocols/kubectl/session.ts";
import type { Refusal } from "../../../protocols/refused.ts";
import type { HeldEffect, HeldRequest } from "../../cluster/held-effect.ts";
import type { KeptWayBack } from "../../cluster/way-back.ts";
import type { Gateway } from "../context.ts";
import type { OpenRecording } from "../contracts/sessions.ts";
import type { Decision, Refused } from "../decision.ts";

/** The parts of the gateway that asks are judged with. */
export type AskParts = Pick<
  Gateway,
  | "mode"
  | "inspection"
  | "settings"
  | "presentRuns"
  | "grants"
  | "commandGrants"
  | "broker"
  | "recorder"
  | "log"
  | "sessions"
  | "wayBack"
>;

/** A judged ask. */
export interface Judged {
  readonly ask: Ask;
  readonly verdict: Verdict;
  /** A refusal that does not come from the policy, where not enough could be read to let it go on. */
  readonly obstacle?: Refused;
  /** Judges again by the policy in force: why it may wait no longer, undefined when it may. */
  again(): string | undefined;
}

/** A question's parts besides the ask, as the carrier gives them. */
export interface Shown {
  /** Bytes of it that are kept in memory while it waits. */
  readonly heldBytes: number;
  /** Equal for a client's attempts at the same stream by different protocols. */
  readonly fallbackKey?: string;
  /** The effect of the ask, where a dry run can show it. */
  readonly effect?: HeldEffect;
}

/** How an ask that was done ended. */
export interface Ending {
  readonly status?: number;
  /** Added to its row: `{ exit_code: 1 }`, `{ bytes: 120 }`. */
  readonly fields?: AskFields;
  /** It was not carried out, or not known to be: why, in a clause. */
  readonly failure?: string;
}

/** The parts that go with an ask that is done. */
export interface Along {
  /** JSON in place of its body. */
  readonly replaced: Uint8Array | undefined;
  readonly recording: OpenRecording | undefined;
  readonly wayBack: KeptWayBack | undefined;
}

/** The carrier as the stages see it. HTTP's is http-carrier.ts; simpler carriers use `runAsk`. */
export interface AskCarrier {
  /** Reads the parts that judging needs, and judges. */
  judge(): Judged | Promise<Judged>;
  /** An ask of which nothing is known but who sent it, for the row of a refusal before it was judged. */
  unjudged(reason: string): Ask;
  /** Completes the ask's evidence and digest before a person sees it. A text: why it cannot be shown at present. */
  show(): Shown | string | Promise<Shown | string>;
  /** Fetches what its client has only placeholders for. A text: why the ask cannot go. */
  credentials?(): Promise<string | undefined> | undefined;
  /** Calls back when the client goes away; returns the way to stop listening. */
  onLeave(left: () => void): () => void;
  /** Refuses in the client's language. */
  refuse(refusal: Refusal): Promise<void> | void;
  /**
   * Does it. `ended` is called when the outcome is known, before the client is told; the promise may go on for hours.
   * Throws `NotDone` when the client still waits for an answer.
   */
  forward(ended: (ending?: Ending) => void, along?: Along): Promise<void>;
  /** The request, where it may change a cluster. */
  change?(): HeldRequest | undefined;
  /** The session into a cluster that the ask opens, if it does. */
  session?(): Session | undefined;
  /** Whether the error is one of its own connection, which it answers itself. */
  owns(error: unknown): boolean;
  /** Gives back everything that it holds. */
  release(): void;
}

/** One ask on its way; each stage adds its own part. */
export interface AskState {
  readonly parts: AskParts;
  readonly carrier: AskCarrier;
  /** The proxy mode when it was judged; by `classify`. */
  mode?: Mode;
  /** By `classify`. */
  judged?: Judged;
  /** By `guard`, or by `hold`. */
  decision?: Decision;
  /** The ask's own effect, and the effect that the allowing person saw; set by `hold`, removed by `preview`. */
  effect?: { readonly own: HeldEffect; readonly shown: HeldEffect };
  /** Why it is asked about again; by `preview`. */
  because?: string;
  /** JSON that goes in place of the body; by `preview`. */
  replaced?: Uint8Array;
  /** The saved objects that could undo it; set by `keep`. */
  wayBack?: KeptWayBack;
  /** The recording of a session; by `record`. */
  recording?: OpenRecording;
  /** Its intent is on disk, or it needs none; by `intent`. */
  hasIntent?: true;
  /** The carrier has been told to do it; by `forward`. Nothing can be refused from then on. */
  hasStarted?: true;
  /** By `forward`. */
  ending?: Ending;
  /** Work that goes on after the outcome is known; set by `forward`. */
  rest?: Promise<void>;
}

/** One stage. */
export interface Stage {
  readonly name: string;
  run(state: AskState): Refused | undefined | Promise<Refused | undefined>;
}

/** It was not done, nothing of an answer reached the client, and the client waits for one. */
export class NotDone extends Error {
  readonly outcome: "failed" | "blocked";
  readonly status: number;
  /** Whether the same ask may succeed when it is sent again. */
  readonly retry: boolean;
  /** It was on its way when it failed. */
  readonly wasSent: boolean;

  constructor(
    reason: string,
    more: { outcome: "failed" | "blocked"; status: number; retry: boolean; wasSent: boolean },
  ) {
    super(reason);
    this.outcome = more.outcome;
    this.status = more.status;
    this.retry = more.retry;
    this.wasSent = more.wasSent;
  }
}
