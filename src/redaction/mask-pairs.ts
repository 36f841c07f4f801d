// Query strings and forms: pairs of name and value between ampersands. Only values are replaced;
// names, order and everything else stay as they were sent. Used for every path that is shown or
// recorded.

import { maskJson } from "./mask-json.ts";
import { isSecretName, isSecretParameter, wordsOf } from "./secret-name.ts";
import { MASK, maskValues } from "./secret-value.ts";

/** The target with the secrets of its query, and of secret-looking values anywhere, replaced by `***`. */
export function maskTarget(target: string): string {
  const question = target.indexOf("?");
  if (question < 0) return maskValues(target);
  return `${maskValues(target.slice(0, question))}?${maskPairs(target.slice(question + 1))}`;
}

/** The pairs of a query or a form, each secret value replaced. `isSecret`: whatever is called a value is one. */
export function maskPairs(text: string, isSecret = false): string {
  return maskNested(text, isSecret, 0);
}

function maskNested(text: string, isSecret: boolean, depth: number): string {
  const parts = text.split("&");
  const hidden = parts.length <= MAX_SIBLINGS ? siblings(parts) : undefined;
  return parts
    .map((part) => {
      const equals = part.indexOf("=");
      if (equals < 0) return maskEncoded(part, depth);
      const name = decoded(part.slice(0, equals));
      const isHidden =
        isSecretParameter(name) || hidden?.has(name) === true || (isSecret && VALUE.test(name));
      if (isHidden && equals + 1 < part.length) return `${part.slice(0, equals)}=${MASK}`;
      return `${maskEncoded(part.slice(0, equals), depth)}=${maskEncoded(part.slice(equals + 1), depth)}`;
    })
    .join("&");
}

const MAX_SIBLINGS = 5_000;
const VALUE = /(?:value|text|string|data|payload|content|binary|body)$/i;
/** `Parameters.member.1.ParameterKey`, `env[0][name]`: the name of the value beside them. */
const NAMING = /^(.*?)(?:parameter|option|tag)?[._[\]-]*(?:key|name)\]?$/i;
const VALUED = /^(.*?)(?:parameter|option|tag)?[._[\]-]*(?:value|text)\]?$/i;

/** The names of values whose sibling says that they are secret. */
function siblings(parts: readonly string[]): ReadonlySet<string> | undefined {
  const secret = new Set<string>();
  for (const part of parts) {
    const [name, value] = split(part);
    const place = NAMING.exec(name)?.[1];
    if (place !== undefined && value !== "" && isSecretName(value)) secret.add(place.toLowerCase());
  }
  if (secret.size === 0) return undefined;
  const names = new Set<string>();
  for (const part of parts) {
    const [name] = split(part);
    const place = VALUED.exec(name)?.[1];
    if (place !== undefined && secret.has(place.toLowerCase())) names.add(name);
  }
  return names;
}

function split(part: string): readonly [string, string] {
  const equals = part.indexOf("=");
  if (equals < 0) return [decoded(part), ""];
  return [decoded(part.slice(0, equals)), decoded(part.slice(equals + 1, equals + 1 + 512))];
}

/** By shape, and by names where the value is JSON; encoded again only where something was hidden. */
function maskEncoded(value: string, depth: number): string {
  if (value === "") return value;
  const plain = decoded(value);
  const masked = /^\s*[[{]/.test(plain)
    ? (maskJson(plain, false) ?? maskValues(plain))
    : maskUrl(maskValues(plain), depth);
  if (masked === plain) return value;
  if (plain === value) return masked;
  return encodeURIComponent(masked).replaceAll("%2A", "*");
}

/** URLs in URLs deeper than anybody writes. */
const MAX_DEPTH = 3;

/** A value may be a URL with a query, or a fragment of pairs, of its own. */
function maskUrl(text: string, depth: number): string {
  const start = depth < MAX_DEPTH ? text.search(/[?#]/) : -1;
  if (start < 0 || !text.includes("=", start)) return text;
  return text.slice(0, start + 1) + maskNested(text.slice(start + 1), false, depth + 1);
}

function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    // A malformed text is decoded octet by octet, so that one bad escape hides no name.
    return spaced.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

/** The values of a target's query that are credentials, in order, as sent. */
export function secretPairsOf(target: string): readonly (readonly [name: string, value: string])[] {
  const question = target.indexOf("?");
  if (question < 0) return [];
  const found: (readonly [string, string])[] = [];
  for (const part of target.slice(question + 1).split("&")) {
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const name = decoded(part.slice(0, equals));
    if (isSecretParameter(name) && wordsOf(name).length > 0) found.push([name, part.slice(equals + 1)]);
  }
  return found;
}
