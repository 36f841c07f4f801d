// The daemon's part of MCP, and the control methods about its servers: the session that `iddio mcp
// run` opens, and a person's review of a server. Judging is in `judge/`.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { Principal } from "../../api/principal.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { processOf } from "../../host/process/process-tree.ts";
import { userName } from "../../host/process/user-name.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import { McpEndpoint } from "./http/endpoint.ts";
import { InspectedMcp } from "./http/inspected.ts";
import { accept, bind, findServer, itemReports, serverReport, waitingDigest } from "./judge/review.ts";
import { McpService } from "./judge/service.ts";
import { serveSession } from "./judge/session-rows.ts";
import { patienceOf } from "./stdio/patience.ts";

type Methods = Extract<keyof ControlHandlers, `mcp_${string}`>;

/** The running servers of MCP. */
interface RunningMcp {
  readonly service: McpService;
  readonly endpoint: McpEndpoint;
}

/** Adds MCP to the daemon; its servers are there once the proxy listens, because their calls are judged by the gateway. */
export function startMcpServers(parts: DaemonParts): DaemonPart {
  const { gateway, database, events, log, env, ownerUid, policy, record, cleanup } = parts;
  const patience = patienceOf(env);
  let running: RunningMcp | undefined;
  const made = (): RunningMcp => {
    if (running === undefined) throw new Error("MCP is not there before the proxy listens");
    return running;
  };
  return {
    handlers: handlersOf(made, policy, record),
    contracts: { mcp: new InspectedMcp({ gateway, service: () => running?.service, patience }) },
    started: () => {
      const service = new McpService({
        ...{ gateway: gateway(), database, events, log },
        urlOf: (id) => parts.offered().approvalUrl(id),
      });
      // Only the user who may reach the local addresses.
      const isAllowed = (uid: number) => uid === ownerUid;
      const endpoint = new McpEndpoint({ gateway: gateway(), service, log, isAllowed, patience });
      cleanup.defer(() => endpoint.close());
      running = { service, endpoint };
    },
  };
}

function handlersOf(
  running: () => RunningMcp,
  policy: PolicyStore,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const pins = () => running().service.pins;
  return {
    mcp_session: async ({ name, identity }, caller, sink) => {
      const session = running().service.open(name, identityOf(identity), await clientOf(caller));
      await serveSession(session, sink);
    },

    mcp_list: () => ({
      servers: pins()
        .servers()
        .map((each) => serverReport(pins(), policy.current, each)),
    }),

    mcp_show: ({ name }) => ({
      server: serverReport(pins(), policy.current, findServer(pins(), name)),
      items: itemReports(pins(), policy.current, running().service.known(name)),
    }),

    mcp_digest: ({ name }) => ({ digest: waitingDigest(pins(), name) }),

    mcp_review: ({ name, digest, items }, caller) => {
      const accepted = accept(pins(), name, digest, items);
      running().service.refresh(name);
      record(caller, "mcp review", { server: name, accepted, ...(items === undefined ? {} : { items }) });
      return { accepted };
    },

    mcp_bind: ({ name, table }, caller) => {
      const server = bind(pins(), name, table);
      running().service.refresh(name);
      record(caller, "mcp bind", { server: name, table: table ?? "" });
      return { server: serverReport(pins(), policy.current, server) };
    },

    mcp_add: ({ name, url, headers = [] }, caller) => {
      const server = running().endpoint.add(name, url, headers);
      record(caller, "mcp add", { server: name, url, headers: headers.map((each) => each.name) });
      return {
        server: serverReport(pins(), policy.current, server),
        local_url: running().endpoint.addressOf(server) ?? "",
      };
    },

    mcp_forget: ({ name }, caller) => {
      const removed = pins().remove(name);
      running().service.forget(name);
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
