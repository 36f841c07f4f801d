// Callbacks of a webhook's receiver, as the daemon and the control plane take them. The address
// alone opens nothing: a callback is signed with the target's secret, and names the nonce, the
// digest and the verb. Once it was taken the nonce is used up, whatever it came to.

import { webhookProblem } from "../outgoing/standard-webhook.ts";
import type { Notice } from "./notice.ts";

/** Where they are posted to. */
export const CALLBACK_PATH = "/iddio/v1/answers";

/** A longer one is not read. */
export const CALLBACK_MAX_BYTES = 16 * 1024;

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

/** The target that a question was told to. */
interface AskedTarget {
  readonly name: string;
  readonly takesReplies: boolean;
  readonly secrets: readonly string[];
}

/** A question that was told, by its nonce. */
export interface ToldQuestion<T extends AskedTarget> {
  readonly target: T;
  readonly notice: Notice;
}

/** The answer of a receiver. */
export interface CallbackAnswer {
  readonly verb: "allow" | "deny";
  readonly reason: string | undefined;
}

/** The part that knows the questions. */
export interface CallbackDesk<T extends AskedTarget> {
  find(nonce: string): Promise<ToldQuestion<T> | undefined>;
  /** Uses the nonce up; false when it was before. */
  use(nonce: string): Promise<boolean>;
  /** Answers; gives the reason, as a clause, when the answer is refused. */
  answer(question: ToldQuestion<T>, answer: CallbackAnswer): Promise<string | undefined>;
  /** A callback that counts for nothing. */
  onRefused(target: string, reason: string): void;
}

/** Takes one callback. A sender without the secret learns nothing about waiting approvals. */
export async function takeCallback<T extends AskedTarget>(
  { header, body }: Callback,
  desk: CallbackDesk<T>,
  nowMs: number,
): Promise<CallbackReply> {
  const read = readAnswer(body);
  if (read === undefined) return { status: 400, said: "the body is not an approval.answer" };
  const question = await desk.find(read.nonce);
  const notFound = { status: 404, said: "no such question, or not signed for it" } as const;
  if (question === undefined || !question.target.takesReplies) return notFound;
  const { target, notice } = question;
  const problem = webhookProblem(header, body, target.secrets, nowMs);
  if (problem !== undefined) {
    desk.onRefused(target.name, problem);
    return notFound;
  }
  if (notice.approvalId !== read.approvalId || notice.digest !== read.digest)
    return { status: 409, said: "the nonce stands for another request" };
  if (notice.step === "settled" || !(await desk.use(read.nonce)))
    return { status: 409, said: "this question was answered or has ended" };
  const refused = await desk.answer(question, { verb: read.verb, reason: read.reason });
  if (refused === undefined) return { status: 200, said: read.verb === "allow" ? "allowed" : "denied" };
  desk.onRefused(target.name, refused);
  return { status: 403, said: refused };
}

interface ReadAnswer extends CallbackAnswer {
  readonly approvalId: string;
  readonly digest: string;
  readonly nonce: string;
}

const REASON_MAX = 500;

function readAnswer(body: string): ReadAnswer | undefined {
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
