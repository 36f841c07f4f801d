// The daemon's part of observing: the control methods about its sessions and its log. The log
// itself is read by the command line; only clearing it goes through here, because the daemon has
// it open.

import type { ObserveReport } from "../../api/daemon-reports.ts";
import type { ControlHandlers } from "../../api/handlers.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import { StoredObserveSession } from "../../state/tables/observe-session.ts";
import { ObserveSessions } from "./observe-sessions.ts";

type Methods = "observe_status" | "observe_start" | "observe_stop" | "observe_clear";

/** Adds observe sessions; one that ran when the daemon stopped is taken up once the proxy listens. */
export function startObserve(parts: DaemonParts): DaemonPart {
  let sessions: ObserveSessions | undefined;
  const made = (): ObserveSessions => {
    if (sessions === undefined) throw new Error("there are no observe sessions before the proxy listens");
    return sessions;
  };
  return {
    handlers: handlersOf(parts, made),
    offers: { observeSession: () => sessions?.current },
    status: () => (sessions?.current === undefined ? {} : { observe_ends_ms: sessions.current.endsMs }),
    started: () => {
      const { database, mode, events, recorder, cleanup } = parts;
      const opened = new ObserveSessions({
        stored: new StoredObserveSession(database),
        mode,
        events,
        onEnd: (session, why, restored) =>
          recorder.control({
            command: "observe stop",
            reason: why === "time" ? "it expired" : "another proxy mode was chosen",
            started_ms: session.startedMs,
            proxy_mode: restored,
          }),
      });
      cleanup.defer(() => opened.close());
      sessions = opened;
    },
  };
}

function handlersOf(
  { mode, events, observe, paths, record }: DaemonParts,
  sessions: () => ObserveSessions,
): Pick<ControlHandlers, Methods> {
  const report = (): ObserveReport => {
    const { current: session, last } = sessions();
    return {
      active: session !== undefined,
      proxy_mode: mode.current,
      ...(session === undefined
        ? {}
        : { started_ms: session.startedMs, ends_ms: session.endsMs, previous_mode: session.previousMode }),
      ...(last === undefined ? {} : { last: { started_ms: last.startedMs, ended_ms: last.endedMs } }),
    };
  };

  return {
    observe_status: report,

    observe_start: ({ duration_ms }, caller) => {
      mode.check("observe");
      const { endsMs, previousMode } = sessions().start(duration_ms);
      record(caller, "observe start", { ends_ms: endsMs, previous_mode: previousMode });
      return report();
    },

    observe_stop: (_input, caller) => {
      const { session, restored } = sessions().stop();
      record(caller, "observe stop", { started_ms: session.startedMs, proxy_mode: restored });
      return report();
    },

    observe_clear: async (_input, caller) => {
      await observe.clear();
      events.publish("observe_cleared", {});
      record(caller, "observe clear");
      return { path: paths.observe };
    },
  };
}
