// Starts the daemon: opens the state, wires the parts, listens; and takes it all down
// again. Nothing listens before everything it needs is there, so a start that fails has
// started nothing half-way.

import type { ControlHandlers } from "../api/handlers.ts";
import { serveControl } from "../api/server/server.ts";
import { LeafStore } from "../ca/leaf.ts";
import { ChainVerifier } from "../ca/verify/chain-verifier.ts";
import { findDesktop } from "../host/process/desktop-notification.ts";
import { SocketProcesses } from "../host/process/sockets/socket-process.ts";
import { openDatabase } from "../state/database.ts";
import { DiskRoom } from "../state/disk-room.ts";
import { ensureStateDirectory } from "../state/files.ts";
import { WantedChain } from "../state/journal/chain.ts";
import { Journal } from "../state/journal/journal.ts";
import { acquireDaemonLock } from "../state/lock.ts";
import { boundDaemonErrors } from "../state/log/daemon-errors.ts";
import { Log } from "../state/log/log.ts";
import { statePaths } from "../state/paths.ts";
import { writePolicySchema } from "../state/policy-schema-file.ts";
import { PolicyStore } from "../state/policy-store.ts";
import { SettingsStore } from "../state/settings/settings-store.ts";
import { Grants } from "../state/tables/grants.ts";
import { GuardStore } from "../state/tables/guard-store.ts";
import { AddressStore } from "../state/tables/known-addresses.ts";
import { Pins } from "../state/tables/pins.ts";
import { Suspects } from "../state/tables/suspects.ts";
import { Upstreams } from "../state/tables/upstreams.ts";
import { parseDuration } from "../text/duration.ts";
import { announceChanges } from "./control/announce-changes.ts";
import { controlHandlers } from "./control/control.ts";
import { remoteAnswers } from "./control/remote-answers.ts";
import { startListener } from "./front/listener.ts";
import { openRunChannel } from "./front/run-channel.ts";
import { openAuthority } from "./open-authority.ts";
import { Broker } from "./request/broker.ts";
import { CommandGrants } from "./request/command-grants.ts";
import type { Gateway } from "./request/context.ts";
import { LookAhead } from "./request/http/look-ahead.ts";
import { Detector } from "./request/inspection/detector.ts";
import { exactNames } from "./request/inspection/inspected-names.ts";
import { Inspection } from "./request/inspection/inspection.ts";
import { Probes } from "./request/inspection/probes.ts";
import { Splices } from "./request/inspection/splices.ts";
import { ModeHolder } from "./request/mode.ts";
import { Events } from "./request/records/events.ts";
import { recordControlTo } from "./request/records/record-control.ts";
import { Recorder } from "./request/records/recorder.ts";
import { RunCalls } from "./request/runs/run-calls.ts";
import { Runs } from "./request/runs/runs.ts";
import { startFeatures } from "./start-features.ts";
import { Descriptors } from "./stream/descriptors.ts";
import { LoopClock } from "./stream/loop-clock.ts";
import { AddressMemory } from "./upstream/dial/address-memory.ts";
import { corporateProxyFor } from "./upstream/dial/corporate-proxy.ts";
import { Dialler } from "./upstream/dial/dialler.ts";
import { Resolver } from "./upstream/dial/resolver.ts";
import { ownRequests } from "./upstream/own-request.ts";
import { UpstreamPool } from "./upstream/pool.ts";
import { ShownNames } from "./upstream/shown-names.ts";
import { TrustStore } from "./upstream/trust.ts";

/** The environment and version that main.ts passes to `startGateway`. */
export interface StartOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** The clock that upstream certificates are judged by, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** A running daemon. */
export interface RunningGateway {
  /** host:port that the proxy listens on. */
  readonly listen: string;
  /** Resolves when it has stopped, no matter who stopped it. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/** Idle connections that are closed at once when there is no descriptor left. */
const MAKE_ROOM = 16;
const DEFAULT_APPROVAL_MS = 30_000;

/**
 * Starts the daemon on the state directory that `env` names. Throws UserError for problems that the operator
 * can fix.
 */
export async function startGateway({ env, version, now }: StartOptions): Promise<RunningGateway> {
  const startedMs = Date.now();
  // Taken down in reverse when a later step fails, and at the end.
  await using cleanup = new AsyncDisposableStack();
  const paths = statePaths(env);
  await ensureStateDirectory(paths);
  cleanup.use(acquireDaemonLock(paths));

  const database = openDatabase(paths.database);
  cleanup.defer(() => database.close());
  const guardStore = new GuardStore(database);
  const settings = await SettingsStore.open(paths, {
    approved: () => guardStore.approvedText("settings.yaml"),
    approve: (text) => guardStore.approveText("settings.yaml", text),
  });
  cleanup.defer(() => settings.close());
  await boundDaemonErrors(paths.daemonErrors);
  const log = new Log(paths.log, { level: settings.current.log_level });
  cleanup.defer(() => log.close());
  const policy = await PolicyStore.open(paths, {
    isNeeded: () => settings.current.approval_guard !== "off",
    approved: () => guardStore.approvedText("policy.yaml"),
    approve: (text) => guardStore.approveText("policy.yaml", text),
  });
  cleanup.defer(() => policy.close());
  // Only editors read it: a directory where it cannot be written is no reason not to start.
  await writePolicySchema(paths).catch((error: unknown) =>
    log.warn("policy.schema.json not written", { reason: String(error) }),
  );
  const { authority, roots } = await openAuthority(paths, env, log);
  const events = new Events();
  const disk = new DiskRoom(paths.root);
  await disk.refresh();
  if (disk.problem !== undefined) log.warn("the disk is nearly full", { disk: disk.problem });
  const chain = new WantedChain(paths.audit, () => settings.current.audit_chain === "on");
  const audit = await Journal.open(paths.audit, {
    isReserved: () => disk.isReserved,
    chain: () => chain.current(),
    onFailure: (error, lost) => log.error("audit rows lost", { rows: lost, reason: error.message }),
  });
  cleanup.defer(() => audit.close());
  const observe = await Journal.open(paths.observe, {
    durable: false,
    rotateBytes: 64 * 1024 * 1024,
    keep: 3,
    isReserved: () => disk.isReserved,
  });
  cleanup.defer(() => observe.close());

  const mode = new ModeHolder(settings.current.default_mode);
  const resolver = new Resolver();
  const memory = new AddressMemory(resolver, new AddressStore(database));
  cleanup.defer(() => memory.close());
  const upstreams = new Upstreams(database);
  const watchNames = () =>
    void memory.watch([...exactNames(policy.current), ...upstreams.list().map(({ host }) => host)]);
  watchNames();
  upstreams.onChange(watchNames);
  policy.onChange(({ kind }) => kind === "loaded" && watchNames());
  const trust = new TrustStore(upstreams, roots, new ChainVerifier(now));
  const descriptors = new Descriptors();
  const dialler = new Dialler({
    descriptors,
    resolver,
    settings: () => settings.current,
    trustFor: (host, port) => trust.trustFor(host, port, false),
    proxyOf: trust.proxyOf,
  });
  const pool = new UpstreamPool(dialler);
  cleanup.defer(() => pool.close());
  dialler.onFull(() => pool.closeOldest(MAKE_ROOM));
  settings.onChange((change) => {
    if (change.kind !== "loaded") return;
    const { settings: now, previous: before } = change;
    // A connection that was dialled through the previous proxy must not carry another request.
    if (now.upstream_proxy !== before.upstream_proxy || now.upstream_no_proxy !== before.upstream_no_proxy)
      pool.clear();
  });
  const broker = new Broker({
    events,
    timeoutMs: () => parseDuration(settings.current.approval_timeout) ?? DEFAULT_APPROVAL_MS,
  });
  const grants = new Grants(database);
  const presentRuns = new Set<string>();
  const recorder = new Recorder({
    audit,
    observe,
    mode,
    events,
    log,
    present: presentRuns,
    dry: () => policy.dry,
  });
  cleanup.defer(() => recorder.close());
  // A system's daemon is root's and serves the user who installed it.
  const owner = env.IDDIO_OWNER ? { owner: Number(env.IDDIO_OWNER) } : {};
  const runCalls = new RunCalls();
  const runs: Runs = new Runs({
    directory: paths.runs,
    events,
    present: presentRuns,
    open: (run) =>
      openRunChannel({
        run,
        path: runs.socketOf(run.id),
        ...owner,
        runs: () => runs,
        serve: (...connection) => listener.serve(...connection),
      }),
  });
  const answerAs = remoteAnswers(() => ({ handlers, gate: features.offers.gate }));
  let afterStop: (() => Promise<void>) | undefined;
  const ownPorts = new Set<number>();
  const record = recordControlTo(recorder);
  const ask = ownRequests(pool, dialler, trust);
  const desktop = findDesktop(env);
  const features = await startFeatures({
    ...{ paths, env, version, database, settings, policy, upstreams, mode, broker, events, log, disk, chain },
    ...{ guardStore, observe, runs, ownPorts },
    ...{ recorder, record, answerAs, ask, desktop, cleanup, prefixOf: trust.prefixOf },
    proxyFor: (url) => corporateProxyFor(url, settings.current),
    ownerUid: owner.owner ?? process.getuid?.(),
    handlers: () => handlers,
    stopThen: (work) => {
      afterStop = work;
      void stop();
    },
    gateway: () => listener.gateway,
    ...(now === undefined ? {} : { now }),
  });
  const inspection = new Inspection({
    policy,
    mode,
    memory,
    isDedicated: (host, port) => (upstreams.get(host, port)?.caPem ?? "") !== "",
  });
  const pins = new Pins(database);
  const suspects = new Suspects(database, (error) =>
    log.error("the detector's findings are not written", { reason: error.message }),
  );
  const detector = new Detector({ suspects, settings, inspection, memory, upstreams, events });
  cleanup.defer(() => detector.close());
  pool.onUnverified((target, error) => detector.upstreamFailed(target, error.message));
  const processes = new SocketProcesses();
  cleanup.defer(() => processes.close());
  const parts = {
    lookAhead: new LookAhead(),
    settings,
    mode,
    inspection,
    pins,
    detector,
    splices: new Splices(),
    probes: new Probes(),
    dialler,
    shownNames: new ShownNames(dialler),
    descriptors,
    trust,
    processes,
    commandGrants: new CommandGrants(),
    ownPorts,
  };

  const listener = startListener(settings.current.proxy_listen, {
    ...parts,
    pool,
    broker,
    grants,
    ...features.contracts,
    presentRuns,
    runCalls,
    recorder,
    log,
    leaves: new LeafStore(authority),
  });
  const clock = new LoopClock(() => descriptors.total > 0);
  cleanup.defer(() => clock.close());
  cleanup.defer(() => listener.close());
  cleanup.defer(() => runs.close());
  await runs.restore();
  const gateway: Gateway = listener.gateway;
  cleanup.defer(() => broker.close());
  announceChanges({ listener, policy, events });
  const handlers: ControlHandlers = controlHandlers({
    gateway,
    paths,
    env,
    policy,
    upstreams,
    authority,
    events,
    listener,
    hasDesktop: desktop !== undefined,
    version,
    startedMs,
    features,
    record,
    clock,
    disk,
  });
  await features.started();
  const stopCalls = new AbortController();
  cleanup.defer(() => stopCalls.abort());
  const onError = (error: unknown, method: string) =>
    log.error("control method failed", { method, reason: String(error) });
  runCalls.answerWith({ handlers, gate: features.offers.gate, stopping: stopCalls.signal, onError });
  const control = await serveControl(paths.socket, handlers, {
    gate: features.offers.gate,
    runOf: (pid) => runs.ofProcess(pid),
    maxConnections: descriptors.control,
    onRefused: (reason) => log.warn("control connection refused", { reason }),
    ...owner,
    onError,
  });
  cleanup.defer(() => control.close());

  log.info("started", { version, pid: process.pid, listen: listener.listen, mode: mode.current });
  const running = cleanup.move();
  let stopping: Promise<void> | undefined;
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const stop = () => {
    stopping ??= (async () => {
      log.info("stopping");
      await running.disposeAsync();
      await afterStop?.();
      resolve();
    })();
    return stopping;
  };
  return {
    get listen() {
      return listener.listen;
    },
    stopped,
    stop,
  };
}
