// What every channel of a session shares.

import type { ForwardKind, SessionStart } from "../link.ts";
import type { DaemonLink } from "./daemon-link.ts";
import type { Upstream } from "./upstream.ts";
import type { UpstreamTarget } from "./upstream-arguments.ts";

/** One client's connection. */
export interface SessionContext {
  readonly link: DaemonLink;
  readonly start: SessionStart;
  readonly target: UpstreamTarget;
  /** For the operator's ssh. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends it with the session; returns the way to forget it. */
  track(upstream: Upstream): () => void;
  /** Has the daemon judge and record what is never carried. */
  refuseForward(what: ForwardKind, detail: string): Promise<void>;
  /** What ssh said, with what a person can do about it. */
  explain(log: string): string;
}
