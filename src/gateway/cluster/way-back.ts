// The contract of undo for the stages: the objects that a change is about to replace are kept
// before it goes, and undo is told how the change ended. The undo feature implements it.

import type { Ask } from "../../model/ask.ts";
import type { UpstreamAnswer } from "../message/upstream-answer.ts";
import type { HeldRequest } from "./held-effect.ts";

/** A way back that was kept. */
export interface KeptWayBack {
  /** `undo_` and eight hex digits. */
  readonly id: string;
  /** The answer to the change, which says what it left. */
  answered(answer: UpstreamAnswer): UpstreamAnswer;
  /** The change has ended; without a success there is nothing to undo. Never rejects. */
  ended(status: number | undefined): Promise<void>;
}

/** Keeps ways back. */
export interface WayBackKeeper {
  /** Undefined when there is nothing to keep. A text: why it cannot be kept, and so must not go. Never rejects. */
  keep(ask: Ask, request: HeldRequest): Promise<KeptWayBack | string | undefined>;
}
