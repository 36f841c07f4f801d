// The control methods about observe sessions and the observe log. The log itself is read by
// the command line; only clearing it goes through here, because the daemon has it open.

import type { ObserveReport } from "../../api/daemon-reports.ts";
import type { ControlHandlers } from "../../api/handlers.ts";
import type { Journal } from "../../state/journal/journal.ts";
import type { Gateway } from "../request/context.ts";
import type { Events } from "../request/records/events.ts";
import type { RecordControl } from "../request/records/record-control.ts";
import type { ObserveSessions } from "./observe-sessions.ts";

type Methods = "observe_status" | "observe_start" | "observe_stop" | "observe_clear";

/** Handlers of the observe methods. `path` is where the log is, for the answer to a clear. */
export function observeHandlers(
  parts: {
    readonly gateway: Gateway;
    readonly events: Events;
    readonly observe: Journal;
    readonly observeSessions: ObserveSessions;
    readonly path: string;
  },
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const { gateway, events, observe, observeSessions, path } = parts;

  const report = (): ObserveReport => {
    const { current: session, last } = observeSessions;
    return {
      active: session !== undefined,
      proxy_mode: gateway.mode.current,
      ...(session === undefined
        ? {}
        : { started_ms: session.startedMs, ends_ms: session.endsMs, previous_mode: session.previousMode }),
      ...(last === undefined ? {} : { last: { started_ms: last.startedMs, ended_ms: last.endedMs } }),
    };
  };

  return {
    observe_status: report,

    observe_start: ({ duration_ms }, caller) => {
      gateway.mode.check("observe");
      const { endsMs, previousMode } = observeSessions.start(duration_ms);
      record(caller, "observe start", { ends_ms: endsMs, previous_mode: previousMode });
      return report();
    },

    observe_stop: (_input, caller) => {
      const { session, restored } = observeSessions.stop();
      record(caller, "observe stop", { started_ms: session.startedMs, proxy_mode: restored });
      return report();
    },

    observe_clear: async (_input, caller) => {
      await observe.clear();
      events.publish("observe_cleared", {});
      record(caller, "observe clear");
      return { path };
    },
  };
}
