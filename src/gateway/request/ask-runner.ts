// The way in for carriers that are simpler than HTTP: an MCP server, an SSH channel. Such a carrier
// knows the whole ask before it is judged, and gives the ask, two ways to end it and nothing else.
// Judging, waiting for a person, grants, the intent row, the outcome row and observe mode are the
// stages' (stages/stages.ts).

import type { Asker } from "../../model/agent-label.ts";
import type { Ask } from "../../model/ask.ts";
import type { Classification } from "../../model/classification.ts";
import type { Judgement } from "../../model/verdict.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Refusal } from "../../protocols/refused.ts";
import { unknownClassification } from "../../protocols/unknown.ts";
import { askerOf } from "./asker.ts";
import { exchange } from "./exchange.ts";
import { whyRevoked } from "./judged-again.ts";
import { randomHex } from "./random-hex.ts";
import type { AskCarrier, AskParts, Ending, Judged, Shown } from "./stages/stage.ts";

/** An ask as its carrier knows it before it is judged. `digest` is made by `askDigest`. */
export type Asked = Pick<Ask, "carrier" | "target" | "subject" | "fields" | "evidence" | "digest"> & {
  /** False where not all of it could be read, so that no other is the same. True when absent. */
  readonly canRecur?: boolean;
  /** Bytes of it that are kept in memory while it waits. */
  readonly heldBytes: number;
};

/** A carrier's part in one ask: the ask itself, how to refuse it and how to do it. */
export interface Carried {
  readonly asked: Asked;
  /**
   * Classifies and decides by this policy (`judgeOperation` of policy/decide/judge.ts does both steps). Called again
   * before a held ask is released, because the policy may have changed. Throwing is a refusal.
   */
  judge(policy: Policy, asker: Asker): Judgement;
  /** Calls back when the client goes away; returns the way to stop listening. */
  onLeave(left: () => void): () => void;
  /** Refuses in the client's language. */
  refuse(refusal: Refusal): Promise<void> | void;
  /**
   * Does it. `ended` is called once, when the outcome is known, before the client is told. An error before
   * that is a failure, recorded and thrown on; `NotDone` of stages/stage.ts refuses instead, while the client
   * still waits.
   */
  forward(ended: (ending?: Ending) => void): Promise<void>;
}

/** Judges one ask and carries out the verdict. In the modes `off` and `passthrough` nothing is judged or recorded. */
export async function runAsk(parts: AskParts, carried: Carried): Promise<void> {
  const mode = parts.mode.current;
  if (mode === "off" || mode === "passthrough") return carried.forward(() => {});
  await exchange(parts, plainCarrier(parts, carried));
}

/** A simple carrier as the stages see it. */
export function plainCarrier(parts: AskParts, carried: Carried): AskCarrier {
  return new PlainCarrier(parts, carried);
}

/** A carrier that has read everything in advance. */
class PlainCarrier implements AskCarrier {
  readonly #parts: AskParts;
  readonly #carried: Carried;
  readonly #asker: Asker;
  readonly #startedMs = Date.now();

  constructor(parts: AskParts, carried: Carried) {
    this.#parts = parts;
    this.#carried = carried;
    this.#asker = askerOf(parts, carried.asked.subject.client);
  }

  judge(): Judged {
    const { classification, verdict } = this.#judgeNow();
    const ask = this.#ask(classification);
    return {
      ask,
      verdict,
      again: () => whyRevoked(this.#judgeNow(), classification, verdict.isCentral === true),
    };
  }

  #judgeNow(): Judgement {
    return this.#carried.judge(this.#parts.inspection.policy, this.#asker);
  }

  #ask(operation: Classification): Ask {
    const { asked } = this.#carried;
    const { carrier, target, subject, fields, digest, canRecur = true } = asked;
    const startedMs = this.#startedMs;
    const id = randomHex(8);
    return {
      id,
      carrier,
      target,
      operation,
      subject,
      fields,
      // Made when somebody is shown it.
      get evidence() {
        return asked.evidence;
      },
      digest,
      canRecur,
      startedMs,
    };
  }

  unjudged(reason: string): Ask {
    return this.#ask(unknownClassification("generic", reason));
  }

  show(): Shown {
    return { heldBytes: this.#carried.asked.heldBytes };
  }

  onLeave(left: () => void): () => void {
    return this.#carried.onLeave(left);
  }

  async refuse(refusal: Refusal): Promise<void> {
    await this.#carried.refuse(refusal);
  }

  forward(ended: (ending?: Ending) => void): Promise<void> {
    return this.#carried.forward(ended);
  }

  owns(): boolean {
    return false;
  }

  release(): void {}
}
