// Refusals as the API server would send them: a metav1.Status, which kubectl prints as
// `Error from server (Forbidden): <message>`. It is JSON even when the client asked for protobuf:
// client-go picks the decoder by the Content-Type of the reply.

import type { RequestHead } from "../../model/request.ts";
import type { Refusal } from "../refused.ts";

// Reasons of apimachinery's meta/v1/types.go where there is one for the status.
const REASONS: Readonly<Record<number, string>> = {
  400: "BadRequest",
  403: "Forbidden",
  413: "RequestEntityTooLarge",
  421: "MisdirectedRequest",
  502: "BadGateway",
  503: "ServiceUnavailable",
};

// client-go's first requests to every cluster. It never decodes a Status there and would print `unknown`, but
// shows the text of a text/* reply (client-go rest/request.go, newUnstructuredResponseError). The path may
// have a prefix.
const DISCOVERY = /^(?:\/[^?]*)?\/(?:version|openapi\/[^?]*|api(?:\/v1)?|apis(?:\/[^/?]+){0,2})\/?(?:\?|$)/;

/** A metav1.Status, or plain text for discovery; tier, rule and outcome are in `details.causes` for programs. */
export function renderKubernetesStatus(
  refusal: Refusal,
  message: string,
  request: RequestHead,
): { contentType: string; body: string } {
  if (DISCOVERY.test(request.target))
    return { contentType: "text/plain; charset=utf-8", body: `${message}\n` };
  const causes = [
    { reason: "iddio/outcome", message: refusal.outcome },
    { reason: "iddio/tier", message: refusal.tier },
    { reason: "iddio/command", message: refusal.command },
    { reason: "iddio/rule", message: refusal.rule },
    { reason: "iddio/approval", message: refusal.approvalId ?? "" },
    { reason: "iddio/instead", message: refusal.instead ?? "" },
    { reason: "iddio/to-allow", message: refusal.toAllow ?? "" },
  ].filter((cause) => cause.message !== "");
  const status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason: REASONS[refusal.status] ?? "",
    details: { causes },
    code: refusal.status,
  };
  return { contentType: "application/json", body: `${JSON.stringify(status)}\n` };
}
