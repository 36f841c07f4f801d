// Refusals as Cloudflare would send them: its envelope, of which wrangler prints the errors'
// messages, and errors[] for GraphQL. The code is none of Cloudflare's own, to which wrangler adds
// advice of its own.

import type { RequestHead } from "../../model/request.ts";
import { machineReadable, type Refusal } from "../refused.ts";

/** The envelope, or a GraphQL answer for the GraphQL endpoint. */
export function renderCloudflareError(
  refusal: Refusal,
  message: string,
  request: RequestHead,
): { contentType: string; body: string } {
  const iddio = machineReadable(refusal);
  const [path = ""] = request.target.split("?");
  const body = /\/graphql\/?$/.test(path)
    ? { data: null, errors: [{ message, path: null, extensions: { code: "authz", iddio } }] }
    : { success: false, errors: [{ code: refusal.status, message }], messages: [], result: null, iddio };
  return { contentType: "application/json", body: `${JSON.stringify(body)}\n` };
}
