// The parts of the running daemon that others reach. Made once in start.ts; handed down, never
// imported as a value.

import type { LeafStore } from "../../ca/leaf.ts";
import type { SocketProcesses } from "../../host/process/sockets/socket-process.ts";
import type { Log } from "../../state/log/log.ts";
import type { SettingsStore } from "../../state/settings/settings-store.ts";
import type { Grants } from "../../state/tables/grants.ts";
import type { Pins } from "../../state/tables/pins.ts";
import type { EffectPreviews } from "../cluster/held-effect.ts";
import type { WayBackKeeper } from "../cluster/way-back.ts";
import type { Descriptors } from "../stream/descriptors.ts";
import type { Dialler } from "../upstream/dial/dialler.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import type { ShownNames } from "../upstream/shown-names.ts";
import type { TrustStore } from "../upstream/trust.ts";
import type { Broker } from "./broker.ts";
import type { CommandGrants } from "./command-grants.ts";
import type { CallbackReceiver } from "./contracts/callback-receiver.ts";
import type { CredentialRelease } from "./contracts/credential-release.ts";
import type { McpCarrier } from "./contracts/mcp-carrier.ts";
import type { SessionRecorder } from "./contracts/sessions.ts";
import type { SshCarrier } from "./contracts/ssh-carrier.ts";
import type { LookAhead } from "./http/look-ahead.ts";
import type { Detector } from "./inspection/detector.ts";
import type { Inspection } from "./inspection/inspection.ts";
import type { Probes } from "./inspection/probes.ts";
import type { Splices } from "./inspection/splices.ts";
import type { ModeHolder } from "./mode.ts";
import type { Recorder } from "./records/recorder.ts";
import type { RunCalls } from "./runs/run-calls.ts";

/** The parts of the gateway that connections work with. */
export interface Gateway {
  readonly settings: SettingsStore;
  readonly mode: ModeHolder;
  readonly inspection: Inspection;
  readonly pins: Pins;
  readonly detector: Detector;
  readonly splices: Splices;
  readonly probes: Probes;
  readonly descriptors: Descriptors;
  readonly dialler: Dialler;
  readonly shownNames: ShownNames;
  readonly processes: SocketProcesses;
  readonly trust: TrustStore;
  readonly leaves: LeafStore;
  readonly pool: UpstreamPool;
  readonly broker: Broker;
  readonly lookAhead: LookAhead;
  readonly grants: Grants;
  /** Replaces the placeholders of clients by the real credentials. */
  readonly credentials: CredentialRelease;
  /** Finds the effects of held requests. */
  readonly effects: EffectPreviews;
  /** Commands whose rest was let through. */
  readonly commandGrants: CommandGrants;
  /** Records sessions into clusters; absent where nothing is recorded. */
  readonly sessions?: SessionRecorder;
  /** Keeps what changes of clusters replace; absent where nothing is kept. */
  readonly wayBack?: WayBackKeeper;
  /** Ids of the runs that were started with presence, for which `agents:` of the policy may allow more. */
  readonly presentRuns: ReadonlySet<string>;
  /** Answers the calls that agents in runs make to the daemon itself. */
  readonly runCalls: RunCalls;
  readonly recorder: Recorder;
  /** Serves the SSH connections of inspected hosts. */
  readonly ssh: SshCarrier;
  /** Serves requests to the MCP servers of inspected hosts. */
  readonly mcp: McpCarrier;
  readonly log: Log;
  /** Takes callbacks on the proxy's own port; absent where there are none. */
  readonly callbacks?: CallbackReceiver;
  /** Other ports of this daemon, which the proxy carries nobody to. */
  readonly ownPorts: ReadonlySet<number>;
  /** Host and port that the listener is bound to, for refusing loops. */
  readonly listen: { readonly host: string; readonly port: number };
}
