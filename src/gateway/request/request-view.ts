// What a person is shown of a request before deciding: its headers without credentials, its body and its trailers
// with secrets masked. It is a view: what is forwarded is the request itself,
// byte for byte.

import { type Header, headerValue } from "../../model/request.ts";
import { maskBody } from "../../redaction/mask-body.ts";
import { maskHeaders } from "../../redaction/mask-headers.ts";

/** The shown part of a request. */
export interface RequestView {
  readonly headers: readonly Header[];
  /** Decoded text, or a clause in parentheses about a body that is not shown. */
  readonly body: string;
  /** Fields that come after the body. */
  readonly trailers: readonly Header[];
}

/** Whether a request is about secrets themselves, whoever keeps them: `secrets create`, `workers.scripts.secrets.update`. */
export function isAboutSecrets(command: string): boolean {
  return /secret/i.test(command);
}

/** Makes the view. `body`: decoded bytes, undefined when they were not read. */
export function viewOf(
  headers: readonly Header[],
  body: Uint8Array | undefined,
  isSecret: boolean,
  trailers: readonly Header[] = [],
): RequestView {
  return {
    headers: maskHeaders(headers),
    body: bodyText(headers, body, isSecret),
    trailers: maskHeaders(trailers),
  };
}

function bodyText(headers: readonly Header[], body: Uint8Array | undefined, isSecret: boolean): string {
  if (body === undefined) return "(too large to show)";
  if (body.length === 0) return "";
  const type = headerValue(headers, "content-type") ?? "";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return `(${body.length} bytes of ${type === "" ? "binary data" : type})`;
  }
  if (text.includes("\0")) return `(${body.length} bytes of ${type === "" ? "binary data" : type})`;
  return maskBody(type, text, isSecret);
}
