// Recordings as stages and carriers see them: a session is opened before its request goes, and
// names the row it belongs to. The recording feature implements it.

import type { Ask } from "../../../model/ask.ts";
import type { ClientIdentity } from "../../../model/entry.ts";
import type { Session } from "../../../protocols/kubectl/session.ts";
import type { SessionTap } from "../../stream/session-tap.ts";

/** A recording that has begun. */
export interface OpenRecording {
  /** `sess_` and eight hex digits. */
  readonly id: string;
  readonly tap: SessionTap;
}

/** Begins recordings. */
export interface SessionRecorder {
  /** A session that another process writes; a text says why it must not go, undefined that nothing is recorded. */
  remote(session: RemoteSession): Promise<RemoteRecording | string | undefined>;
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

/** A session that another process of ours (`ssh-proxy`) writes down. */
export interface RemoteSession {
  readonly host: string;
  readonly user: string;
  readonly argv: readonly string[];
  readonly isTerminal: boolean;
  /** Its content is files, of which names and sizes say enough. */
  readonly isTransfer: boolean;
  /** It carries another connection. */
  readonly isForward: boolean;
  readonly client: ClientIdentity | undefined;
  /** Ends it, when a person says so. */
  readonly end: () => void;
}

/** How that process records it. */
export interface RemoteRecording {
  readonly id: string;
  /** A file that is not there yet. */
  readonly path: string;
  /** Its first line. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly isFull: boolean;
  readonly keepsTyped: boolean;
  /** Octets of content. */
  readonly limit: number;
  readonly endsOnFailure: boolean;
  /** The session is over. */
  readonly over: () => void;
}
