// The contract of the checks of `iddio doctor`: its inputs and its findings. Checks only look: each
// names the examined thing, the finding and the fix; the caller fixes it, by the `repairs` that a
// finding names.

import type { Environment } from "../../host/process/environment.ts";
import type { Service } from "../../host/service/service.ts";
import type { TrustPlace } from "../../host/trust/trust.ts";
import type { StatePaths } from "../../state/paths.ts";

/** How a check went. `warn` is worth knowing and breaks nothing; `skip` could not be looked at. */
export type CheckVerdict = "ok" | "warn" | "fail" | "skip";

/** Something that `iddio repair` does. They are carried out in the order of `REPAIR_ORDER`. */
export type Repair =
  | { readonly kind: "chown"; readonly path: string; readonly uid: number }
  | { readonly kind: "chmod"; readonly path: string; readonly mode: number }
  /** Renamed to `<path>.broken`. */
  | { readonly kind: "put-aside"; readonly path: string }
  /** The policy in force, or the settings, as the running daemon has them. */
  | { readonly kind: "policy" | "settings" }
  /** Makes a missing policy, authority or bundle. */
  | { readonly kind: "seed" }
  /** A new authority; the old one is put aside. */
  | { readonly kind: "authority" }
  | { readonly kind: "bundle" }
  /** Binary, marker and unit as `iddio install` places them, and a restart. */
  | { readonly kind: "install" }
  | { readonly kind: "restart" }
  | { readonly kind: "trust" };

/** In which order repairs are carried out: later ones need what earlier ones fix. */
export const REPAIR_ORDER: readonly Repair["kind"][] = [
  "chown",
  "chmod",
  "put-aside",
  "policy",
  "settings",
  "authority",
  "seed",
  "bundle",
  "install",
  "restart",
  "trust",
];

/** The result of one check. */
export interface Finding {
  /** Its name, a few words. */
  readonly check: string;
  /** The examined thing: a path, an address, a command. */
  readonly lookedAt: string;
  readonly verdict: CheckVerdict;
  /** A lower-case clause. */
  readonly detail: string;
  /** The fix, as a sentence or a command to type; present when the verdict is `warn` or `fail`. */
  readonly fix?: string;
  /** The repairs that `iddio repair` would make; empty when a person must act. */
  readonly repairs?: readonly Repair[];
}

/** How one receiver of audit rows goes. */
export interface ForwardFacts {
  readonly name: string;
  readonly behind_bytes: number;
  readonly refused_rows: number;
  readonly problem?: string | undefined;
  readonly failing_since_ms?: number | undefined;
}

/** The running daemon's facts about itself. */
export interface DaemonFacts {
  readonly pid: number;
  readonly version: string;
  readonly proxyListen: string;
  readonly policy: string;
  /** Absent when the daemon is older than the word. */
  readonly settings?: string;
  readonly proxyMode: string;
  /** Absent when the daemon is older than the guard. */
  readonly guard?: {
    readonly name: string;
    readonly level: string;
    readonly raise: string | undefined;
    readonly problem: string | undefined;
    readonly runs?: readonly { readonly name: string; readonly level: string }[] | undefined;
  };
  /** Receivers of audit rows; absent when the daemon is older than they are. */
  readonly forward?: readonly ForwardFacts[] | undefined;
}

/** The surroundings of a check. */
export interface CheckContext {
  readonly paths: StatePaths;
  readonly env: Environment;
  /** Version of this program. */
  readonly version: string;
  readonly nowMs: number;
  /** The supervisor of this platform, when there is one. */
  readonly service: Service | undefined;
  /** Undefined when no daemon answers; the problem when one answers nonsense. */
  readonly daemon: DaemonFacts | undefined;
  readonly daemonProblem?: string;
  /** The roots that this system trusts, a PEM block each. */
  readonly systemRoots: readonly string[];
  readonly trustPlaces: readonly TrustPlace[];
  readonly platform: NodeJS.Platform;
}

/** Looks at one thing. */
export type Check = (context: CheckContext) => Promise<Finding>;

/** A check as lists have it. */
export interface NamedCheck {
  readonly name: string;
  readonly check: Check;
  /** Name of the check that it comes behind; at the end without one. */
  readonly after?: string;
}
