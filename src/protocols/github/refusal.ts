// Refusals as GitHub would send them: `{"message"}` for REST, which gh prints as `HTTP 403:
// <message>`, errors[] for GraphQL, and LFS's own type, which git-lfs reads. Git itself is
// refusal-git.ts's.

import type { RequestHead } from "../../model/request.ts";
import { machineReadable, type Refusal } from "../refused.ts";

/** The body in the format of the endpoint that the request was for. */
export function renderGithubError(
  refusal: Refusal,
  message: string,
  request: RequestHead,
): { contentType: string; body: string } {
  const [path = ""] = request.target.split("?");
  const iddio = machineReadable(refusal);
  const body = /\/graphql\/?$/.test(path)
    ? { errors: [{ type: "FORBIDDEN", message, extensions: { iddio } }] }
    : { message, status: String(refusal.status), iddio };
  const type = path.includes("/info/lfs/")
    ? "application/vnd.git-lfs+json"
    : "application/json; charset=utf-8";
  return { contentType: type, body: `${JSON.stringify(body)}\n` };
}
