// What the control methods about pins, the detector, observe sessions, settings and probes answer with. Names on the wire
// are snake_case JSON. Only ever added to: what is here is a contract with older command lines.

import type { Mode } from "../model/mode.ts";
import type { TierOrUnknown } from "../model/tier.ts";

/** A host that is never opened. */
export interface PinReport {
  readonly host: string;
  /** Absent: any port. */
  readonly port?: number;
  readonly note: string;
  /** `manual`, or `detector` when it was promoted from there. */
  readonly source: "manual" | "detector";
  readonly added_ms: number;
}

/** A host whose TLS could not be intercepted. */
export interface SuspectReport {
  readonly host: string;
  readonly port: number;
  /** `upstream`: its certificate failed verification; `client`: the client refused iddio's. */
  readonly failed: "upstream" | "client";
  readonly state: "suspected" | "pinned";
  readonly reason: string;
  readonly count: number;
  readonly first_ms: number;
  readonly last_ms: number;
  /** Present while it is pinned. */
  readonly pinned_until_ms?: number;
}

/** The observe session, if one runs. */
export interface ObserveReport {
  readonly active: boolean;
  readonly proxy_mode: Mode;
  readonly started_ms?: number;
  readonly ends_ms?: number;
  /** The mode that comes back at the end. */
  readonly previous_mode?: Mode;
}

/** The answer to `settings set`. */
export interface SettingChange {
  readonly name: string;
  readonly value: unknown;
  readonly previous: unknown;
  /** What the change does or does not do now, when that is not plain. */
  readonly note?: string;
}

/** The answer to `settings reload`. */
export interface SettingsReload {
  /** Where the proxy listens now. */
  readonly proxy_listen: string;
  readonly changed: boolean;
}

/** A name for a client to be sent to. */
export interface ProbeStart {
  readonly id: string;
  readonly host: string;
}

/** A request that a client sent to a probe, and what its classifier made of it. */
export interface ProbedRequest {
  readonly method: string;
  readonly path: string;
  readonly tier: TierOrUnknown;
  readonly command: string;
}

/** How far a client came. */
export interface ProbeReport {
  /** It has asked the proxy for the name. */
  readonly routed: boolean;
  /** It has accepted iddio's certificate: a request came. */
  readonly trusted: boolean;
  /** Why it came no further, when the daemon could tell. */
  readonly problem?: string;
  readonly requests: readonly ProbedRequest[];
}
