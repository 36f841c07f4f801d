// What a person is asked, in words and as a digest: which call, on which approval, with which duration. A proof that was
// given for one question is good for no other. The digest covers everything that the words say.

import { createHash } from "node:crypto";
import type { PresenceRequest } from "../../api/gate.ts";
import type { ClientIdentity } from "../../model/entry.ts";
import type { TierOrUnknown } from "../../model/tier.ts";

/** What the guard may know of an approval. */
export interface AskedApproval {
  readonly id: string;
  readonly tier: TierOrUnknown;
  readonly command: string;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rule: string;
  readonly fingerprint?: string;
  readonly client?: ClientIdentity;
}

/** One question. */
export interface Question {
  readonly title: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
  /** Tier of the one request that a plain allow lets through; undefined for everything that always asks. */
  readonly plainTier: TierOrUnknown | undefined;
  /** SHA-256 over all of the above and the policy in force, base64url. */
  readonly digest: string;
}

/** The question that a call puts. `policy` is the text in force. */
export function questionOf(
  request: PresenceRequest,
  approval: AskedApproval | undefined,
  policy: string,
): Question {
  const input = request.input as { readonly for_ms?: unknown };
  const lines: [string, string][] = [];
  if (approval !== undefined) {
    lines.push(["approval", approval.id], ["command", approval.command], ["tier", approval.tier]);
    lines.push(["request", `${approval.method} ${approval.host}:${approval.port}${approval.path}`]);
    for (const [name, value] of Object.entries(approval.labels)) lines.push([name, value]);
    lines.push(["rule", approval.rule]);
    if (approval.client?.run !== undefined) lines.push(["run", approval.client.run]);
    if (input.for_ms !== undefined)
      lines.push(["for", `${Number(input.for_ms) / 1000} s, and every request like it`]);
  } else
    for (const [name, value] of Object.entries(request.input))
      lines.push([name, typeof value === "string" ? value : JSON.stringify(value)]);
  const isPlain = approval !== undefined && input.for_ms === undefined;
  const title = `${request.effect === "decide" ? "Allow" : "Change"}: ${request.method}`;
  const whole = [title, lines, canonical(request.input), approval?.fingerprint ?? "", policy];
  return {
    title,
    lines,
    plainTier: isPlain ? approval.tier : undefined,
    digest: createHash("sha256").update(JSON.stringify(whole)).digest("base64url"),
  };
}

/** The same text for the same value, whatever the order of its names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
