// The name of the object that a request would make, if that is in the body and not in the path:
// `Deployment web`. For people, at the top of the details; nothing is decided by it.

import type { Ask } from "../../model/ask.ts";

const NAMES = new WeakMap<object, string | undefined>();
/** A body that is no text is shown as its length, with its object. */
const PACKED = /^\(\d+ bytes of [^:()]+: ([A-Za-z]+ [\w.:-]+…?)\)$/;
/** Longer bodies are read by anyone who scrolls. */
const MAX_BODY = 256 * 1024;

/** Kind and name in the shown body of a creation; undefined when there is none. */
export function namedObject({ carrier, operation, fields, evidence }: Ask): string | undefined {
  if (carrier !== "http" || operation.protocol !== "kubectl" || fields.method !== "POST") return undefined;
  const body = evidence.find(({ label }) => label === "Body");
  if (body === undefined) return undefined;
  if (!NAMES.has(body)) NAMES.set(body, read(body.text));
  return NAMES.get(body);
}

function read(body: string): string | undefined {
  const packed = PACKED.exec(body)?.[1];
  if (packed !== undefined) return packed;
  if (!body.startsWith("{") || body.length > MAX_BODY) return undefined;
  try {
    const { kind, metadata } = JSON.parse(body) as {
      readonly kind?: unknown;
      readonly metadata?: { readonly name?: unknown; readonly generateName?: unknown };
    };
    const { name, generateName } = metadata ?? {};
    const called =
      typeof name === "string" && name !== ""
        ? name
        : typeof generateName === "string" && generateName !== ""
          ? `${generateName}…`
          : undefined;
    if (called === undefined) return undefined;
    return typeof kind === "string" && kind !== "" ? `${kind} ${called}` : called;
  } catch {
    return undefined;
  }
}
