// Refusals as HCP Terraform would send them: JSON:API errors, whose title and detail terraform
// prints. Of registries and state backends terraform prints the status alone, whatever the body
// says; those get short JSON.

import { headerValue, type RequestHead } from "../../model/request.ts";
import { machineReadable, type Refusal } from "../refused.ts";

/** JSON:API where the client asked for it (https://jsonapi.org/format/#errors), else short JSON. */
export function renderTerraformError(
  refusal: Refusal,
  message: string,
  request: RequestHead,
): { contentType: string; body: string } {
  const iddio = machineReadable(refusal);
  const type = "application/vnd.api+json";
  if (!(headerValue(request.headers, "accept") ?? "").includes(type))
    return { contentType: "application/json", body: `${JSON.stringify({ error: message, ...iddio })}\n` };
  const errors = [
    { status: String(refusal.status), title: "refused by iddio", detail: message, meta: iddio },
  ];
  return { contentType: type, body: `${JSON.stringify({ errors })}\n` };
}
