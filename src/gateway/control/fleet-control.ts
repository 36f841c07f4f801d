// The control methods about the fleet that this machine belongs to. Every change is recorded with who made it; a token
// never is.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { Fleet } from "../../features/fleet/fleet.ts";
import type { RecordControl } from "./approval-control.ts";

type Methods = "fleet_status" | "fleet_enroll" | "fleet_sync" | "fleet_leave";

/** Handlers of those methods. */
export function fleetHandlers(fleet: Fleet, record: RecordControl): Pick<ControlHandlers, Methods> {
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
