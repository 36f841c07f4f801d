// Callbacks of a webhook's receiver. The address alone opens nothing: a callback is signed with the
// target's secret, and names the nonce, the digest and the verb. Once it was taken the nonce is
// used up, whatever it came to.

import type { Notice } from "../../host/notices/notice.ts";
import { webhookProblem } from "../../host/outgoing/standard-webhook.ts";
import { UserError } from "../../model/user-error.ts";
import type { AnswerParts } from "./card-answers.ts";

/** A callback as it came in. */
export interface Callback {
  readonly header: (name: string) => string | undefined;
  readonly body: string;
}

/** The reply to a receiver's callback. */
export interface CallbackReply {
  readonly status: 200 | 400 | 403 | 404 | 409;
  readonly said: string;
}

const USED_MAX = 10_000;

/** Takes callbacks. */
export class WebhookAnswers {
  readonly #parts: AnswerParts;
  readonly #used = new Set<string>();

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** One callback. A sender without the secret learns nothing about waiting approvals. */
  async take({ header, body }: Callback, nowMs = Date.now()): Promise<CallbackReply> {
    const { notices, log, answerAs, targetOf } = this.#parts;
    const answer = readAnswer(body);
    if (answer === undefined) return { status: 400, said: "the body is not an approval.answer" };
    const row = notices.byNonce(answer.nonce);
    const config = row === undefined ? undefined : targetOf(row.target);
    const notFound = { status: 404, said: "no such question, or not signed for it" } as const;
    if (row === undefined || config === undefined || !config.takesReplies) return notFound;
    const problem = webhookProblem(header, body, config.secrets, nowMs);
    if (problem !== undefined) {
      log.warn("a callback counts for nothing", { target: config.name, reason: problem });
      return notFound;
    }
    const notice = JSON.parse(row.wanted) as Notice;
    if (notice.approvalId !== answer.approvalId || notice.digest !== answer.digest)
      return { status: 409, said: "the nonce stands for another request" };
    if (this.#used.has(answer.nonce) || notice.step === "settled")
      return { status: 409, said: "this question was answered or has ended" };
    this.#used.add(answer.nonce);
    if (this.#used.size > USED_MAX) this.#used.delete(this.#used.values().next().value ?? "");
    const about = {
      id: notice.approvalId,
      digest: notice.digest,
      ...(answer.reason === undefined ? {} : { reason: answer.reason }),
    };
    try {
      await answerAs({ kind: "webhook", name: `webhook ${config.name}` }, answer.verb, about);
      return { status: 200, said: answer.verb === "allow" ? "allowed" : "denied" };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      log.warn("a callback counts for nothing", { target: config.name, reason: error.message });
      return { status: 403, said: error.message };
    }
  }
}

interface Answer {
  readonly approvalId: string;
  readonly digest: string;
  readonly nonce: string;
  readonly verb: "allow" | "deny";
  readonly reason: string | undefined;
}

const REASON_MAX = 500;

function readAnswer(body: string): Answer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { type, data } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const { approval_id, digest, nonce, verb, reason } = (data ?? {}) as Readonly<Record<string, unknown>>;
  const isWhole = [approval_id, digest, nonce].every((each) => typeof each === "string");
  if (type !== "approval.answer" || !isWhole || (verb !== "allow" && verb !== "deny")) return undefined;
  return {
    approvalId: String(approval_id),
    digest: String(digest),
    nonce: String(nonce),
    verb,
    reason: typeof reason === "string" ? reason.slice(0, REASON_MAX) : undefined,
  };
}
