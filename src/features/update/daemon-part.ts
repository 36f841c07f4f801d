// The daemon's part of updates: the updater, and the control methods about it.

import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import { UpdateRecord } from "../../state/tables/stored-update.ts";
import { Updater } from "./updater.ts";

/** Starts the updater. */
export function startUpdates(parts: DaemonParts): DaemonPart {
  const { paths, settings, events, log, version, env, stopThen, record, cleanup } = parts;
  const updater = new Updater({
    ...{ paths, settings, events, log, version, env, stopThen },
    record: new UpdateRecord(parts.database),
  });
  cleanup.defer(() => updater.close());
  return {
    handlers: {
      update_status: () => updater.report,
      update_check: ({ force }) => updater.check(force),
      update_apply: async (_input, caller) => {
        const report = await updater.apply();
        record(caller, "update apply", { version: report.version });
        return report;
      },
    },
  };
}
