// What the daemon sends on its own account or adds to what it sends: credentials that are lent, rows that are forwarded,
// notices of requests that wait, what its fleet is told, checkpoints of the audit log. They share one way out: the corporate proxy of the settings.

import type { Database } from "bun:sqlite";
import { Credentials } from "../features/credentials/credentials.ts";
import type { AnswerFrom } from "../features/fleet/central-approvals.ts";
import { Fleet } from "../features/fleet/fleet.ts";
import { Forwarding } from "../features/forward/forwarding.ts";
import { Checkpoints } from "../features/integrity/checkpoints.ts";
import { Notifying } from "../features/notify/notifying.ts";
import type { Environment } from "../host/process/environment.ts";
import type { WantedChain } from "../state/journal/chain.ts";
import type { Log } from "../state/log/log.ts";
import type { StatePaths } from "../state/paths.ts";
import type { PolicyStore } from "../state/policy-store.ts";
import type { SettingsStore } from "../state/settings/settings-store.ts";
import { CredentialStore } from "../state/tables/credential-store.ts";
import { FleetStore } from "../state/tables/fleet-store.ts";
import { Notices } from "../state/tables/notices.ts";
import { Sinks } from "../state/tables/sinks.ts";
import type { Broker } from "./request/broker.ts";
import type { ModeHolder } from "./request/mode.ts";
import type { Events } from "./request/records/events.ts";
import type { Recorder } from "./request/records/recorder.ts";
import { corporateProxyFor } from "./upstream/corporate-proxy.ts";
import type { Dialler } from "./upstream/dialler.ts";
import { ownRequests } from "./upstream/own-request.ts";
import type { UpstreamPool } from "./upstream/pool.ts";
import type { TrustStore } from "./upstream/trust.ts";

interface Parts {
  readonly database: Database;
  readonly chain: WantedChain;
  readonly settings: SettingsStore;
  readonly recorder: Recorder;
  readonly paths: StatePaths;
  readonly events: Events;
  readonly log: Log;
  readonly version: string;
  readonly env: Environment;
  readonly broker: Broker;
  readonly pool: UpstreamPool;
  readonly dialler: Dialler;
  readonly trust: TrustStore;
  readonly now?: () => number;
  readonly answerAs: AnswerFrom;
  readonly policy: PolicyStore;
  readonly mode: ModeHolder;
}

/** What it gives. */
export interface OutgoingParts {
  readonly credentials: Credentials;
  readonly forwarding: Forwarding;
  readonly notifying: Notifying;
  readonly fleet: Fleet;
}

/** Makes them; what runs by itself is ended with `cleanup`. */
export function startOutgoing(cleanup: AsyncDisposableStack, parts: Parts): OutgoingParts {
  const { database, chain, settings, recorder, paths, events, log, version, env, broker, answerAs } = parts;
  const { pool, dialler, trust, now, policy, mode } = parts;
  const proxyFor = (url: string) => corporateProxyFor(url, settings.current);
  cleanup.use(new Checkpoints({ chain, recorder, log, keyPath: paths.auditKey }));
  const lent = new CredentialStore(database);
  const ask = ownRequests(pool, dialler, trust);
  const credentials = new Credentials({
    store: lent,
    recorder,
    log,
    env,
    proxyFor,
    ask,
    prefixOf: trust.prefixOf,
    ...(now === undefined ? {} : { now }),
  });
  cleanup.defer(() => credentials.close());
  const sinks = new Sinks(database);
  const forwarding = cleanup.use(new Forwarding({ sinks, paths, events, log, version, proxyFor }));
  const notices = new Notices(database);
  const notifying = cleanup.use(new Notifying({ notices, broker, events, log, proxyFor, answerAs }));
  const store = new FleetStore(database);
  const held = { broker, events, log, answerAs, proxyFor };
  const fleet = cleanup.use(new Fleet({ ...held, store, policy, mode, journal: paths.audit, version }));
  return { credentials, forwarding, notifying, fleet };
}
