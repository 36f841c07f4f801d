// The metadata service of a machine at Google, which gives out tokens of the machine's service
// account. It is reached at a link-local address over plain HTTP, as nothing else that iddio speaks
// to, so it has this file of its own.

import type { Environment } from "../process/environment.ts";

/** Its answer, or why there is none, as a clause. */
export type MetadataAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly text: string }
  | { readonly kind: "unreachable"; readonly reason: string };

const ADDRESS = "169.254.169.254";
const FLAVOR = "Metadata-Flavor";
const TIMEOUT_MS = 5_000;
const ANSWER_MAX = 64 * 1024;

/** Reads one path below `/computeMetadata/v1/`. `GCE_METADATA_HOST` names another host, as for Google's own tools. */
export async function readGoogleMetadata(path: string, env: Environment): Promise<MetadataAnswer> {
  const host = env.GCE_METADATA_HOST || ADDRESS;
  if (!/^[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(host))
    return { kind: "unreachable", reason: "GCE_METADATA_HOST is no host" };
  try {
    const answer = await fetch(`http://${host}/computeMetadata/v1/${path}`, {
      headers: { [FLAVOR]: "Google" },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // Anyone may listen where no metadata service is; the service says that it is one.
    if (answer.headers.get(FLAVOR) !== "Google")
      return { kind: "unreachable", reason: `what answers at ${host} is no metadata service of Google` };
    const text = await answer.text();
    return { kind: "answered", status: answer.status, text: text.slice(0, ANSWER_MAX) };
  } catch {
    return { kind: "unreachable", reason: `no metadata service answers at ${host}` };
  }
}
