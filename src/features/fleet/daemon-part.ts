// The daemon's part of the fleet: the link to the control plane, and the control methods about it.
// Every change is recorded with its caller; a token never is.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { FleetStore } from "../../state/tables/fleet-store.ts";
import { Fleet } from "./fleet.ts";

type Methods = "fleet_status" | "fleet_enroll" | "fleet_sync" | "fleet_leave";

/** Starts the link, if this machine is enrolled. */
export function startFleet({ cleanup, record, database, paths, ...parts }: DaemonParts): DaemonPart {
  const fleet = cleanup.use(new Fleet({ ...parts, store: new FleetStore(database), journal: paths.audit }));
  return {
    handlers: handlersOf(fleet, record),
    status: () => (fleet.summary === undefined ? {} : { fleet: fleet.summary }),
  };
}

function handlersOf(fleet: Fleet, record: RecordControl): Pick<ControlHandlers, Methods> {
  return {
    fleet_status: () => fleet.report(),
    fleet_enroll: async (input, caller) => {
      const report = await fleet.enroll(input);
      record(caller, "enroll", { url: input.url, tenant: report.tenant, device_id: report.device_id });
      return report;
    },
    fleet_sync: async () => {
      await fleet.syncNow();
      return fleet.report();
    },
    fleet_leave: async (_input, caller) => {
      const before = await fleet.report();
      const report = await fleet.leave();
      record(caller, "fleet leave", { url: before.url, tenant: before.tenant, device_id: before.device_id });
      return report;
    },
  };
}
