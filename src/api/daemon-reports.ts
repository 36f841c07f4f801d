// Replies of the control methods about pins, the detector, observe sessions, settings, probes, the
// guard and updates. Each report is a schema, and its type follows from it. Names on the wire are
// snake_case JSON. These are a contract with older and newer programs: fields are only added, and a
// new field is optional.

import { LEVELS } from "../model/level.ts";
import { MODES } from "../model/mode.ts";
import { TIERS } from "../model/tier.ts";
import { anything, flag, list, number, object, optional, text, type Value, words } from "./schema.ts";

/** A host that is never opened. */
export const pinReport = object({
  host: text(),
  port: optional(number("absent: any port")),
  note: text(),
  source: words(["manual", "detector"], "`detector` when it was promoted from there"),
  added_ms: number(),
});
/** A host that is never opened. */
export type PinReport = Value<typeof pinReport>;

/** A host whose TLS could not be intercepted. */
export const suspectReport = object({
  host: text(),
  port: number(),
  failed: words(
    ["upstream", "client"],
    "`upstream`: its certificate failed verification; `client`: the client refused iddio's",
  ),
  state: words(["suspected", "pinned"]),
  reason: text(),
  count: number(),
  first_ms: number(),
  last_ms: number(),
  pinned_until_ms: optional(number("present while it is pinned")),
});
/** A host whose TLS could not be intercepted. */
export type SuspectReport = Value<typeof suspectReport>;

/** The observe session, if one runs, else the last one. */
export const observeReport = object({
  active: flag(),
  proxy_mode: words(MODES),
  started_ms: optional(number()),
  ends_ms: optional(number()),
  previous_mode: optional(words(MODES, "the mode that comes back at the end")),
  last: optional(object({ started_ms: number(), ended_ms: number() }, "the last session, while none runs")),
});
/** The observe session, if one runs, else the last one. */
export type ObserveReport = Value<typeof observeReport>;

/** The answer to `settings set`. */
export const settingChange = object({
  name: text(),
  value: anything(),
  previous: anything(),
  note: optional(text("a remark when the change does not take effect at once")),
});
/** The answer to `settings set`. */
export type SettingChange = Value<typeof settingChange>;

/** The answer to `settings reload`. */
export const settingsReload = object({
  proxy_listen: text("where the proxy listens now"),
  changed: flag(),
});
/** The answer to `settings reload`. */
export type SettingsReload = Value<typeof settingsReload>;

/** A name for a client to be sent to. */
export const probeStart = object({ id: text(), host: text() });
/** A name for a client to be sent to. */
export type ProbeStart = Value<typeof probeStart>;

/** A request that a client sent to a probe, and what its classifier made of it. */
export const probedRequest = object({
  method: text(),
  path: text(),
  tier: words([...TIERS, "unknown"]),
  command: text(),
});
/** A request that a client sent to a probe, and what its classifier made of it. */
export type ProbedRequest = Value<typeof probedRequest>;

/** How far a client came. */
export const probeReport = object({
  routed: flag("it has asked the proxy for the name"),
  trusted: flag("it has accepted iddio's certificate: a request came"),
  problem: optional(text("why it came no further, when the daemon could tell")),
  requests: list(probedRequest),
});
/** How far a client came. */
export type ProbeReport = Value<typeof probeReport>;

/** Where the daemon's update of itself is. */
export const updateReport = object({
  state: words(["idle", "checking", "available", "downloading", "staged", "applying", "failed"]),
  current_version: text(),
  version: optional(text("the later version that the state is about")),
  received_bytes: optional(number()),
  total_bytes: optional(number()),
  problem: optional(text()),
  feed: text(),
  last_check_ms: optional(number()),
  next_check_ms: optional(number()),
});
/** Where the daemon's update of itself is. */
export type UpdateReport = Value<typeof updateReport>;

/** An agent in `iddio run` and its level. */
export const runLevelReport = object({ name: text(), level: words(LEVELS) });

/** The guard of approvals and its level. */
export const guardReport = object({
  guard: words(["off", "session", "totp", "passkey"]),
  level: words(LEVELS),
  why: text("why it is this level, in a clause"),
  raise: optional(text("the command that raises the level")),
  problem: optional(text("why decisions are refused; absent while the guard is in order")),
  decides_from_ms: optional(number("when a factor that was just enrolled begins to decide")),
  recovery_codes: optional(number("how many are left")),
  runs: optional(list(runLevelReport, "the agents in `iddio run`, which reach a level of their own")),
});
/** The guard of approvals and its level. */
export type GuardReport = Value<typeof guardReport>;

/** An enrolment that was begun. */
export const guardEnrolment = object({
  enrolment: text("for `guard_confirm`"),
  otpauth: optional(text("the new secret, for an authenticator; shown once")),
  url: optional(text("the page that asks for the new passkey")),
});
/** An enrolment that was begun. */
export type GuardEnrolment = Value<typeof guardEnrolment>;

/** Recovery codes; shown once. */
export const guardRecovery = object({
  codes: list(text()),
  decides_from_ms: number("when the factor begins to decide"),
});
/** Recovery codes; shown once. */
export type GuardRecovery = Value<typeof guardRecovery>;
