// What a person is shown of a request before deciding: its headers without credentials and
// its body with secrets masked. Bounded; what is left out is said. It is a view: what is
// forwarded is the request itself, byte for byte.

import { type Header, headerValue } from "../../model/request.ts";

/** The shown part of a request. */
export interface RequestView {
  readonly headers: readonly Header[];
  /** Decoded text, or a clause in parentheses about a body that is not shown. */
  readonly body: string;
}

const CREDENTIAL = /^(proxy-)?authorization$|^cookie$|token|secret|password|api-?key|auth-key|signature/i;
const SECRET_NAME =
  /token|secret|password|passwd|private_?key|api_?key|credential|client-key-data|\.dockerconfigjson/i;
/** They say which secret it is, and that is what the person decides about. */
const IDENTIFIER = /(?:id|name|arn|ref|version)$/i;
const MAX_BODY = 64 * 1024;

/** Whether a request is about secrets themselves, whoever keeps them: `secrets create`, `workers.scripts.secrets.update`. */
export function isAboutSecrets(command: string): boolean {
  return /secret/i.test(command);
}

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

/** What vendors call the place of a secret's value. */
const VALUE_NAME =
  /^(?:data|string_?data|text|value|plain_?text|payload|content|secret_?(?:string|binary))$/i;
/** Objects that say of themselves that their value is secret: Cloudflare's bindings, AWS's parameters. */
const SECRET_TYPE = /secret|secure_?string|password/i;

/** Masks values by name, and in what is a secret as a whole everything where values are. Text that is no JSON stays as it is. */
function maskJson(text: string, isSecret: boolean): string {
  try {
    return JSON.stringify(masked(JSON.parse(text), isSecret), undefined, 2);
  } catch {
    return text;
  }
}

function masked(value: unknown, isSecret: boolean): unknown {
  if (Array.isArray(value)) return value.map((inner) => masked(inner, isSecret));
  if (typeof value !== "object" || value === null) return value;
  const hides =
    isSecret ||
    Object.entries(value).some(
      ([name, inner]) =>
        /^(?:kind|type)$/i.test(name) && typeof inner === "string" && SECRET_TYPE.test(inner),
    );
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => {
    if ((hides && VALUE_NAME.test(name)) || (typeof inner === "string" && isSecretName(name)))
      return [name, hidden(inner)];
    return [name, masked(inner, hides || /secrets?$/i.test(name))];
  });
  return Object.fromEntries(entries);
}

/** Every text in it replaced; names stay. */
function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== "object" || value === null) return typeof value === "string" ? "***" : value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hidden(inner)]));
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !IDENTIFIER.test(name);
}

function maskForm(text: string): string {
  return text.replace(/(^|&)([^=&]{1,200})=([^&]*)/g, (whole, lead: string, name: string) =>
    isSecretName(name) ? `${lead}${name}=***` : whole,
  );
}
