// Methods that a request asks for beside the one on its request line. Frameworks honour
// these fields, most servers ignore them, and from here nobody can tell which: so both
// readings count and the stricter one wins. Only a classifier whose upstream documents
// an override may let it lower the tier; nothing here decides that.

import type { RequestHead } from "../model/request.ts";
import { decodeLoosely } from "./lenient-path.ts";

const OVERRIDE_FIELDS: ReadonlySet<string> = new Set([
  "x-http-method-override",
  "x-method-override",
  "x-http-method",
]);

/** The methods named by override fields and by `_method` in the query, upper case, in order, without repeats. */
export function methodOverrides(head: RequestHead): readonly string[] {
  let found: string[] | undefined;
  for (const [name, value] of head.headers) {
    // 22, 17 and 13 are the lengths of the three names: nearly every field is passed by without lower-casing it.
    if (name.length !== 22 && name.length !== 17 && name.length !== 13) continue;
    if (OVERRIDE_FIELDS.has(name.toLowerCase())) found = addMethods(found, value);
  }
  const question = head.target.indexOf("?");
  if (question !== -1 && /_method|%/i.test(head.target.slice(question)))
    for (const pair of head.target.slice(question + 1).split(/[&;]/)) {
      const equals = pair.indexOf("=");
      if (equals !== -1 && decodeLoosely(pair.slice(0, equals)).toLowerCase() === "_method")
        found = addMethods(found, decodeLoosely(pair.slice(equals + 1)));
    }
  return found ?? NONE;
}

const NONE: readonly string[] = [];

/** Every method that may be meant: the one sent first, then each override that differs from it. */
export function effectiveMethods(head: RequestHead): readonly [string, ...string[]] {
  const overrides = methodOverrides(head);
  if (overrides.length === 0) return [head.method];
  return [head.method, ...overrides.filter((method) => method !== head.method)];
}

/** A field sent twice arrives as "GET, DELETE" at many servers, so lists count one by one. */
function addMethods(found: string[] | undefined, value: string): string[] {
  const methods = found ?? [];
  for (const part of value.split(",")) {
    const method = part.trim().toUpperCase();
    if (method !== "" && !methods.includes(method)) methods.push(method);
  }
  return methods;
}
