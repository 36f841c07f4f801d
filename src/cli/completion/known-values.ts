// The values that only the running daemon, or a file of the state directory, knows. Asked while
// somebody holds the Tab key: bounded in time, and without an answer there is simply nothing to
// propose.

import type { ControlClient } from "../../api/client.ts";
import { labelText, shortName, timeLeft } from "../../features/approvals/approval-facts.ts";
import { isProtocol } from "../../model/protocol.ts";
import type { StatePaths } from "../../state/paths.ts";
import { hostText } from "../../text/host-port.ts";
import type { Completes } from "../kit/command.ts";
import type { Candidate } from "./candidates.ts";

/** How many of the latest audit rows are looked through for hosts. */
const AUDIT_ROWS = 300;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const FILTERS = ["host", "op", "tier", "decision", "outcome", "protocol", "command", "method", "status"];

/** A question for the daemon: `partial` is the typed part of the word, `args` are the arguments before it. */
export interface ValueQuestion {
  readonly what: Exclude<Completes, "file">;
  readonly args: readonly string[];
  readonly partial: string;
  readonly daemon: ControlClient;
  readonly paths: StatePaths;
}

/** The values, or rejects as a call to the daemon does. */
export async function knownValues({
  what,
  args,
  partial,
  daemon,
  paths,
}: ValueQuestion): Promise<Candidate[]> {
  const now = Date.now();
  switch (what) {
    case "approval": {
      const { approvals } = await daemon.call("approvals_list", {});
      return approvals.map((each) => ({
        value: asTyped(each.id, partial),
        about: `${timeLeft(each.expires_ms, now)}, ${each.tier}: ${shortName(each)} ${labelText(each.labels) ?? ""} ${hostText(each)}`,
      }));
    }
    case "grant": {
      const { grants } = await daemon.call("grants_list", {});
      return grants.map((each) => ({
        value: asTyped(each.id, partial),
        about: `${timeLeft(each.expires_ms, now)}: ${each.command} ${hostText(each)}`,
      }));
    }
    case "inspect-entry":
      return inspectEntries(daemon, args);
    case "pin": {
      const { pins } = await daemon.call("pins_list", {});
      return pins.map((each) => ({ value: at(each), about: each.note ?? "" }));
    }
    case "suspect": {
      const { suspects } = await daemon.call("detector_list", {});
      return suspects.map((each) => ({ value: at(each), about: "" }));
    }
    case "upstream": {
      const { upstreams } = await daemon.call("upstreams_list", {});
      return upstreams.map((each) => ({ value: at(each), about: each.source }));
    }
    case "setting": {
      const { settings } = await daemon.call("settings_get", {});
      return Object.entries(settings).map(([name, value]) => ({ value: `${name}=`, about: `now ${value}` }));
    }
    case "host":
      return hosts(daemon, paths);
    case "method":
      return METHODS.map((value) => ({ value, about: "" }));
    case "filter":
      return FILTERS.map((name) => ({ value: `${name}=`, about: "" }));
  }
}

/** With the word before the hex digits, unless somebody types the digits. */
function asTyped(id: string, partial: string): string {
  const digits = id.slice(id.indexOf("_") + 1);
  return partial !== "" && digits.startsWith(partial) ? digits : id;
}

function at({ host, port }: { readonly host: string; readonly port?: number }): string {
  return port === undefined ? host : hostText({ host, port });
}

async function inspectEntries(daemon: ControlClient, args: readonly string[]): Promise<Candidate[]> {
  const { protocols } = await daemon.call("inspect_summary", {});
  const wanted = args.find(isProtocol);
  return protocols
    .filter(({ protocol }) => wanted === undefined || protocol === wanted)
    .flatMap(({ protocol, entries }) => entries.map((value) => ({ value, about: protocol })));
}

/** Hosts that wait, that are inspected by name, and that were seen lately. */
async function hosts(daemon: ControlClient, paths: StatePaths): Promise<Candidate[]> {
  const { readLast } = await import("../../state/journal/read.ts");
  const [waiting, inspected, seen] = await Promise.all([
    daemon.call("approvals_list", {}).then(
      ({ approvals }) => approvals.map(({ host }) => host),
      () => [],
    ),
    inspectEntries(daemon, []).then(
      (entries) => entries.map(({ value }) => value).filter((entry) => !/[*/]/.test(entry)),
      () => [],
    ),
    readLast(paths.audit, { last: AUDIT_ROWS }).then((rows) => rows.map(({ fields }) => fields.host)),
  ]);
  const all = new Set([...waiting, ...inspected, ...seen.reverse()]);
  return [...all].flatMap((value) => (value === undefined ? [] : [{ value, about: "" }]));
}
