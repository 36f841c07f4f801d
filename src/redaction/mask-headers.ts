// Header and trailer fields as a person is shown them: credentials replaced, everything else as it
// was sent. secret-name.ts says which fields are credentials.

import type { Header } from "../model/request.ts";
import { maskTarget } from "./mask-pairs.ts";
import { isCredentialField } from "./secret-name.ts";
import { MASK, maskValues } from "./secret-value.ts";

/** The fields in order, names as sent, credentials as `***`. */
export function maskHeaders(headers: readonly Header[]): readonly Header[] {
  return headers.map(([name, value]) => [name, maskHeader(name, value)] as const);
}

function maskHeader(name: string, value: string): string {
  if (isCredentialField(name)) return value === "" ? value : MASK;
  const lower = name.toLowerCase();
  // Browsers can send no Authorization with a WebSocket, so a bearer token travels as a name of a subprotocol.
  if (lower === "sec-websocket-protocol") return maskProtocols(value);
  // Addresses that may carry a token in their query.
  if (
    lower === "referer" ||
    lower === "origin" ||
    lower.endsWith("-url") ||
    lower.endsWith("-uri") ||
    lower === "location"
  )
    return maskTarget(value);
  return maskValues(value);
}

/** An entry that is or begins with one of these carries the token behind it, or in the next entry. */
const BEARER =
  /^(\s*(?:.*?[.\-_])?(?:bearer|token|auth|authorization|jwt|api-?key|key|secret))(?:([.\-_:|](?:authorization\.k8s\.io\.)?)(.+))?$/i;

function maskProtocols(value: string): string {
  let isNext = false;
  return value
    .split(",")
    .map((entry) => {
      if (isNext) {
        isNext = false;
        return entry.replace(/\S+/, MASK);
      }
      const [, name, separator, token] = BEARER.exec(entry) ?? [];
      if (name === undefined) return maskValues(entry);
      if (token !== undefined) return `${name}${separator}${MASK}`;
      isNext = true;
      return entry;
    })
    .join(",");
}
