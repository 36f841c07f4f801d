// The body of a request as a person is shown it before deciding: decoded text with secrets masked.
// It is only a view: the request itself is forwarded, byte for byte.

import { type Header, headerValue } from "../../../model/request.ts";
import { objectInProtobuf } from "../../../protocols/kubectl/body/protobuf.ts";
import { maskBody } from "../../../redaction/mask-body.ts";

/** Whether a request is about secrets themselves, no matter who keeps them: `secrets create`, `workers.scripts.secrets.update`. */
export function isAboutSecrets(command: string): boolean {
  return /secret/i.test(command);
}

/**
 * Decoded text, or a clause in parentheses about a body that is not shown. `body`: bytes without content codings,
 * undefined when they were not read. `isSecret`: the request is about secrets themselves.
 */
export function shownBody(
  headers: readonly Header[],
  body: Uint8Array | undefined,
  isSecret: boolean,
): string {
  if (body === undefined) return "(too large to show)";
  if (body.length === 0) return "";
  const type = headerValue(headers, "content-type") ?? "";
  if (/^application\/vnd\.kubernetes\.protobuf\s*(?:;|$)/i.test(type)) {
    const object = objectInProtobuf(body);
    return `(${body.length} bytes of ${type}${object === undefined ? "" : `: ${object}`})`;
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return `(${body.length} bytes of ${type === "" ? "binary data" : type})`;
  }
  if (text.includes("\0")) return `(${body.length} bytes of ${type === "" ? "binary data" : type})`;
  return maskBody(type, text, isSecret);
}
