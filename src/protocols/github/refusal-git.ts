// Refusals for git, whatever the protocol block. Git shows the body of a failed answer only at
// discovery, and only as plain text; of a failed transfer it prints "RPC failed; HTTP 403" and no
// reason. There the answer is a 200 whose content refuses: a report that the pack was not taken, or
// an error packet (gitprotocol-http, gitprotocol-pack).

import { type Header, headerValue, type RequestHead } from "../../model/request.ts";
import type { Refusal, RefusalReply } from "../refused.ts";

const TRANSFERS: ReadonlyMap<string, "push" | "fetch"> = new Map([
  ["application/x-git-receive-pack-request", "push"],
  ["application/x-git-upload-pack-request", "fetch"],
]);
const DISCOVERY = /\/info\/refs\?(?:.*&)?service=git-/;

/** The reply when the client is git, else undefined. */
export function renderGit(refusal: Refusal, message: string, request: RequestHead): RefusalReply | undefined {
  const type = headerValue(request.headers, "content-type")?.toLowerCase() ?? "";
  const transfer = request.method === "POST" ? TRANSFERS.get(type) : undefined;
  if (transfer === "push")
    return replyOf(refusal, 200, "application/x-git-receive-pack-result", pushReport(message));
  if (transfer === "fetch")
    return replyOf(refusal, 200, "application/x-git-upload-pack-result", packet(`ERR ${message}\n`));
  if (!DISCOVERY.test(request.target)) return undefined;
  return replyOf(refusal, refusal.status, "text/plain; charset=utf-8", `${message}\n`);
}

/**
 * The report of a server that could not take the pack; the message goes before it as one of git's `remote:`
 * lines. All servers offer side bands, so git asks for them; a client without them cannot read this, and
 * fails as well.
 */
function pushReport(message: string): string {
  const report = `${packet("unpack refused by iddio\n")}0000`;
  return `${packet(`\x02${message}\n`)}${packet(`\x01${report}`)}0000`;
}

/** A pkt-line: its length with the length's own four digits, then the content. Messages are far shorter than 64 KiB. */
function packet(content: string): string {
  const length = new TextEncoder().encode(content).length + 4;
  return `${length.toString(16).padStart(4, "0")}${content}`;
}

function replyOf(refusal: Refusal, status: number, contentType: string, text: string): RefusalReply {
  const body = new TextEncoder().encode(text);
  const headers: readonly Header[] = [
    ["content-type", contentType],
    ["content-length", String(body.length)],
    ["cache-control", "no-store"],
    ["x-iddio-outcome", refusal.outcome],
  ];
  return { status, headers, body, ...(status === 200 ? { isReadLate: true } : {}) };
}
