// The question to a person, as a text and as a digest: which call, on which approval, with which
// duration. A proof that was given for one question is good for no other. The digest covers
// everything that the words say.

import { createHash } from "node:crypto";
import type { PresenceRequest } from "../../api/gate.ts";
import type { Ask } from "../../model/ask.ts";
import type { TierOrUnknown } from "../../model/tier.ts";

/** The guard's view of an approval. */
export interface AskedApproval {
  readonly id: string;
  readonly ask: Ask;
  readonly rule: string;
}

/** One question. */
export interface GuardQuestion {
  readonly title: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
  /** Tier of the one request that a plain allow lets through, of a look `observe`; undefined for what always asks. */
  readonly plainTier: TierOrUnknown | undefined;
  /** About no approval, and nothing is decided or changed by it. */
  readonly isLook: boolean;
  /** SHA-256 over all of the above and the policy in force, base64url. */
  readonly digest: string;
}

/** The question that a call puts. `policy` is the text in force. */
export function guardQuestionOf(
  request: PresenceRequest,
  approval: AskedApproval | undefined,
  policy: string,
): GuardQuestion {
  const input = request.input as { readonly for_ms?: unknown; readonly rest_of_command?: unknown };
  const isRest = input.rest_of_command === true;
  const lines: [string, string][] = [];
  if (approval !== undefined) {
    const { operation, subject } = approval.ask;
    lines.push(["approval", approval.id], ["command", operation.command], ["tier", operation.tier]);
    lines.push(["request", requestLine(approval.ask)]);
    for (const [name, value] of Object.entries(operation.labels)) lines.push([name, value]);
    lines.push(["rule", approval.rule]);
    if (subject.client?.run !== undefined) lines.push(["run", subject.client.run]);
    if (input.for_ms !== undefined)
      lines.push(["for", `${Number(input.for_ms) / 1000} s, and every request like it`]);
    if (isRest)
      lines.push([
        "also",
        operation.next === undefined
          ? "further requests of this process within a minute, in the same scope, at most this tier"
          : `within a minute this process may ${operation.next.about}`,
      ]);
  } else
    for (const [name, value] of Object.entries(request.input))
      lines.push([name, typeof value === "string" ? value : JSON.stringify(value)]);
  const isLook = request.effect === "read" && approval === undefined;
  const isPlain = approval !== undefined && input.for_ms === undefined && !isRest;
  const verb = { decide: "Allow", change: "Change", read: "Look at" }[request.effect];
  const title = `${verb}: ${request.method}`;
  const whole = [title, lines, canonical(request.input), approval?.ask.digest ?? "", policy];
  return {
    title,
    lines,
    plainTier: isLook ? "observe" : isPlain ? approval.ask.operation.tier : undefined,
    isLook,
    digest: createHash("sha256").update(JSON.stringify(whole)).digest("base64url"),
  };
}

/** The ask itself with its place: `POST api.example:443/apis/…`; another carrier's as it says it, and where. */
function requestLine({ target, fields, evidence }: Ask): string {
  const { method, path } = fields;
  const place = `${target.name}:${target.port}`;
  return method !== undefined && path !== undefined
    ? `${method} ${place}${path}`
    : `${evidence[0]?.text ?? ""} (${target.port === 0 ? target.name : place})`;
}

/** The same text for the same value, whatever the order of its names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
