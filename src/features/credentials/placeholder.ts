// Placeholders: a client's stand-ins for credentials. They are derived from a secret of this
// machine, so that none is stored; each run of an agent has its own, which is worth nothing in
// another run, outside of it, or once it has ended.

import { createHmac } from "node:crypto";
import type { Header } from "../../model/request.ts";
import { type CredentialKind, kindOf } from "./kinds.ts";

/** The placeholder of a credential; `runId` is "" outside of runs. */
export function placeholderOf(secret: Uint8Array, name: string, kind: CredentialKind, runId: string): string {
  const random = createHmac("sha256", secret).update(`placeholder\0${name}\0${runId}`).digest();
  return kindOf(kind).shape(random.subarray(0, 30));
}

/** Names this installation where others may read it; nothing follows from it. */
export function holderOf(secret: Uint8Array): string {
  return createHmac("sha256", secret).update("holder").digest("hex").slice(0, 16);
}

/** Where in the fields of a request a placeholder stands. */
export interface FoundPlaceholder {
  readonly index: number;
  /** `whole`: in the text as it is. `basic`: in a name and password of Basic authentication. */
  readonly place: "whole" | "basic";
}

/** Every place of `placeholder` in these fields. */
export function findPlaceholder(
  headers: readonly Header[],
  placeholder: string,
): readonly FoundPlaceholder[] {
  const found: FoundPlaceholder[] = [];
  for (const [index, [, value]] of headers.entries()) {
    if (value.includes(placeholder)) found.push({ index, place: "whole" });
    else if (basicOf(value)?.includes(placeholder) === true) found.push({ index, place: "basic" });
  }
  return found;
}

/** The fields with the credential in those places. */
export function putIn(
  headers: readonly Header[],
  placeholder: string,
  credential: string,
): readonly Header[] {
  return headers.map(([name, value]) => {
    if (value.includes(placeholder)) return [name, value.replaceAll(placeholder, () => credential)] as const;
    const basic = basicOf(value);
    if (basic?.includes(placeholder) !== true) return [name, value] as const;
    const filled = basic.replaceAll(placeholder, () => credential);
    return [name, `Basic ${Buffer.from(filled, "latin1").toString("base64")}`] as const;
  });
}

/** Name and password of a Basic credential (RFC 7617); undefined when the value is none. */
export function basicOf(value: string): string | undefined {
  const match = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(value);
  return match?.[1] === undefined ? undefined : Buffer.from(match[1], "base64").toString("latin1");
}
