// Builds the handlers of the control socket. Each one is thin and calls the part that owns the
// matter; every handler that changes something writes a `control` row with its caller.

import { explainClassify, explainDecide } from "../../api/explain.ts";
import type { ControlHandlers } from "../../api/handlers.ts";
import { METHODS } from "../../api/methods.ts";
import type { UpstreamInput, UpstreamReport } from "../../api/reports.ts";
import type { Authority } from "../../ca/authority.ts";
import type { Environment } from "../../host/process/environment.ts";
import { routeOf } from "../../policy/decide/route.ts";
import { splitUrl } from "../../protocols/batch.ts";
import type { DiskRoom } from "../../state/disk-room.ts";
import type { StatePaths } from "../../state/paths.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import type { Upstream, Upstreams } from "../../state/tables/upstreams.ts";
import { hostPort } from "../../text/host-port.ts";
import { parseAuthority } from "../../wire/http1/connect-request.ts";
import type { StartedFeatures } from "../daemon-part.ts";
import type { Listener } from "../front/listener.ts";
import { decodeContent } from "../message/content-coding.ts";
import type { Gateway } from "../request/context.ts";
import { judgedTarget } from "../request/http/judged-target.ts";
import type { Events } from "../request/records/events.ts";
import type { RecordControl } from "../request/records/record-control.ts";
import type { LoopClock } from "../stream/loop-clock.ts";
import { fingerprintOfPem, readCaReport } from "./ca-report.ts";
import { hostHandlers } from "./host-control.ts";
import { pageHandlers } from "./page-control.ts";
import { settingsHandlers } from "./settings-control.ts";
import { checkUpstream } from "./upstream-check.ts";

/** The parts that only control reaches, beside the gateway's own. */
export interface ControlParts {
  readonly gateway: Gateway;
  readonly paths: StatePaths;
  readonly env: Environment;
  readonly policy: PolicyStore;
  readonly upstreams: Upstreams;
  readonly authority: Authority;
  readonly events: Events;
  readonly listener: Listener;
  /** Whether notifications can be shown. */
  readonly hasDesktop: boolean;
  readonly version: string;
  readonly startedMs: number;
  readonly clock: LoopClock;
  readonly disk: DiskRoom;
  readonly features: StartedFeatures;
  readonly record: RecordControl;
}

/** The handlers of every control method. */
export function controlHandlers(parts: ControlParts): ControlHandlers {
  const { gateway, policy, upstreams, events, paths, record } = parts;

  /** A typed target as the gateway would judge it: without the path of a registered cluster. */
  const below = (typed: {
    readonly host: string;
    readonly port: number;
    readonly target: string;
  }): string => {
    const route = routeOf(policy.current, typed);
    if (route === undefined) return typed.target;
    return judgedTarget(gateway.trust, [route.protocol], { ...typed, method: "", headers: [] });
  };
  const urlBelow = (url: string): string => {
    const split = splitUrl(url);
    if ("problem" in split || !url.endsWith(split.target)) return url;
    return `${url.slice(0, url.length - split.target.length)}${below(split)}`;
  };

  return whole(parts.features.handlers, {
    status: () => ({
      daemon: "up",
      pid: process.pid,
      uptime_ms: Date.now() - parts.startedMs,
      build_version: parts.version,
      schema_version: 2,
      proxy_mode: gateway.mode.current,
      policy:
        policy.reloadProblem === undefined
          ? "loaded"
          : `loaded (operator policy.yaml failed to reload: ${policy.reloadProblem})`,
      policy_looked_ms: policy.lookedMs,
      ...(policy.removed.length === 0 ? {} : { policy_no_longer_inspected: policy.removed.slice(0, 50) }),
      settings:
        gateway.settings.reloadProblem === undefined
          ? "loaded"
          : `loaded (settings.yaml failed to reload: ${gateway.settings.reloadProblem})`,
      proxy_listen: hostPort(gateway.listen.host, gateway.listen.port),
      socket: paths.socket,
      log: paths.log,
      pending_approvals: gateway.broker.list().length,
      longest_stall_ms: parts.clock.longestStallMs,
      open_sockets: gateway.descriptors.total,
      ...(parts.disk.problem === undefined ? {} : { disk_problem: parts.disk.problem }),
      ...parts.features.status(),
      ...(gateway.trust.unusableIdentities.length === 0
        ? {}
        : { certificate_problems: [...gateway.trust.unusableIdentities] }),
      ...(gateway.recorder.failure ? { audit_problem: gateway.recorder.failure.message } : {}),
    }),

    mode_get: () => ({ proxy_mode: gateway.mode.current }),

    mode_set: ({ proxy_mode }, caller) => {
      gateway.mode.check(proxy_mode);
      const previous = gateway.mode.set(proxy_mode);
      record(caller, "set-proxy-mode", { proxy_mode, previous });
      return { proxy_mode, previous };
    },

    ca_info: () => readCaReport(parts.authority, paths, parts.env),

    upstreams_list: () => ({ upstreams: upstreams.list().map(upstreamReport) }),

    upstreams_add: (input, caller) => {
      checkUpstream(input, caller, gateway.listen);
      const upstream = upstreams.add({
        host: input.host,
        port: input.port,
        caPem: input.ca_pem,
        source: input.source,
        ...(input.certificate_path === undefined ? {} : { certificatePath: input.certificate_path }),
        ...(input.key_path === undefined ? {} : { keyPath: input.key_path }),
        ...(input.kubeconfig_user === undefined ? {} : { kubeconfigUser: input.kubeconfig_user }),
        ...(input.server_name === undefined ? {} : { serverName: input.server_name }),
        pathPrefixes: prefixesOf(input, upstreams.get(input.host, input.port)),
        ...(input.proxy_url === undefined ? {} : { proxyUrl: input.proxy_url }),
        ...(input.proxy_token === undefined ? {} : { proxyToken: input.proxy_token }),
      });
      gateway.trust.refresh();
      gateway.pool.clear();
      const report = upstreamReport(upstream);
      events.publish("upstream_added", { ...report });
      record(caller, "upstream add", { ...report });
      return { upstream: report };
    },

    upstreams_remove: ({ host, port }, caller) => {
      const removed = upstreams.remove(host, port);
      if (removed) {
        gateway.trust.refresh();
        gateway.pool.clear();
        events.publish("upstream_removed", { host, port });
        record(caller, "upstream remove", { host, port });
      }
      return { removed };
    },

    ...hostHandlers(gateway, events, record),
    ...settingsHandlers(gateway, { ...parts, ...parts.features.offers }, record),
    ...pageHandlers(parts),

    classify: (input) =>
      explainClassify(policy.current, { ...input, url: urlBelow(input.url) }, (headers, bytes) =>
        decodeContent(headers, bytes, gateway.settings.current.classify_body_limit),
      ),

    decide: (input) => {
      const authority = parseAuthority(input.host, 443);
      const path = authority === undefined ? input.path : below({ ...authority, target: input.path });
      return explainDecide(policy.current, { ...input, path });
    },
  });
}

/** Both together. Throws for a method without a handler or with two: a mistake in the code. */
function whole(features: Partial<ControlHandlers>, own: Partial<ControlHandlers>): ControlHandlers {
  const wrong = Object.keys(METHODS).filter((name) => name in own === name in features);
  if (wrong.length > 0) throw new Error(`no handler, or two, for: ${wrong.join(", ")}`);
  return { ...own, ...features } as ControlHandlers;
}

/** Clusters of one server may be registered one after the other. */
function prefixesOf({ path_prefixes = [], source }: UpstreamInput, known: Upstream | undefined): string[] {
  const kept = known?.source === source ? known?.pathPrefixes : undefined;
  return [...new Set([...(kept ?? []), ...path_prefixes])];
}

function withoutLogin(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

function upstreamReport(upstream: Upstream): UpstreamReport {
  return {
    host: upstream.host,
    port: upstream.port,
    source: upstream.source,
    ...(upstream.caPem === "" ? {} : { ca_fingerprint: fingerprintOfPem(upstream.caPem) }),
    ...(upstream.certificatePath === undefined ? {} : { certificate_path: upstream.certificatePath }),
    ...(upstream.keyPath === undefined ? {} : { key_path: upstream.keyPath }),
    ...(upstream.kubeconfigUser === undefined ? {} : { kubeconfig_user: upstream.kubeconfigUser }),
    ...(upstream.serverName === undefined ? {} : { server_name: upstream.serverName }),
    ...(upstream.pathPrefixes?.length ? { path_prefixes: [...upstream.pathPrefixes] } : {}),
    ...(upstream.proxyUrl === undefined ? {} : { proxy: withoutLogin(upstream.proxyUrl) }),
  };
}
