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
  /** Has the daemon judge and record a wish that is never carried out. */
  refuseForward(what: ForwardKind, detail?: string): Promise<void>;
  /** Explains ssh's own log, with the fix that a person can make. */
  explain(log: string): string;
}
