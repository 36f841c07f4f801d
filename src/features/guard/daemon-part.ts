// The daemon's part of the guard: put together, with the control methods about it. It hears of
// every held request, so that it knows who sends; whether a caller is let in is decided before any
// handler runs.

import type { GuardReport } from "../../api/daemon-reports.ts";
import type { ControlHandlers } from "../../api/handlers.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { runLevel } from "../../gateway/request/runs/runs.ts";
import { userName } from "../../host/process/user-name.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import { isNarrowerPolicy } from "../../policy/compare/narrower.ts";
import { isNarrowerSetting } from "../../state/settings/setting-narrows.ts";
import { readSetting, type SettingName } from "../../state/settings/settings.ts";
import type { ObserveSession } from "../../state/tables/observe-session.ts";
import { Enrolments } from "./enrolments.ts";
import { checkGuardSetting, Guard } from "./guard.ts";
import { PasskeyCeremonies } from "./passkey-ceremonies.ts";
import { Senders } from "./senders.ts";
import { isRootFree } from "./sudo.ts";

/** Makes the guard; a passkey's port is taken once the proxy listens. */
export function startGuard(parts: DaemonParts): DaemonPart {
  const { settings, policy, mode, broker, events, log, ownerUid, runs, cleanup, record } = parts;
  const { guardStore: store, offered } = parts;
  const now = () => Date.now();
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
      return offered().serveTouches(port, { find: shown, finish });
    },
    used: (factor, signatures) => store.put({ ...factor, signatures }),
    failed: () => guard.failed(),
  });
  const guard = new Guard({
    setting: () => settings.current.approval_guard,
    store,
    senders,
    sendersKnown: () => Promise.all(looking),
    isSenderKnown: ({ id, ask: { subject } }) => {
      const { client } = subject;
      // A live one is on another machine or in a network of its own; one that has left may have been anybody.
      if (client === undefined) return broker.find(id).ended === undefined;
      // The processes of another user show themselves to nobody but root, and have no terminal of this one.
      const own = process.getuid?.();
      if (own !== undefined && own !== 0 && client.user !== userName(own)) return true;
      return senders.hasFollowed(client);
    },
    ceremonies,
    standing: () => ({
      mode: mode.current,
      ...modeAfter(offered().observeSession()),
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
    consoleOpener: (session) => offered().consoleOpener(session),
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
  return {
    handlers: handlersOf(guard, enrolments, record),
    offers: { gate: guard, checkGuardSetting: (value) => checkGuardSetting(value, store.factor()) },
    status: () => statusOf(guard.report()),
    started: async () => {
      cleanup.defer(() => {
        stop();
        ceremonies.close();
      });
      const { factor, problem } = guard.state;
      if (problem !== undefined) log.warn("the guard is closed", { problem });
      if (factor?.kind === "passkey")
        await ceremonies
          .hold(factor.port)
          .catch((error: unknown) =>
            log.warn("the passkey's page cannot be served", { reason: String(error) }),
          );
    },
  };
}

function modeAfter(session: ObserveSession | undefined) {
  return session === undefined ? {} : { modeAfterObserve: session.previousMode };
}

/** The guard's fields of `iddio status`. */
function statusOf({ guard, level, raise, problem, runs }: GuardReport) {
  return {
    guard,
    guard_level: level,
    ...(runs === undefined ? {} : { guard_runs: runs }),
    ...(raise === undefined ? {} : { guard_raise: raise }),
    ...(problem === undefined ? {} : { guard_problem: problem }),
  };
}

type Methods = "guard_status" | "guard_enroll" | "guard_confirm" | "guard_remove" | "guard_recovery";

function handlersOf(
  guard: Guard,
  enrolments: Enrolments,
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
