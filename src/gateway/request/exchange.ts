// One request, from judged to recorded. This file is the product in the user's words:
// judge, hold, refuse, forward, record. It knows no sockets and no HTTP version; what
// it does not explicitly let through is refused.

import type { ClientIdentity } from "../../model/entry.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { Header, HttpRequest, RequestBody, RequestHead } from "../../model/request.ts";
import type { Judgement } from "../../model/verdict.ts";
import { judge, needsBody } from "../../policy/decide/judge.ts";
import { renderRefusal } from "../../protocols/refusal.ts";
import type { Refusal, RefusalReply } from "../../protocols/refused.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { maskValues } from "../../redaction/secret-value.ts";
import { decodeContent } from "../message/content-coding.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { askerOf } from "./asker.ts";
import type { HoldOutcome } from "./broker.ts";
import type { Gateway } from "./context.ts";
import { afterHold, type Decision, decideAtOnce, unrecorded, withoutRoom } from "./decision.ts";
import { fallbackKeyOf } from "./fingerprint.ts";
import { holdAsk } from "./hold-ask.ts";
import { HttpAsk } from "./http-ask.ts";
import { recordIntent } from "./intent.ts";
import { whyRevoked } from "./judged-again.ts";
import { judgedTarget } from "./judged-target.ts";
import { type Arrived, LookAheadShare } from "./look-ahead.ts";
import type { RequestResult } from "./recorder.ts";
import { wayOut } from "./way-out.ts";

/** A request as the exchange sees it, whatever protocol version carried it. */
export interface ClientRequest {
  readonly head: RequestHead;
  readonly hasBody: boolean;
  /** Length of the body, where the client says it beforehand. */
  readonly bodyLength: number | undefined;
  /** It asks to switch protocols. */
  readonly isUpgrade: boolean;
  readonly client: ClientIdentity | undefined;
  /** Names the client certificate that iddio adds to the request; "" when it adds none. */
  readonly identity: string;
  /** The whole body if it is at most `limit` bytes, else undefined; nothing is lost for forwarding. */
  peekBody(limit: number, arrived?: Arrived): Promise<Uint8Array | undefined>;
  /** Calls back when the client goes away; returns the way to stop listening. */
  onLeave(left: () => void): () => void;
  /** Sends a reply of iddio's own. */
  refuse(reply: RefusalReply): Promise<void>;
  /**
   * Sends the request upstream and the answer back; `answered` is called with its status before anything
   * of it reaches the client. Throws UpstreamError when there is no answer, with nothing sent to the client.
   */
  forward(answered: (status: number) => void): Promise<void>;
  /** The fields behind the body; complete once `peekBody` gave the whole of it. */
  readonly trailers: readonly Header[];
}

/**
 * Judges one request and carries out the verdict. `protocolsNow`: whose route the destination matches by the
 * policy in force, for a request that waited.
 */
export async function exchange(
  gateway: Gateway,
  protocols: readonly Protocol[],
  request: ClientRequest,
  protocolsNow: () => readonly Protocol[] = () => protocols,
): Promise<void> {
  const share = new LookAheadShare(gateway.lookAhead, request.client);
  try {
    const startedMs = Date.now();
    const { method, host, port, headers } = request.head;
    const target = judgedTarget(gateway.trust, protocols, request.head);
    const body =
      request.hasBody && needsBody(protocols, { ...request.head, target })
        ? await readBody(gateway, request, share)
        : unneeded(request);
    const judged: HttpRequest = { method, host, port, target, headers, body };
    const asker = askerOf(gateway, request.client);
    const judgement = judge(gateway.inspection.policy, protocols, judged, classifierFor, asker);
    const again = () => {
      const now = protocolsNow();
      // A host that is inspected no longer is judged as it was.
      const routes = now.length === 0 ? protocols : now;
      return whyRevoked(
        judge(gateway.inspection.policy, routes, judged, classifierFor, asker),
        ask.operation,
      );
    };
    const ask = new HttpAsk(request, judgement.classification, startedMs);
    gateway.recorder.classified(ask, judgement.verdict);
    if (gateway.mode.current === "observe") return await observe(gateway, request, ask, judgement, share);

    const decision =
      withoutRoom(judgement, share) ??
      decideAtOnce(gateway.grants, ask, judgement.verdict) ??
      afterHold(await hold(gateway, request, ask, judgement, share, again), again);
    if (decision.kind === "refuse") return await refuse(gateway, request, ask, judgement, decision);
    const problem = await recordIntent(gateway, ask, judgement.verdict, decision.result);
    if (problem === undefined) await forward(gateway, request, ask, judgement, decision.result, share);
    else await refuse(gateway, request, ask, judgement, unrecorded(problem));
  } finally {
    share.release();
  }
}

async function hold(
  gateway: Gateway,
  request: ClientRequest,
  ask: HttpAsk,
  judgement: Judgement,
  share: LookAheadShare,
  again: () => string | undefined,
): Promise<HoldOutcome> {
  gateway.recorder.escalated(ask, judgement.verdict);
  const limit = gateway.settings.current.classify_body_limit;
  const raw = request.hasBody ? await share.peek(request, limit) : NOTHING;
  if (raw === undefined && share.hadNoRoom) return { outcome: "full", id: "", reason: share.problem };
  const { head, isUpgrade } = request;
  const decoded = raw && decodeContent(head.headers, raw, limit);
  ask.see(head, { raw, decoded, trailers: raw ? request.trailers : [] });
  return holdAsk(gateway.broker, ask, {
    verdict: judgement.verdict,
    again,
    heldBytes: raw?.length ?? 0,
    ...(isUpgrade ? { fallbackKey: fallbackKeyOf(head, ask.subject.credential) } : {}),
    onLeave: (left) => request.onLeave(left),
  });
}

const NOTHING = new Uint8Array(0);

async function forward(
  gateway: Gateway,
  request: ClientRequest,
  ask: HttpAsk,
  judgement: Judgement,
  result: RequestResult,
  share: LookAheadShare,
): Promise<void> {
  let isRecorded = false;
  try {
    await request.forward((status) => {
      isRecorded = true;
      // The body has gone on; its answer may last for hours.
      share.release();
      gateway.recorder.forwarded(ask, judgement.verdict, { ...result, status });
    });
  } catch (error) {
    if (isRecorded) throw error;
    if (!(error instanceof UpstreamError)) {
      gateway.recorder.forwarded(ask, judgement.verdict, {
        ...result,
        outcome: "failed",
        reason: BROKEN_OFF,
      });
      throw error;
    }
    gateway.log.warn("upstream failed", {
      request_id: ask.id,
      reason: error.message,
      cause: error.cause === undefined ? undefined : String(error.cause),
    });
    const failed = failedResult(gateway, request, result, error);
    if (failed.outcome === "blocked") gateway.recorder.refused(ask, judgement.verdict, failed);
    else gateway.recorder.forwarded(ask, judgement.verdict, failed);
    await request.refuse(failureReply(request, judgement, failed, error));
  }
}

/** The client left, or its body broke: what the upstream did with it, nobody waited to hear. */
const BROKEN_OFF = "the client went away before there was an answer; the request may have been carried out";

/** An upstream that cannot be trusted is blocked, and whoever reads the reply learns what would mend it. */
function failedResult(
  { detector }: Gateway,
  { head }: ClientRequest,
  result: RequestResult,
  error: UpstreamError,
): RequestResult {
  if (error.failure !== "unverified")
    return { ...result, outcome: "failed", status: error.status, reason: error.message };
  const where = `${head.host.includes(":") ? `[${head.host}]` : head.host}:${head.port}`;
  const reason = `${error.message}; ${remedyText(error, where)}${detector.advice(head)}`;
  return { ...result, outcome: "blocked", decision: "deny", status: 502, reason };
}

function remedyText({ remedy }: UpstreamError, where: string): string {
  if (remedy === undefined) return "";
  const file = remedy === "authority" ? "the authority's certificate" : "the server's own certificate";
  return `an operator who has ${file} can trust it with: iddio upstream add --ca <file> ${where}; `;
}

async function refuse(
  gateway: Gateway,
  request: ClientRequest,
  ask: HttpAsk,
  judgement: Judgement,
  { result, retry, status = 403 }: Extract<Decision, { kind: "refuse" }>,
): Promise<void> {
  gateway.recorder.refused(ask, judgement.verdict, { ...result, status });
  const toAllow = status === 403 ? wayOut(gateway, ask, result.outcome) : {};
  await request.refuse(replyTo(request, judgement, result, status, retry, toAllow));
}

/** Observe mode: write down what the policy would have done, and let everything pass. */
async function observe(
  gateway: Gateway,
  request: ClientRequest,
  ask: HttpAsk,
  judgement: Judgement,
  share: LookAheadShare,
): Promise<void> {
  let isRecorded = false;
  try {
    await request.forward((status) => {
      isRecorded = true;
      // The body has gone on; its answer may last for hours.
      share.release();
      gateway.recorder.observed(ask, judgement.verdict, status);
    });
  } catch (error) {
    if (isRecorded) throw error;
    gateway.recorder.observed(ask, judgement.verdict, undefined);
    if (!(error instanceof UpstreamError)) throw error;
    const failed = failedResult(gateway, request, { outcome: "failed", decision: "allow" }, error);
    await request.refuse(failureReply(request, judgement, failed, error));
  }
}

/** After the first octet went out a failure is an unknown outcome, and only what reads may be tried again. */
function failureReply(
  request: ClientRequest,
  judgement: Judgement,
  result: RequestResult,
  { wasSent, isLasting, status }: UpstreamError,
): RefusalReply {
  const retry = wasSent ? judgement.classification.tier === "observe" : !isLasting;
  return replyTo(request, judgement, result, status, retry, wasSent ? { wasSent } : {});
}

function replyTo(
  request: ClientRequest,
  { classification, verdict }: Judgement,
  result: RequestResult,
  status: number,
  retry: boolean,
  more: Pick<Refusal, "toAllow" | "wasSent"> = {},
): RefusalReply {
  return renderRefusal(
    classification.protocol,
    {
      status,
      outcome: result.outcome,
      tier: classification.tier,
      command: classification.command,
      rule: verdict.rule,
      reason: maskValues([result.reason, classification.circumstance].filter(Boolean).join("; ")),
      retry,
      ...more,
      ...(result.approvalId ? { approvalId: result.approvalId } : {}),
    },
    request.head,
  );
}

async function readBody(
  gateway: Gateway,
  request: ClientRequest,
  share: LookAheadShare,
): Promise<RequestBody> {
  const limit = gateway.settings.current.classify_body_limit;
  const bytes = await share.peek(request, limit);
  if (bytes === undefined) return { kind: "unread", why: share.problem };
  const decoded = decodeContent(request.head.headers, bytes, limit);
  if (decoded === undefined)
    return { kind: "unread", why: `the body's content coding cannot be undone within ${limit} bytes` };
  return { kind: "whole", bytes: decoded };
}

function unneeded(request: ClientRequest): RequestBody {
  return request.hasBody ? { kind: "unread", why: "the body was not needed" } : { kind: "none" };
}
