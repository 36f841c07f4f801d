// The guard of this daemon, put together, and the control methods about it. It hears of every held
// request, so that it knows who sends; whether a caller is let in is decided before any handler
// runs.

import type { ControlHandlers } from "../../api/handlers.ts";
import { Enrolments } from "../../features/guard/enrolments.ts";
import { Guard } from "../../features/guard/guard.ts";
import { PasskeyCeremonies } from "../../features/guard/passkey-ceremonies.ts";
import { Senders } from "../../features/guard/senders.ts";
import { isRootFree } from "../../features/guard/sudo.ts";
import { userName } from "../../host/process/user-name.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import { isNarrowerPolicy } from "../../policy/compare/narrower.ts";
import type { Log } from "../../state/log/log.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import { isNarrowerSetting } from "../../state/settings/setting-narrows.ts";
import { readSetting, type SettingName } from "../../state/settings/settings.ts";
import type { SettingsStore } from "../../state/settings/settings-store.ts";
import type { GuardStore } from "../../state/tables/guard-store.ts";
import type { Broker } from "../request/broker.ts";
import type { ModeHolder } from "../request/mode.ts";
import type { Events } from "../request/records/events.ts";
import type { RecordControl } from "../request/records/record-control.ts";
import { type Runs, runLevel } from "../request/runs/runs.ts";
import type { RunningConsole } from "./console-control.ts";
import type { ObserveSessions } from "./observe-sessions.ts";

/** The daemon's parts behind the guard. */
export interface GuardSources {
  readonly store: GuardStore;
  readonly settings: SettingsStore;
  readonly policy: PolicyStore;
  readonly mode: ModeHolder;
  readonly broker: Broker;
  readonly events: Events;
  readonly observeSessions: ObserveSessions;
  readonly log: Log;
  readonly ownerUid: number | undefined;
  readonly now: () => number;
  readonly runs: Runs;
  /** Where a passkey is touched. */
  readonly console: RunningConsole;
}

/** The guard with what belongs to it. */
export interface RunningGuard {
  readonly guard: Guard;
  readonly enrolments: Enrolments;
  close(): void;
}

/** Starts the guard; a passkey's port is taken at once. */
export async function startGuard(sources: GuardSources): Promise<RunningGuard> {
  const { store, settings, policy, mode, broker, events, observeSessions, log, ownerUid, now, runs } =
    sources;
  const publish = (fields: Readonly<Record<string, unknown>>) => {
    events.publish("guard_changed", { ...fields });
    log.warn("guard", { ...(fields as Record<string, string | number>) });
  };
  const senders = new Senders();
  const looking = new Set<Promise<void>>();
  const stop = events.subscribe(({ tag, fields }) => {
    if (tag !== "approval_requested" || fields.client === undefined) return;
    const looked = senders
      .rememberClient(fields.client as ClientIdentity)
      .finally(() => looking.delete(looked));
    looking.add(looked);
  });
  const ceremonies = new PasskeyCeremonies({
    openPages: (port, find, finish) => {
      const shown = (id: string) => {
        const touch = find(id);
        return touch && { title: touch.title, lines: touch.lines, options: touch.options, kind: touch.kind };
      };
      return sources.console.server.serveTouches(port, { find: shown, finish });
    },
    used: (factor, signatures) => store.put({ ...factor, signatures }),
    failed: () => guard.failed(),
  });
  const guard = new Guard({
    setting: () => settings.current.approval_guard,
    store,
    senders,
    sendersKnown: () => Promise.all(looking),
    ceremonies,
    standing: () => ({
      mode: mode.current,
      ...(observeSessions.current ? { modeAfterObserve: observeSessions.current.previousMode } : {}),
      isNarrowerPolicy: (text) => isNarrowerPolicy(policy.current.text, text),
      isNarrowerSetting: (name, value) => {
        const reading = readSetting(name, value);
        // A wrong value changes nothing: the handler says so.
        if ("problem" in reading) return true;
        return isNarrowerSetting(name as SettingName, settings.current[name as SettingName], reading.value);
      },
    }),
    policyText: () => policy.current.text,
    approval: (id) => broker.find(id).approval,
    ownerUid,
    isRootFree: () => isRootFree(ownerUid),
    consoleOpener: (session) => sources.console.sessions.deciderOf(session),
    levelOfSender: (client) => runs.levelOf(client),
    runs: () => runs.list().map((run) => ({ name: run.name, level: runLevel(run) })),
    publish,
    now,
  });
  const enrolments = new Enrolments({
    guard,
    store,
    ceremonies,
    setSetting: (value) => settings.set("approval_guard", value, true),
    account: ownerUid === undefined ? "iddio" : userName(ownerUid),
    publish,
    now,
  });
  const { factor, problem } = guard.state;
  if (problem !== undefined) log.warn("the guard is closed", { problem });
  if (factor?.kind === "passkey")
    await ceremonies
      .hold(factor.port)
      .catch((error: unknown) => log.warn("the passkey's page cannot be served", { reason: String(error) }));
  return {
    guard,
    enrolments,
    close: () => {
      stop();
      ceremonies.close();
    },
  };
}

type Methods = "guard_status" | "guard_enroll" | "guard_confirm" | "guard_remove" | "guard_recovery";

/** Handlers of the guard methods. */
export function guardHandlers(
  { guard, enrolments }: RunningGuard,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  return {
    guard_status: () => guard.report(),
    guard_enroll: async ({ factor }, caller) => {
      const begun = await enrolments.begin(factor, caller.presence);
      record(caller, "guard enroll", { factor });
      return begun;
    },
    guard_confirm: async ({ enrolment, code }, caller) => {
      const done = await enrolments.confirm(enrolment, code);
      record(caller, "guard enroll", { decides_from_ms: done.decides_from_ms });
      return done;
    },
    guard_remove: async (_input, caller) => {
      await enrolments.remove();
      record(caller, "guard remove");
      return guard.report();
    },
    guard_recovery: (_input, caller) => {
      const codes = enrolments.recovery();
      record(caller, "guard recovery");
      return codes;
    },
  };
}
