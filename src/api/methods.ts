// The control API as one table: what each method is called, takes, gives and does. The daemon's
// server, the client, the checks at both ends and docs/control-api.md are made from it. Nothing
// here may know how a method is carried out. A method that is only ever added to, never changed,
// keeps old programs working.

import { MODES } from "../model/mode.ts";
import { PROTOCOLS } from "../model/protocol.ts";
import {
  guardEnrolment,
  guardRecovery,
  guardReport,
  pinReport,
  probeReport,
  probeStart,
  settingChange,
  settingsReload,
  suspectReport,
  updateReport,
} from "./daemon-reports.ts";
import { HOOKS_JUDGE } from "./hooks/hook-method.ts";
import { type AnyMethod, method } from "./method.ts";
import { APPROVAL_METHODS } from "./methods/approvals.ts";
import { CONSOLE_METHODS } from "./methods/console.ts";
import { CREDENTIAL_METHODS } from "./methods/credentials.ts";
import { FLEET_METHODS } from "./methods/fleet.ts";
import { FORWARD_METHODS } from "./methods/forward.ts";
import { KUBERNETES_METHODS } from "./methods/kubernetes.ts";
import { MCP_METHODS } from "./methods/mcp.ts";
import { NOTIFY_METHODS } from "./methods/notify.ts";
import { OBSERVE_METHODS } from "./methods/observe.ts";
import { PAGE_METHODS } from "./methods/pages.ts";
import { NO_LOAD, POLICY_METHODS } from "./methods/policy.ts";
import { RUN_METHODS } from "./methods/runs.ts";
import { STATUS_METHOD } from "./methods/status.ts";
import {
  caReport,
  classifyReport,
  decideReport,
  eventRow,
  inspectReport,
  upstreamInput,
  upstreamReport,
} from "./reports.ts";
import { anything, flag, list, map, number, object, optional, text, type Value, words } from "./schema.ts";

const atHost = { host: text(), port: optional(number()) };
const inspectEntry = object({ protocol: words(PROTOCOLS), entry: text() });
const changedReport = object({ changed: flag(), note: optional(text()) });

const NO_SUCH = { "not-found": "nothing has this id or name", ambiguous: "several match" };

/** The table. */
export const METHODS = {
  status: STATUS_METHOD,

  ...POLICY_METHODS,

  mode_get: method("read", "GET", "/v1/mode", {
    about: "the proxy mode",
    output: object({ proxy_mode: words(MODES) }),
  }),
  mode_set: method("change", "POST", "/v1/mode", {
    about: "changes the proxy mode until the next start",
    input: object({ proxy_mode: words(MODES) }),
    output: object({ proxy_mode: words(MODES), previous: words(MODES) }),
    narrows: {
      because: "`enforce` is the strictest mode, and a mode that is set already changes nothing",
      proof: (before, after) => after.proxy_mode === "enforce" || after.proxy_mode === before.mode,
    },
  }),

  ...APPROVAL_METHODS,
  ...KUBERNETES_METHODS,

  events: {
    ...method("read", "POST", "/v1/events", {
      about: "the last events, then those to come",
      input: object({ follow: flag(), after: optional(text("id of the last event that was seen")) }),
      output: eventRow,
    }),
    isStream: true,
  },

  ca_info: method("read", "GET", "/v1/ca", { about: "the authority's certificate", output: caReport }),

  upstreams_list: method("read", "GET", "/v1/upstreams", {
    about: "the registered private CAs and client certificates",
    output: object({ upstreams: list(upstreamReport) }),
  }),
  upstreams_add: method("change", "POST", "/v1/upstreams/add", {
    about: "registers a private CA or client certificate for one host",
    input: upstreamInput,
    output: object({ upstream: upstreamReport }),
  }),
  upstreams_remove: method("change", "POST", "/v1/upstreams/remove", {
    about: "forgets one",
    input: object({ host: text(), port: number() }),
    output: object({ removed: flag() }),
  }),

  inspect_summary: method("read", "GET", "/v1/inspect", {
    about: "the hosts that are intercepted",
    output: object({ protocols: list(inspectReport) }),
  }),
  inspect_add: method("change", "POST", "/v1/inspect/add", {
    about: "adds an entry to policy.yaml",
    input: inspectEntry,
    output: changedReport,
    errors: NO_LOAD,
  }),
  inspect_remove: method("change", "POST", "/v1/inspect/remove", {
    about: "removes an entry from policy.yaml",
    input: inspectEntry,
    output: changedReport,
    errors: NO_LOAD,
  }),

  pins_list: method("read", "GET", "/v1/pins", {
    about: "the hosts that are never opened",
    output: object({ pins: list(pinReport) }),
  }),
  pins_add: method("change", "POST", "/v1/pins/add", {
    about: "never opens a host",
    input: object({ ...atHost, note: optional(text()) }),
    output: object({ pin: pinReport, changed: flag(), note: optional(text()) }),
  }),
  pins_remove: method("change", "POST", "/v1/pins/remove", {
    about: "removes a pin",
    input: object(atHost),
    output: object({ removed: list(pinReport) }),
    narrows: { because: "the host is opened and judged again" },
  }),

  detector_list: method("read", "GET", "/v1/detector", {
    about: "the hosts whose TLS could not be intercepted",
    output: object({ setting: text(), suspects: list(suspectReport) }),
  }),
  detector_clear: method("change", "POST", "/v1/detector/clear", {
    about: "forgets the findings of the detector",
    output: object({ cleared: number() }),
    narrows: { because: "hosts that the detector lets through unread are opened again" },
  }),
  detector_promote: method("change", "POST", "/v1/detector/promote", {
    about: "pins a host that the detector found",
    input: object(atHost),
    output: object({ pins: list(pinReport) }),
    errors: NO_SUCH,
  }),

  ...OBSERVE_METHODS,

  settings_get: method("read", "GET", "/v1/settings", {
    about: "the settings in force",
    output: object({ settings: map(anything()) }),
  }),
  settings_set: method("change", "POST", "/v1/settings/set", {
    about: "writes one setting into settings.yaml",
    input: object({ name: text(), value: text("as typed") }),
    output: settingChange,
    narrows: {
      because: "when the new value is listed as stricter, or is the old one",
      proof: (before, after) => before.isNarrowerSetting(after.name, after.value),
    },
  }),
  settings_reload: method("change", "POST", "/v1/settings/reload", {
    about: "loads settings.yaml from disk",
    output: settingsReload,
    errors: NO_LOAD,
  }),

  probes_start: method("change", "POST", "/v1/probes/start", {
    about: "opens a name for `doctor --live` to send a client to",
    input: object({
      protocol: words(PROTOCOLS),
      stands_for: optional(text("the host that its requests are classified for")),
    }),
    output: probeStart,
    narrows: { because: "the daemon itself answers requests to a probe; nothing is forwarded" },
  }),
  probes_end: method("change", "POST", "/v1/probes/end", {
    about: "closes a probe",
    input: object({ id: text() }),
    output: probeReport,
    narrows: { because: "the name no longer answers" },
    errors: { "not-found": "there is no such probe" },
  }),

  classify: method("read", "POST", "/v1/classify", {
    about: "the classification of a request",
    input: object({
      method: text(),
      url: text(),
      headers: optional(map(text())),
      body_b64: optional(text()),
    }),
    output: classifyReport,
  }),
  decide: method("read", "POST", "/v1/decide", {
    about: "the policy's answer to a request",
    input: object({ method: text(), host: text(), path: text() }),
    output: decideReport,
  }),

  hooks_judge: HOOKS_JUDGE,
  ...MCP_METHODS,

  ...RUN_METHODS,
  ...CONSOLE_METHODS,
  ...PAGE_METHODS,

  guard_status: method("read", "GET", "/v1/guard", {
    about: "the guard of approvals and the level that it reaches",
    output: guardReport,
  }),
  guard_enroll: method("change", "POST", "/v1/guard/enroll", {
    about: "begins to enrol a factor in place of the present one; the first one needs root",
    input: object({ factor: words(["totp", "passkey"]) }),
    output: guardEnrolment,
    isForRoot: true,
  }),
  guard_confirm: method("change", "POST", "/v1/guard/confirm", {
    about: "ends an enrolment with the first code of the new factor, or once its page is done",
    input: object({ enrolment: text(), code: optional(text()) }),
    output: guardRecovery,
    narrows: { because: "it only ends an enrolment that was begun with presence" },
    errors: {
      "not-found": "no such enrolment",
      "wrong-code": "the code is not right",
      unfinished: "the page is not done",
    },
  }),
  guard_remove: method("change", "POST", "/v1/guard/remove", {
    about: "removes the factor; the guard is `session` again",
    output: guardReport,
    isForRoot: true,
  }),
  guard_recovery: method("change", "POST", "/v1/guard/recovery", {
    about: "makes new recovery codes; the old ones end",
    output: guardRecovery,
    isForRoot: true,
    errors: { "not-found": "no factor is enrolled" },
  }),

  ...CREDENTIAL_METHODS,
  ...FLEET_METHODS,
  ...FORWARD_METHODS,
  ...NOTIFY_METHODS,
  update_status: method("read", "GET", "/v1/update", {
    about: "where the daemon's update of itself is",
    output: updateReport,
  }),
  update_check: method("change", "POST", "/v1/update/check", {
    about: "looks for a newer release",
    input: object({
      force: flag("without it, a release that was looked for a moment ago is not looked for again"),
    }),
    output: updateReport,
    narrows: { because: "a release that is found, and perhaps downloaded, is not installed" },
  }),
  update_apply: method("change", "POST", "/v1/update/apply", {
    about:
      "begins to install the found release, and answers before it is done: the daemon restarts on the way",
    output: updateReport,
  }),
} as const;

type Table = typeof METHODS;

/** The name of a method. */
export type ControlMethod = keyof Table;

/** Input and output of every method; for a stream the output is one row. */
export type ControlMethods = {
  readonly [M in ControlMethod]: {
    readonly input: Value<Table[M]["input"]>;
    readonly output: Value<Table[M]["output"]>;
  };
};

/** The methods that answer with a stream of rows instead of one object. */
export type StreamMethod = {
  [M in ControlMethod]: Table[M] extends { readonly isStream: true } ? M : never;
}[ControlMethod];

/** The methods that answer with one object. */
export type CallMethod = Exclude<ControlMethod, StreamMethod>;

/** An entry of the table. */
export function entryOf(name: ControlMethod): AnyMethod {
  return METHODS[name];
}
