// Reads launchctl's answers. Its texts are no interface and differ between versions; the exit codes
// are errno numbers of launchd and stay. Pure: knows answers of macOS 13 to 27 and runs nothing.

import type { ServiceState } from "./service.ts";

/** The meaning of an exit code for a label or a domain. */
export type LaunchctlMeaning =
  | "done"
  /** The label is unknown in that domain. */
  | "absent"
  /** There is no such domain: nobody has logged in at the screen. */
  | "no-domain"
  | "no-process"
  /** It is being taken away or put in. */
  | "in-progress"
  /** "Input/output error": still being taken away, or switched off by the user. */
  | "refused"
  | "failed";

const MEANINGS: Readonly<Record<number, LaunchctlMeaning>> = {
  0: "done",
  3: "no-process",
  5: "refused",
  36: "in-progress",
  37: "in-progress",
  112: "no-domain",
  113: "absent",
  125: "no-domain",
};

/** The meaning of an exit code; "failed" for every other, also when there is no launchctl. */
export function readLaunchctl(code: number): LaunchctlMeaning {
  return MEANINGS[code] ?? "failed";
}

/** The state in the text of `launchctl print <domain>/<label>`. An agent that was told to end counts as stopped. */
export function parsePrint(text: string): Extract<ServiceState, { kind: "running" | "stopped" }> {
  const field = (name: string) => new RegExp(`^\\s*${name} = (.+?)\\s*$`, "m").exec(text)?.[1];
  const state = field("state");
  const pid = field("pid");
  const number = pid !== undefined && /^\d+$/.test(pid) ? { pid: Number(pid) } : {};
  if (state !== undefined && /^(?:SIG\w+ed|exiting)$/.test(state))
    return { kind: "stopped", detail: `is being stopped (${state})`, isEnding: true, ...number };
  if ("pid" in number) return { kind: "running", pid: number.pid };
  if (text.includes("OS_REASON_CODESIGNING"))
    return { kind: "stopped", detail: "macOS ended it because its signature is not valid" };
  const exit = field("last exit code");
  const signal = field("last terminating signal");
  const last = signal === undefined ? exit && `last exit code ${exit}` : `last ended by signal ${signal}`;
  return { kind: "stopped", detail: last ?? "not running" };
}

/** Whether a property list is that of an agent of the user's domain. */
export function isInUserDomain(plist: string): boolean {
  return /<key>LimitLoadToSessionType<\/key>\s*<string>Background<\/string>/.test(plist);
}
