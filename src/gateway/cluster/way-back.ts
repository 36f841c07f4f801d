// What the stages know of undo: that what a change is about to replace is kept before it goes, and told how the change
// ended. The feature that keeps it implements this.

import type { Ask } from "../../model/ask.ts";
import type { HeldRequest } from "./held-effect.ts";

/** A way back that was kept. */
export interface KeptWayBack {
  /** `undo_` and eight hex digits. */
  readonly id: string;
  /** The change has ended; without a success there is nothing to undo. Never rejects. */
  ended(status: number | undefined): Promise<void>;
}

/** Keeps ways back. */
export interface WayBackKeeper {
  /** Undefined when there is nothing to keep. A text: why it cannot be kept, and so must not go. Never rejects. */
  keep(ask: Ask, request: HeldRequest): Promise<KeptWayBack | string | undefined>;
}
