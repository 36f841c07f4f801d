// Calls of Slack's Web API. Owns how an answer of theirs is read: `ok: false` under 200, the errors
// that are about one message, and those that nothing but a person who changes the set-up can help.

import { type OutboundRequest, sendRequest } from "../../outgoing/send-request.ts";

/** A Web API with a token. */
export interface SlackApi {
  /** Ends with a slash. */
  readonly base: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly request: (url: string) => OutboundRequest;
}

/** How a call went. `broken`: the set-up is wrong, so the next try may wait long. */
export type SlackAnswer =
  | { readonly kind: "ok"; readonly value: Readonly<Record<string, unknown>> }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly afterMs?: number;
      readonly isUncertain?: true;
    }
  | { readonly kind: "broken"; readonly error: string }
  | { readonly kind: "refused"; readonly error: string };

const BROKEN: ReadonlySet<string> = new Set([
  "account_inactive",
  "channel_not_found",
  "ekm_access_denied",
  "forbidden_team",
  "invalid_auth",
  "is_archived",
  "missing_scope",
  "no_permission",
  "not_allowed_token_type",
  "not_authed",
  "not_in_channel",
  "org_login_required",
  "restricted_action",
  "team_access_not_granted",
  "token_expired",
  "token_revoked",
]);
const FOR_NOW: ReadonlySet<string> = new Set([
  "fatal_error",
  "internal_error",
  "ratelimited",
  "rate_limited",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
]);
const TIMEOUT_MS = 10_000;
const NAME = /^[a-z_]{1,60}$/;

/** Calls one method with the token of the bot, or of the app. One with a query only reads: Slack takes no JSON there. */
export async function callSlack(
  api: SlackApi,
  method: string,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  token: "bot" | "app" = "bot",
): Promise<SlackAnswer> {
  const url = `${api.base}${method}`;
  const request = api.request(url);
  const isRead = method.includes("?");
  const answer = await sendRequest({
    ...request,
    headers: {
      ...request.headers,
      authorization: `Bearer ${token === "bot" ? api.botToken : api.appToken}`,
      ...(isRead ? {} : { "content-type": "application/json; charset=utf-8" }),
    },
    ...(isRead ? { method: "GET" } : { body: JSON.stringify(input) }),
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  if (answer.kind === "unreachable") return { kind: "failed", reason: answer.reason, isUncertain: true };
  const { status, text, afterMs } = answer;
  if (status === 429)
    return { kind: "failed", reason: "Slack takes no more for now (429)", afterMs: afterMs ?? 30_000 };
  const value = objectOf(text);
  if (status !== 200 || value === undefined)
    return { kind: "failed", reason: `Slack answered ${status} to ${method}`, isUncertain: true };
  if (value.ok === true) return { kind: "ok", value };
  const said = String(value.error);
  const error = NAME.test(said) ? said : "an error without a name";
  if (BROKEN.has(error)) return { kind: "broken", error };
  if (FOR_NOW.has(error)) return { kind: "failed", reason: `Slack said ${error} to ${method}` };
  return { kind: "refused", error };
}

/** A JSON object, or nothing. */
export function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
