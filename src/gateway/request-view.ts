// What a person is shown of a request before deciding: its headers without credentials and
// its body with secrets masked. Bounded; what is left out is said. It is a view: what is
// forwarded is the request itself, byte for byte.

import { type Header, headerValue } from "../model/request.ts";

/** The shown part of a request. */
export interface RequestView {
  readonly headers: readonly Header[];
  /** Decoded text, or a clause in parentheses about a body that is not shown. */
  readonly body: string;
}

const CREDENTIAL = /^(proxy-)?authorization$|^cookie$|token|secret|password|api-?key|auth-key|signature/i;
const SECRET_NAME =
  /token|secret|password|passwd|private_?key|api_?key|credential|client-key-data|\.dockerconfigjson/i;
const MAX_BODY = 64 * 1024;

/** Makes the view. `body`: decoded bytes, undefined when they were not read. */
export function viewOf(
  headers: readonly Header[],
  body: Uint8Array | undefined,
  isSecret: boolean,
): RequestView {
  return {
    headers: headers.map(([name, value]) => [name, CREDENTIAL.test(name) ? "***" : value] as const),
    body: bodyText(headers, body, isSecret),
  };
}

function bodyText(headers: readonly Header[], body: Uint8Array | undefined, isSecret: boolean): string {
  if (body === undefined) return "(too large to show)";
  if (body.length === 0) return "";
  const type = headerValue(headers, "content-type") ?? "";
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return `(${body.length} bytes of ${type === "" ? "binary data" : type})`;
  }
  if (text.includes("\0")) return `(${body.length} bytes of ${type === "" ? "binary data" : type})`;
  const masked = /^\s*[[{]/.test(text) ? maskJson(text, isSecret) : maskForm(text);
  if (masked.length <= MAX_BODY) return masked;
  return `${masked.slice(0, MAX_BODY)}\n(${masked.length - MAX_BODY} more characters)`;
}

/** Masks values by name; in a Secret's `data` and `stringData` every value. Text that is no JSON stays as it is. */
function maskJson(text: string, isSecret: boolean): string {
  try {
    const value = JSON.parse(text) as unknown;
    const hidesData = isSecret || (value as { kind?: unknown } | null)?.kind === "Secret";
    return JSON.stringify(
      value,
      (name, inner: unknown) => {
        if (
          hidesData &&
          (name === "data" || name === "stringData") &&
          typeof inner === "object" &&
          inner !== null
        )
          return Object.fromEntries(Object.keys(inner).map((key) => [key, "***"]));
        return typeof inner === "string" && SECRET_NAME.test(name) ? "***" : inner;
      },
      2,
    );
  } catch {
    return text;
  }
}

function maskForm(text: string): string {
  return text.replace(/(^|&)([^=&]{1,200})=([^&]*)/g, (whole, lead: string, name: string) =>
    SECRET_NAME.test(name) ? `${lead}${name}=***` : whole,
  );
}
