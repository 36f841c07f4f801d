// The contents of a refusal, for the renderers of every protocol. No reply may hold a path of this
// machine, a secret, or anything of the request's body.

import type { Outcome } from "../model/outcome.ts";
import type { Header, RequestHead } from "../model/request.ts";
import type { TierOrUnknown } from "../model/tier.ts";

/** Why a request was not forwarded. */
export interface Refusal {
  /** 403 for a decision of the policy or a person; 4xx or 502 for a fault of the wire or the upstream. */
  readonly status: number;
  readonly outcome: Outcome;
  readonly tier: TierOrUnknown;
  readonly command: string;
  /** Path of the rule in policy.yaml; "" when none applies. */
  readonly rule: string;
  /** One lower-case clause: the policy's reason, or the words of the person who denied. */
  readonly reason: string;
  /** Whether the same request may succeed when sent again. */
  readonly retry: boolean;
  /** The request was on its way when it failed: nobody knows whether it was carried out. */
  readonly wasSent?: boolean;
  readonly approvalId?: string;
  /** The denying person's suggestion: do this in its place. */
  readonly instead?: string;
  /** A clause: the narrowest rule that would have allowed it, or why none does. */
  readonly toAllow?: string;
}

/** The fields of a refusal that programs may read, where the client's format has room for them. */
export function machineReadable({
  outcome,
  tier,
  command,
  rule,
  retry,
  approvalId,
  instead,
  toAllow,
}: Refusal) {
  return {
    outcome,
    tier,
    command,
    rule,
    retry,
    ...(approvalId === undefined ? {} : { approval_id: approvalId }),
    ...(instead === undefined ? {} : { instead }),
    ...(toAllow === undefined ? {} : { to_allow: toAllow }),
  };
}

/** The whole reply; the body is empty for HEAD, whose replies have none. */
export interface RefusalReply {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
  /** The client takes an answer only once it has sent all of its request: curl 7.88 hangs on a 200 over HTTP/2 before. */
  readonly isReadLate?: boolean;
}

/** A refusal in the client's format. */
export interface RenderedRefusal {
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** Only where the client's protocol carries the refusal elsewhere than in the status, as gRPC does. */
  readonly status?: number;
  readonly headers?: readonly Header[];
}

/** Turns one refusal into a body; `message` is for a person to read. */
export type RefusalRenderer = (refusal: Refusal, message: string, request: RequestHead) => RenderedRefusal;
