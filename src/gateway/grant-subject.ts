// What `approval allow --for` covers, taken from a classified request in one place, so that
// granting and looking up can never disagree.

import type { Classification } from "../model/classification.ts";
import type { RequestHead } from "../model/request.ts";
import type { TierOrUnknown } from "../model/tier.ts";
import type { GrantSubject } from "../state/grants.ts";
import { credentialOf } from "./fingerprint.ts";

/** What of a request a grant is about. */
interface Granted {
  readonly head: RequestHead;
  readonly identity: string;
}

/** The subject of a grant for requests like this one. */
export function grantSubject({ head, identity }: Granted, classification: Classification): GrantSubject {
  const { protocol, command, labels } = classification;
  const credential = credentialOf(protocol, head, identity);
  return { protocol, host: head.host, port: head.port, command, labels, credential };
}

/** Never break-glass, never what could not be classified, never a batch whose parts one label cannot name. */
export function isGrantable({
  tier,
  command,
  parts,
}: {
  tier: TierOrUnknown;
  command: string;
  parts?: unknown;
}): boolean {
  return tier !== "break-glass" && tier !== "unknown" && command !== "" && parts === undefined;
}
