// The contract of a feature's part in the daemon: the daemon's own parts that it is built from, and
// the things that it adds. A feature names its part in its feature.ts; start-features.ts starts
// every part before the proxy listens. A part must not do anything for a client before that.

import type { Database } from "bun:sqlite";
import type { Gate } from "../api/gate.ts";
import type { ControlHandlers } from "../api/handlers.ts";
import type { AnswerAs } from "../api/principal.ts";
import type { StatusReport } from "../api/reports.ts";
import type { Desktop } from "../host/process/desktop-notification.ts";
import type { Environment } from "../host/process/environment.ts";
import type { SessionChain } from "../host/process/session-chain.ts";
import type { DiskRoom } from "../state/disk-room.ts";
import type { WantedChain } from "../state/journal/chain.ts";
import type { Journal } from "../state/journal/journal.ts";
import type { Log } from "../state/log/log.ts";
import type { StatePaths } from "../state/paths.ts";
import type { PolicyStore } from "../state/policy-store.ts";
import type { SettingsStore } from "../state/settings/settings-store.ts";
import type { GuardStore } from "../state/tables/guard-store.ts";
import type { ObserveSession } from "../state/tables/observe-session.ts";
import type { Upstreams } from "../state/tables/upstreams.ts";
import type { Broker } from "./request/broker.ts";
import type { Gateway } from "./request/context.ts";
import type { ModeHolder } from "./request/mode.ts";
import type { Events } from "./request/records/events.ts";
import type { RecordControl } from "./request/records/record-control.ts";
import type { Recorder } from "./request/records/recorder.ts";
import type { Runs } from "./request/runs/runs.ts";
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
  /** The user whom the daemon serves; a system's daemon is root's. */
  readonly ownerUid: number | undefined;
  /** The guard on disk: its factor and the texts that a person approved. */
  readonly guardStore: GuardStore;
  /** The log of observe mode. */
  readonly observe: Journal;
  /** The agents in `iddio run`. */
  readonly runs: Runs;
  /** Ports of this daemon that the proxy carries nobody to. */
  readonly ownPorts: Set<number>;
  /** Every handler of the control API; only once the daemon runs. */
  readonly handlers: () => ControlHandlers;
  /** Everything that features offer; only once every part was built. */
  readonly offered: () => Offers;
  /** Ends this daemon, and does this when it holds nothing any more. */
  readonly stopThen: (work: () => Promise<void>) => void;
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
  "callbacks" | "credentials" | "effects" | "mcp" | "sessions" | "ssh" | "wayBack"
>;

/** The pages on which a passkey is touched. */
export interface TouchPages {
  /** Returns the question; undefined when it was answered or has expired. */
  find(id: string): object | undefined;
  /** Takes the browser's answer. Throws the problem with it. */
  finish(id: string, answer: unknown): Promise<void>;
}

/** The services of one feature for the daemon and for others, so that no feature imports another. Each has one giver. */
export interface Offers {
  /** Decides whether a call of the control API comes from a person. */
  readonly gate: Gate;
  /** Refuses a value of `approval_guard` that must go through the guard's own commands. */
  readonly checkGuardSetting: (value: unknown) => void;
  /** Where a person decides about an approval in the browser; undefined while no page is served. */
  readonly approvalUrl: (id: string) => string | undefined;
  /** Serves the pages of touches from now on; gives the port of their origin. Throws when that port is not ours. */
  readonly serveTouches: (
    port: number,
    touches: TouchPages,
  ) => { readonly port: number; readonly stop: () => void };
  /** The terminal session that opened a session of the console, if it may decide. */
  readonly consoleOpener: (session: string | undefined) => SessionChain | undefined;
  /** The observe session that runs. */
  readonly observeSession: () => ObserveSession | undefined;
}

/** A feature's additions to the daemon. */
export interface DaemonPart {
  readonly contracts?: Partial<FeatureContracts>;
  /** A handler for each of the feature's methods. */
  readonly handlers?: Partial<ControlHandlers>;
  /** Fields of `iddio status`. */
  readonly status?: () => Partial<StatusReport>;
  readonly offers?: Partial<Offers>;
  /** Runs once the proxy listens and every handler is there. What it puts into `cleanup` is closed before the proxy is. */
  readonly started?: () => void | Promise<void>;
}

/** Builds the part. It must not throw for a reason that another start would meet again. */
export type StartDaemonPart = (parts: DaemonParts) => DaemonPart;

/** The additions of all features. */
export interface StartedFeatures {
  readonly contracts: FeatureContracts;
  readonly handlers: Partial<ControlHandlers>;
  readonly offers: Offers;
  /** Runs what each part does once the proxy listens, in the order of the list. */
  readonly started: () => Promise<void>;
  readonly status: () => Partial<StatusReport>;
}
