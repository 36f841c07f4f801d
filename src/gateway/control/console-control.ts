// The console of this daemon, put together, and the control methods about it. It is served before
// the handlers exist, because the guard's pages live on its port.

import type { Database } from "bun:sqlite";
import type { Gate } from "../../api/gate.ts";
import type { ControlHandlers } from "../../api/handlers.ts";
import { ConsoleServer } from "../../features/console/console-server.ts";
import { ConsoleSessions } from "../../features/console/console-sessions.ts";
import { processOf } from "../../host/process/process-tree.ts";
import { sessionChainOf } from "../../host/process/session-chain.ts";
import { socketOwner } from "../../host/process/socket-owner.ts";
import { UserError } from "../../model/user-error.ts";
import type { Log } from "../../state/log/log.ts";
import type { SettingsStore } from "../../state/settings/settings-store.ts";
import { ConsoleStore } from "../../state/tables/console-store.ts";
import type { GuardStore } from "../../state/tables/guard-store.ts";
import type { RecordControl } from "../request/records/record-control.ts";

/** The daemon's parts behind the console. */
export interface ConsoleSources {
  readonly database: Database;
  readonly guardStore: GuardStore;
  readonly settings: SettingsStore;
  readonly log: Log;
  readonly ownerUid: number | undefined;
  /** Ports of this daemon that the proxy carries nobody to. */
  readonly ownPorts: Set<number>;
  readonly handlers: () => ControlHandlers;
  readonly gate: () => Gate;
}

/** The console with its sessions. */
export interface RunningConsole {
  readonly server: ConsoleServer;
  readonly sessions: ConsoleSessions;
  close(): void;
}

/** Starts it, unless the settings say that it is off. A port that is taken is no reason for the daemon not to start. */
export function startConsole(sources: ConsoleSources): RunningConsole {
  const { settings, log, ownPorts } = sources;
  const sessions = new ConsoleSessions();
  const store = new ConsoleStore(sources.database);
  const server = new ConsoleServer({
    sessions,
    handlers: sources.handlers,
    gate: sources.gate,
    ownerUid: sources.ownerUid,
    userOf: (client, own) => socketOwner(client, own)?.uid,
    isWanted: () => settings.current.console_listen !== "off",
    onError: (error, method) => log.error("console method failed", { method, reason: String(error) }),
    onListen: (port) => {
      ownPorts.add(port);
    },
  });
  const start = () => {
    const wanted = settings.current.console_listen;
    if (wanted === "off") return;
    const factor = sources.guardStore.factor();
    // Anyone who has the passkey's port is the passkey's origin, so the console is there too.
    const pinned = factor !== "damaged" && factor?.kind === "passkey" ? factor.port : undefined;
    const chosen = wanted === "auto" ? (pinned ?? store.port) : Number(wanted);
    const port = server.start(chosen);
    if (port !== undefined && port !== store.port) store.keep(port);
    if (server.problem !== undefined) log.warn("the console is not served", { reason: server.problem });
  };
  start();
  settings.onChange((change) => {
    if (change.kind !== "loaded" || change.settings.console_listen === change.previous.console_listen) return;
    if (change.settings.console_listen === "off") sessions.revokeAll();
    start();
  });
  return { server, sessions, close: () => server.close() };
}

/** Where a person decides about a question in the console; undefined while it is not served. */
export function approvalUrl({ server }: Pick<RunningConsole, "server">): (id: string) => string | undefined {
  return (id) =>
    server.port === undefined ? undefined : `http://localhost:${server.port}/#/approvals/${id}`;
}

type Methods = "console_open" | "console_sessions" | "console_revoke";

/** Handlers of the methods about the console. */
export function consoleHandlers(
  { server, sessions }: RunningConsole,
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
