// Lists the facts about one held request, as name and value: for `approval show` and the
// interactive watch alike. Values are as they came from the client: the caller escapes them before
// printing.

import type { Approval, ApprovalDetails } from "../../api/reports.ts";
import type { ClientDetails } from "../../model/entry.ts";
import { renderDuration } from "../../text/duration.ts";
import { hostText } from "../../text/host-port.ts";

/** Name and value; an empty value is undefined. */
export type Fact = readonly [string, string | undefined];

/** The request itself. It must have been on the screen before anybody allows it. */
export function requestFacts(approval: Approval): readonly Fact[] {
  const { command, labels } = approval;
  return [
    ["tier", approval.tier],
    ["command", command === "" ? undefined : command],
    ["object", approval.object],
    ["scope", labelText(labels)],
    ["host", hostText(approval)],
    ["request", requestLine(approval)],
    ["goes on to", approval.next],
  ];
}

/** Why it is held and who sent it. */
export function originFacts(
  approval: Omit<Approval, "client"> & { readonly client?: ClientDetails },
): readonly Fact[] {
  return [
    ["protocol", approval.protocol],
    ["rule", approval.rule === "" ? undefined : approval.rule],
    ["because", approval.reason === "" ? undefined : approval.reason],
    ["run", approval.client?.run],
    ["asked by", clientText(approval.client)],
    ["program", approval.client?.program],
    ["started by", ancestorsText(approval.client)],
  ];
}

/** Names the request in one line: the command, or the request itself where the command says no more. */
export function shortName(approval: Pick<Approval, "command" | "method" | "path" | "carrier">): string {
  const { command, method } = approval;
  return command === "" || command === method ? requestLine(approval) : command;
}

/** Only what HTTP carries has a method; a command line has one by tradition. */
function requestLine({ carrier, method, path }: Pick<Approval, "method" | "path" | "carrier">): string {
  return carrier === "mcp" || carrier === "ssh" ? path : `${method} ${path}`;
}

/** Selects the evidence to show below the facts: everything but the request itself, unless that has several lines. */
export function shownEvidence(approval: ApprovalDetails): readonly ShownEvidence[] {
  const { carrier, evidence, headers, body, trailers = [] } = approval;
  if (carrier !== undefined && carrier !== "http" && evidence !== undefined)
    return evidence.filter(({ text }, index) => index > 0 || text.includes("\n"));
  return [
    ...(headers.length === 0 ? [] : [{ label: "Headers", text: "", pairs: headers }]),
    ...(body === "" ? [] : [{ label: "Body", text: body }]),
    ...(trailers.length === 0 ? [] : [{ label: "Trailers", text: "", pairs: trailers }]),
  ];
}

/** A heading with text or, where there are any, pairs below it. */
type ShownEvidence = NonNullable<ApprovalDetails["evidence"]>[number];

/** `namespace=payments zone=a`; a value that could pass for two is quoted. Undefined when there are none. */
export function labelText(labels: Readonly<Record<string, string>>): string | undefined {
  const parts = Object.entries(labels).map(([name, value]) => `${name}=${plainName(value)}`);
  return parts.length === 0 ? undefined : parts.join(" ");
}

/** `18s left`, or the outcome when the time has run out. */
export function timeLeft(expiresMs: number, nowMs: number): string {
  return expiresMs > nowMs ? `${renderDuration(wholeSeconds(expiresMs - nowMs))} left` : "expired";
}

/** Rounded up, so that a countdown ends when it shows zero. */
export function wholeSeconds(ms: number): number {
  return Math.max(0, Math.ceil(ms / 1000)) * 1000;
}

/** The processes that started the client, nearest first. */
function ancestorsText(client: ClientDetails | undefined): string | undefined {
  const ancestors = client?.ancestors ?? [];
  return ancestors.length === 0 ? undefined : ancestors.map(processText).join(" < ");
}

function clientText(client: ClientDetails | undefined): string | undefined {
  if (client === undefined) return undefined;
  const { process, pid, user } = client;
  const parts = [
    process !== undefined ? processText({ process, pid }) : pid === undefined ? undefined : `pid ${pid}`,
    user === undefined ? undefined : `user ${user}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** `kubectl (pid 123)`; a process may call itself anything, so a name that could pass for more is quoted. */
function processText({
  process,
  pid,
}: {
  readonly process: string;
  readonly pid: number | undefined;
}): string {
  const name = plainName(process);
  return pid === undefined ? name : `${name} (pid ${pid})`;
}

/** A name as one word, quoted where it would look like two. */
export function plainName(text: string): string {
  return /^[\w.:/@*+-]+$/.test(text) ? text : JSON.stringify(text);
}
