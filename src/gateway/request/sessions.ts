// What the stages and carriers know of recordings: that a session is opened before it goes, and which row it belongs to.
// The feature that records implements it.

import type { Ask } from "../../model/ask.ts";
import type { Session } from "../../protocols/kubectl/session.ts";
import type { SessionTap } from "../stream/session-tap.ts";

/** A recording that has begun. */
export interface OpenRecording {
  /** `sess_` and eight hex digits. */
  readonly id: string;
  readonly tap: SessionTap;
}

/** Begins recordings. */
export interface SessionRecorder {
  /**
   * Undefined when this kind of session is not recorded. A text: why it cannot be recorded, and so must not go. Never
   * rejects.
   */
  open(
    ask: Ask,
    session: Session,
    approvalId: string | undefined,
  ): Promise<OpenRecording | string | undefined>;
}
