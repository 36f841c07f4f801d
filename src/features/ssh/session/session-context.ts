// The state that every channel of a session shares.

import type { ForwardKind, SessionStart } from "../link.ts";
import type { SessionLink } from "./daemon-link.ts";
import type { SshUpstream } from "./upstream.ts";
import type { SshTarget } from "./upstream-arguments.ts";

/** One client's connection. */
export interface SessionContext {
  readonly link: SessionLink;
  readonly start: SessionStart;
  readonly target: SshTarget;
  /** For the operator's ssh. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends it with the session; returns the way to forget it. */
  track(upstream: SshUpstream): () => void;
  /** Has the daemon judge and record what is never carried. */
  refuseForward(what: ForwardKind, detail?: string): Promise<void>;
  /** What ssh said, with what a person can do about it. */
  explain(log: string): string;
}
