// The control methods about MCP servers: the session that `iddio mcp run` opens, and a person's
// review of a server. Judging is in `features/mcp`.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { Principal } from "../../api/principal.ts";
import { McpEndpoint } from "../../features/mcp/http/endpoint.ts";
import { InspectedMcp } from "../../features/mcp/http/inspected.ts";
import {
  accept,
  bind,
  findServer,
  itemReports,
  serverReport,
  waitingDigest,
} from "../../features/mcp/judge/review.ts";
import { McpService } from "../../features/mcp/judge/service.ts";
import { serveSession } from "../../features/mcp/judge/session-rows.ts";
import { patienceOf } from "../../features/mcp/stdio/patience.ts";
import { processOf } from "../../host/process/process-tree.ts";
import { userName } from "../../host/process/user-name.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import type { Gateway } from "../request/context.ts";
import type { RecordControl } from "../request/records/record-control.ts";

type Methods = Extract<keyof ControlHandlers, `mcp_${string}`>;

/** The daemon's end of MCP. */
export interface McpParts {
  readonly service: McpService;
  readonly endpoint: McpEndpoint;
}

/** Makes it; `ownerUid`: the user who may reach the local addresses. */
export function startMcp(
  parts: ConstructorParameters<typeof McpService>[0] & { readonly gateway: Gateway },
  ownerUid: number | undefined,
  env: Readonly<Record<string, string | undefined>>,
): McpParts & Disposable {
  const service = new McpService(parts);
  const isAllowed = (uid: number) => uid === ownerUid;
  const endpoint = new McpEndpoint({
    gateway: parts.gateway,
    service,
    log: parts.log,
    isAllowed,
    patience: patienceOf(env),
  });
  return { service, endpoint, [Symbol.dispose]: () => endpoint.close() };
}

/** Serves requests to the hosts of `mcp: inspect:`. It is made before the rest of MCP exists, so it takes functions. */
export function inspectedMcp(
  gateway: () => Gateway,
  mcp: () => McpParts | undefined,
  env: Readonly<Record<string, string | undefined>>,
): InspectedMcp {
  return new InspectedMcp({ gateway, service: () => mcp()?.service, patience: patienceOf(env) });
}

/** Handlers of the methods about MCP servers. */
export function mcpHandlers(
  { service, endpoint }: McpParts,
  policy: PolicyStore,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const { pins } = service;
  return {
    mcp_session: async ({ name, identity }, caller, sink) => {
      const session = service.open(name, identityOf(identity), await clientOf(caller));
      await serveSession(session, sink);
    },

    mcp_list: () => ({ servers: pins.servers().map((each) => serverReport(pins, policy.current, each)) }),

    mcp_show: ({ name }) => ({
      server: serverReport(pins, policy.current, findServer(pins, name)),
      items: itemReports(pins, policy.current, service.known(name)),
    }),

    mcp_digest: ({ name }) => ({ digest: waitingDigest(pins, name) }),

    mcp_review: ({ name, digest, items }, caller) => {
      const accepted = accept(pins, name, digest, items);
      service.refresh(name);
      record(caller, "mcp review", { server: name, accepted, ...(items === undefined ? {} : { items }) });
      return { accepted };
    },

    mcp_bind: ({ name, table }, caller) => {
      const server = bind(pins, name, table);
      service.refresh(name);
      record(caller, "mcp bind", { server: name, table: table ?? "" });
      return { server: serverReport(pins, policy.current, server) };
    },

    mcp_add: ({ name, url, headers = [] }, caller) => {
      const server = endpoint.add(name, url, headers);
      record(caller, "mcp add", { server: name, url, headers: headers.map((each) => each.name) });
      return {
        server: serverReport(pins, policy.current, server),
        local_url: endpoint.addressOf(server) ?? "",
      };
    },

    mcp_forget: ({ name }, caller) => {
      const removed = pins.remove(name);
      service.forget(name);
      if (removed) record(caller, "mcp forget", { server: name });
      return { removed };
    },
  };
}

function identityOf(given: Parameters<ControlHandlers["mcp_session"]>[0]["identity"]) {
  const { kind, command = "", args = [], url = "", ...rest } = given;
  if (kind === "http") return { kind, url, ...(rest.issuer === undefined ? {} : { issuer: rest.issuer }) };
  const { issuer: _, ...code } = rest;
  return { kind, command, args, ...code };
}

/** The process that asks; of an agent in a run only the run is known. */
async function clientOf({ uid, pid, run, run_id }: Principal): Promise<ClientIdentity> {
  const found = pid === undefined ? undefined : await processOf(pid);
  return {
    ...(uid === undefined ? {} : { user: userName(uid) }),
    ...(pid === undefined ? {} : { pid }),
    ...(found === undefined ? {} : { process: found.name }),
    ...(run === undefined || run_id === undefined ? {} : { run, run_id }),
  };
}
