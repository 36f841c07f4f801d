// The contract of a feature's part in the daemon: the daemon's own parts that it is built from, and
// the things that it adds. A feature names its part in its feature.ts; start-features.ts starts
// every part before the proxy listens. A part must not do anything for a client before that.

import type { Database } from "bun:sqlite";
import type { ControlHandlers } from "../api/handlers.ts";
import type { AnswerAs } from "../api/principal.ts";
import type { StatusReport } from "../api/reports.ts";
import type { Desktop } from "../host/process/desktop-notification.ts";
import type { Environment } from "../host/process/environment.ts";
import type { DiskRoom } from "../state/disk-room.ts";
import type { WantedChain } from "../state/journal/chain.ts";
import type { Log } from "../state/log/log.ts";
import type { StatePaths } from "../state/paths.ts";
import type { PolicyStore } from "../state/policy-store.ts";
import type { SettingsStore } from "../state/settings/settings-store.ts";
import type { Upstreams } from "../state/tables/upstreams.ts";
import type { Broker } from "./request/broker.ts";
import type { Gateway } from "./request/context.ts";
import type { ModeHolder } from "./request/mode.ts";
import type { Events } from "./request/records/events.ts";
import type { RecordControl } from "./request/records/record-control.ts";
import type { Recorder } from "./request/records/recorder.ts";
import type { AskOwn } from "./upstream/own-request.ts";

/** The daemon's own parts, which a feature builds its part from. */
export interface DaemonParts {
  readonly paths: StatePaths;
  readonly env: Environment;
  readonly version: string;
  readonly database: Database;
  readonly settings: SettingsStore;
  readonly policy: PolicyStore;
  readonly upstreams: Upstreams;
  readonly mode: ModeHolder;
  readonly broker: Broker;
  readonly events: Events;
  readonly log: Log;
  readonly disk: DiskRoom;
  readonly chain: WantedChain;
  readonly recorder: Recorder;
  /** Writes the `control` row of a handler that changed something. */
  readonly record: RecordControl;
  /** Answers an approval for somebody elsewhere; only once the daemon runs. */
  readonly answerAs: AnswerAs;
  /** Sends a request on iddio's own account, with the trust that is registered for its host. */
  readonly ask: AskOwn;
  /** Shows desktop notifications; undefined where that is not possible. */
  readonly desktop: Desktop | undefined;
  /** The corporate proxy for a URL; "" for none. */
  readonly proxyFor: (url: string) => string;
  /** The path prefix of the registered cluster that a target is for; "" for none. */
  readonly prefixOf: (host: string, port: number, target: string) => string;
  /** The running gateway; only once the proxy listens. */
  readonly gateway: () => Gateway;
  /** Milliseconds since 1970; absent for the machine's clock. */
  readonly now?: () => number;
  /** Everything that the part opens is closed by this, in reverse order. */
  readonly cleanup: AsyncDisposableStack;
}

/** The contracts of the gateway that features implement. */
export type FeatureContracts = Pick<
  Gateway,
  "callbacks" | "credentials" | "effects" | "sessions" | "wayBack"
>;

/** A feature's additions to the daemon. */
export interface DaemonPart {
  readonly contracts?: Partial<FeatureContracts>;
  /** A handler for each of the feature's methods. */
  readonly handlers?: Partial<ControlHandlers>;
  /** Fields of `iddio status`. */
  readonly status?: () => Partial<StatusReport>;
}

/** Builds the part. It must not throw for a reason that another start would meet again. */
export type StartDaemonPart = (parts: DaemonParts) => DaemonPart;

/** The additions of all features. */
export interface StartedFeatures {
  readonly contracts: FeatureContracts;
  readonly handlers: Partial<ControlHandlers>;
  readonly status: () => Partial<StatusReport>;
}
