// The control methods about hosts that are not opened: a person's pins and the detector's
// findings. Every change is recorded with who made it, and told as an event.

import type { PinReport, SuspectReport } from "../../api/daemon-reports.ts";
import type { ControlHandlers } from "../../api/handlers.ts";
import { UserError } from "../../model/user-error.ts";
import { routeOf } from "../../policy/decide/route.ts";
import type { Pin } from "../../state/tables/pins.ts";
import type { Suspect } from "../../state/tables/suspects.ts";
import { parseAuthority } from "../../wire/http1/connect-request.ts";
import type { Gateway } from "../request/context.ts";
import type { Events } from "../request/records/events.ts";
import type { RecordControl } from "../request/records/record-control.ts";

type Methods =
  | "pins_list"
  | "pins_add"
  | "pins_remove"
  | "detector_list"
  | "detector_clear"
  | "detector_promote";

const MAX_NOTE_LENGTH = 500;

/** Handlers of the pin and detector methods. */
export function hostHandlers(
  gateway: Gateway,
  events: Events,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const { pins, detector, inspection } = gateway;

  const add = (pin: Pin): PinReport => {
    pins.add(pin);
    const report = pinReport(pin);
    events.publish("host_pinned", { ...report });
    return report;
  };

  /** Says how a pin changes the routing under the present policy. */
  const effect = ({ host, port }: Pin): string => {
    const route = routeOf(inspection.policy, { host, port: port ?? 443 });
    return route === undefined
      ? "the policy does not inspect it, so nothing changes for now"
      : `${route.protocol} inspects '${route.entry}', and from now on not this host`;
  };

  return {
    pins_list: () => ({ pins: pins.list().map(pinReport) }),

    pins_add: (input, caller) => {
      const { host, port } = checkHost(input);
      const { note = "" } = input;
      if (note.length > MAX_NOTE_LENGTH)
        throw new UserError(`a note has at most ${MAX_NOTE_LENGTH} characters`, { exitCode: 2 });
      const known = pins.get(host, port);
      if (known && (input.note === undefined || known.note === note))
        return { pin: pinReport(known), changed: false };
      const pin: Pin = { host, port, note, source: "manual", addedMs: Date.now() };
      const report = add(pin);
      record(caller, "pin", { ...report });
      return { pin: report, changed: true, note: effect(pin) };
    },

    pins_remove: (input, caller) => {
      const { host, port } = checkHost(input);
      const removed = pins.remove(host, port).map(pinReport);
      for (const report of removed) {
        events.publish("host_unpinned", { ...report });
        record(caller, "unpin", { ...report });
      }
      return { removed };
    },

    detector_list: () => ({
      setting: gateway.settings.current.detector,
      suspects: detector.list().map((suspect) => suspectReport(suspect, Date.now())),
    }),

    detector_clear: (_input, caller) => {
      const cleared = detector.clear().length;
      events.publish("detector_cleared", { cleared });
      record(caller, "detector clear", { cleared });
      return { cleared };
    },

    detector_promote: (input, caller) => {
      const { host, port } = checkHost(input);
      const found = detector.list().filter((each) => each.host === host);
      const wanted = found.filter((each) => port === undefined || each.port === port);
      if (wanted.length === 0)
        throw new UserError(`the detector has not found '${host}${port === undefined ? "" : `:${port}`}'`, {
          code: "not-found",
          hint: `see: iddio detector list; or pin it yourself: iddio pin ${host}`,
        });
      const promoted = new Map(wanted.map((suspect) => [suspect.port, suspect]));
      const reports = [...promoted.values()].map((suspect) => {
        const { reason: note, port: at } = suspect;
        const report = add({ host, port: at, note, source: "detector", addedMs: Date.now() });
        record(caller, "detector promote", { ...report });
        // After the pin is there: its splices must not end in between.
        detector.remove(host, at);
        return report;
      });
      return { pins: reports };
    },
  };
}

/** Host and port in their one spelling. The command line has checked them; others may speak to the socket too. */
function checkHost(input: { readonly host: string; readonly port?: number }): {
  readonly host: string;
  readonly port: number | undefined;
} {
  const text = input.host.includes(":") && !input.host.startsWith("[") ? `[${input.host}]` : input.host;
  const parsed = parseAuthority(`${text}:${input.port ?? 443}`);
  if (parsed) return { host: parsed.host, port: input.port };
  if (input.host.includes("*"))
    throw new UserError(`'${input.host}' cannot be pinned: a pin is one exact host`, {
      hint: "to leave a whole domain alone, remove its inspect entry: iddio inspect remove",
      exitCode: 2,
    });
  throw new UserError(`'${input.host}' is not a host`, { hint: "type host or host:port", exitCode: 2 });
}

function pinReport(pin: Pin): PinReport {
  return {
    host: pin.host,
    ...(pin.port === undefined ? {} : { port: pin.port }),
    note: pin.note,
    source: pin.source,
    added_ms: pin.addedMs,
  };
}

function suspectReport(suspect: Suspect, now: number): SuspectReport {
  const isPinned = suspect.pinnedUntilMs > now;
  return {
    host: suspect.host,
    port: suspect.port,
    failed: suspect.failed,
    state: isPinned ? "pinned" : "suspected",
    reason: suspect.reason,
    count: suspect.count,
    first_ms: suspect.firstMs,
    last_ms: suspect.lastMs,
    ...(isPinned ? { pinned_until_ms: suspect.pinnedUntilMs } : {}),
  };
}
