// Refusals as Fly would send them: errors[] for GraphQL, `{"error"}` for the Machines API, whose
// text flyctl prints.

import type { RequestHead } from "../../model/request.ts";
import { machineReadable, type Refusal } from "../refused.ts";

/** The body in the format of the endpoint that the request was for. */
export function renderFlyError(
  refusal: Refusal,
  message: string,
  request: RequestHead,
): { contentType: string; body: string } {
  const iddio = machineReadable(refusal);
  const [path = ""] = request.target.split("?");
  const body = /^\/graphql\/?$/.test(path)
    ? { data: null, errors: [{ message, extensions: { code: "FORBIDDEN", iddio } }] }
    : { error: message, iddio };
  return { contentType: "application/json", body: `${JSON.stringify(body)}\n` };
}
