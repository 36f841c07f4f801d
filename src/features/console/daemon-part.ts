// The daemon's part of the console: its server with its sessions, and the control methods about it.
// The guard's pages live on its port, and other parts ask it where a person can decide.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { processOf } from "../../host/process/process-tree.ts";
import { sessionChainOf } from "../../host/process/session-chain.ts";
import { socketOwner } from "../../host/process/sockets/socket-owner.ts";
import { UserError } from "../../model/user-error.ts";
import type { SettingsStore } from "../../state/settings/settings-store.ts";
import { ConsoleStore } from "../../state/tables/console-store.ts";
import { ConsoleServer } from "./console-server.ts";
import { ConsoleSessions } from "./console-sessions.ts";

/** Makes the console; it is served once the proxy listens. A port that is taken is no reason for the daemon not to start. */
export function startConsole(parts: DaemonParts): DaemonPart {
  const { settings, log, ownPorts, record, cleanup } = parts;
  const sessions = new ConsoleSessions();
  const store = new ConsoleStore(parts.database);
  const server = new ConsoleServer({
    sessions,
    handlers: parts.handlers,
    gate: () => parts.offered().gate,
    ownerUid: parts.ownerUid,
    userOf: (client, own) => socketOwner(client, own)?.uid,
    isWanted: () => settings.current.console_listen !== "off",
    onError: (error, method) => log.error("console method failed", { method, reason: String(error) }),
    onWorker: () => {
      // It may have taken the token of a link, and whoever has a session may look.
      const ended = sessions.revokeAll();
      log.warn("another program held the console's port and left a worker in a browser; it is removed", {
        sessions_ended: ended,
      });
    },
    onListen: (port) => {
      ownPorts.add(port);
    },
  });
  const start = () => {
    const wanted = settings.current.console_listen;
    if (wanted === "off") return;
    const factor = parts.guardStore.factor();
    // Anyone who has the passkey's port is the passkey's origin, so the console is there too.
    const pinned = factor !== "damaged" && factor?.kind === "passkey" ? factor.port : undefined;
    const chosen = wanted === "auto" ? (pinned ?? store.port) : Number(wanted);
    const port = server.start(chosen);
    if (port !== undefined && port !== store.port) store.keep(port);
    if (server.problem !== undefined) log.warn("the console is not served", { reason: server.problem });
  };
  return {
    handlers: handlersOf(server, sessions, settings, record),
    offers: {
      approvalUrl: (id) =>
        server.port === undefined ? undefined : `http://localhost:${server.port}/#/approvals/${id}`,
      serveTouches: (port, touches) => server.serveTouches(port, touches),
      consoleOpener: (session) => sessions.deciderOf(session),
    },
    started: () => {
      start();
      settings.onChange((change) => {
        if (change.kind !== "loaded") return;
        if (change.settings.console_listen === change.previous.console_listen) return;
        if (change.settings.console_listen === "off") sessions.revokeAll();
        start();
      });
      cleanup.defer(() => server.close());
    },
  };
}

type Methods = "console_open" | "console_sessions" | "console_revoke";

function handlersOf(
  server: ConsoleServer,
  sessions: ConsoleSessions,
  settings: SettingsStore,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  return {
    console_open: async ({ may_decide }, caller) => {
      const { port } = server;
      if (port === undefined || settings.current.console_listen === "off")
        throw new UserError(`the console is not served: ${server.problem ?? "it is off"}`, {
          hint:
            server.problem === undefined
              ? "iddio settings set console_listen=auto"
              : "end that program and restart the daemon, or: iddio settings set console_listen=<port>",
          code: "no-console",
        });
      const { pid } = caller;
      const [chain, process] =
        pid === undefined ? [undefined, undefined] : await Promise.all([sessionChainOf(pid), parentOf(pid)]);
      const token = sessions.issue({
        chain,
        mayDecide: may_decide,
        ...(process === undefined ? {} : { by: process }),
      });
      record(caller, "console", { may_decide });
      return { url: `http://localhost:${port}/`, token };
    },
    console_sessions: () => ({ sessions: sessions.list() }),
    console_revoke: ({ id }, caller) => {
      const revoked = id === undefined ? sessions.revokeAll() : Number(sessions.revoke(id));
      if (id !== undefined && revoked === 0)
        throw new UserError(`no session '${id}'`, { hint: "iddio console sessions", code: "not-found" });
      record(caller, "console revoke", { revoked });
      return { revoked };
    },
  };
}

/** Name of what started a program: a shell, a launcher. */
async function parentOf(pid: number): Promise<string | undefined> {
  const found = await processOf(pid);
  const parent = found === undefined ? undefined : await processOf(found.parent);
  return parent?.name;
}
