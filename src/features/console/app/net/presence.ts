// Carries the daemon's question for a proof from the call that needs it to the dialog that shows
// it: a code, a touch, or a command for root. One question at a time; anyone who closes the dialog
// gives no proof.

import { signal } from "@preact/signals";
import type { PresenceQuestion } from "../../../../api/gate.ts";

/** A question on the screen. */
export interface AskedPresence {
  readonly question: PresenceQuestion;
  /** The daemon's message. */
  readonly message: string;
  /** A proof that was sent before and did not do. */
  readonly last: string | undefined;
  answer(proof: string | undefined): void;
}

/** The question that waits, for the dialog. */
export const askedPresence = signal<AskedPresence | undefined>(undefined);

/** Asks, and resolves with the proof; undefined when there is none. */
export function askPresence(
  question: PresenceQuestion,
  refusal: Error,
  last: string | undefined,
): Promise<string | undefined> {
  // The daemon waits a moment for the touch at each call, so the same proof is sent again.
  if (question.ask === "passkey" && last === `passkey ${question.ceremony}`) return Promise.resolve(last);
  askedPresence.value?.answer(undefined);
  return new Promise((resolve) => {
    const asked: AskedPresence = {
      question,
      message: refusal.message,
      last,
      answer: (proof) => {
        if (askedPresence.value === asked) askedPresence.value = undefined;
        resolve(proof);
      },
    };
    askedPresence.value = asked;
  });
}
