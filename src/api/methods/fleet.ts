// The control methods about the control plane that this machine belongs to, with their replies. The
// token of an enrolment goes in; no key comes out.

import { method } from "../method.ts";
import { flag, list, number, object, optional, text, type Value, words } from "../schema.ts";

const position = object({ epoch: number(), revision: number(), digest: text() });

/** How a machine stands with its control plane. */
export const fleetReport = object({
  enrolled: flag(),
  url: optional(text()),
  tenant: optional(text("name of the tenant")),
  device_id: optional(text()),
  owner: optional(text("to whom the enrolment was issued: requester of whatever this machine asks")),
  state: optional(words(["active", "revoked"])),
  policy: optional(position),
  central_tiers: optional(list(text(), "only the control plane may allow asks of these tiers")),
  is_stale: optional(flag("the control plane was not reached for longer than its policy allows")),
  last_sync_ms: optional(number("when a sync went through to its end")),
  problem: optional(text("of the last try, as a clause; absent when it went well")),
  failing_since_ms: optional(number()),
  refused: optional(text("why the last bundle was not taken, as a clause")),
  audit_acked: optional(number("rows that the control plane has")),
  audit_behind_bytes: optional(number()),
  held: optional(number("asks that were offered to people elsewhere and wait")),
});

/** The state of the machine in its fleet, as `fleet_status` gives it. */
export type FleetReport = Value<typeof fleetReport>;

/** Their part of the table. */
export const FLEET_METHODS = {
  fleet_status: method("read", "GET", "/v1/fleet", {
    about: "the control plane that this machine belongs to, and how that goes",
    output: fleetReport,
  }),
  fleet_enroll: method("change", "POST", "/v1/fleet/enroll", {
    about: "makes this machine one of a fleet, by a one-time token",
    input: object({
      url: text("address of the control plane"),
      token: text(),
      ca_pem: optional(text("trusted instead of the system's roots")),
      name: optional(text("the machine's name there; its host name unless given")),
    }),
    output: fleetReport,
    isForRoot: true,
    errors: { "already-enrolled": "the machine belongs to a fleet already" },
  }),
  fleet_sync: method("change", "POST", "/v1/fleet/sync", {
    about: "syncs now: uploads audit rows and takes the policy that is due",
    output: fleetReport,
    narrows: {
      because: "a policy of the control plane is only ever added to the local one, and by its own signature",
    },
    errors: { "not-enrolled": "the machine belongs to no fleet" },
  }),
  fleet_leave: method("change", "POST", "/v1/fleet/leave", {
    about: "takes this machine out of its fleet; the control plane's policy is then no longer in force",
    output: fleetReport,
    isForRoot: true,
    errors: { "not-enrolled": "the machine belongs to no fleet" },
  }),
} as const;
