// Methods that a request asks for beside the one on its request line. Frameworks honour
// these fields, most servers ignore them, and from here nobody can tell which: so both
// readings count and the stricter one wins. Only a classifier whose upstream documents
// an override may let it lower the tier; nothing here decides that.

import { type HttpRequest, headerValues, type RequestHead } from "../model/request.ts";
import { decodeLoosely } from "./lenient-path.ts";

/** CGI and its heirs see `_` and `-` as one, so names are compared with dashes. */
const OVERRIDE_FIELDS: ReadonlySet<string> = new Set([
  "x-http-method-override",
  "x-method-override",
  "x-http-method",
]);

/** Nobody names more methods in earnest. Each costs a reading of the whole request. */
const MOST_OVERRIDES = 4;

/** Stands for the methods beyond the bound. It holds a blank, so no request line can name it, and no classifier knows it. */
const TOO_MANY = "too many methods";

/** The methods named by override fields and by `_method` in the query, upper case, in order, without repeats. */
export function methodOverrides(head: RequestHead): readonly string[] {
  let found: string[] | undefined;
  for (const [name, value] of head.headers) if (isOverrideField(name)) found = addMethods(found, value);
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

/** Whether a field names another method: `X-HTTP-Method-Override` and its like, with dashes or underscores. */
export function isOverrideField(name: string): boolean {
  // 22, 17 and 13 are the lengths of the three names: nearly every field is passed by without lower-casing it.
  if (name.length !== 22 && name.length !== 17 && name.length !== 13) return false;
  return OVERRIDE_FIELDS.has(name.toLowerCase().replaceAll("_", "-"));
}

/** Every method that may be meant: the one sent first, then each override that differs from it. */
export function effectiveMethods(head: RequestHead): readonly [string, ...string[]] {
  const overrides = methodOverrides(head);
  if (overrides.length === 0) return [head.method];
  return [head.method, ...overrides.filter((method) => method !== head.method)];
}

/** A field sent twice arrives as "GET, DELETE" at many servers, so lists count one by one. */
function addMethods(found: string[] | undefined, value: string): string[] {
  const methods = found ?? [];
  if (methods.length > MOST_OVERRIDES) return methods;
  for (const part of value.split(",", MOST_OVERRIDES + 1)) {
    const method = part.trim().toUpperCase();
    if (method === "" || methods.includes(method) || methods.length > MOST_OVERRIDES) continue;
    methods.push(methods.length === MOST_OVERRIDES ? TOO_MANY : method);
  }
  return methods;
}

/** Whether a framework would look for `_method` in the body: of a POST that is a form or says nothing of its type. */
export function mayBeForm(head: RequestHead): boolean {
  if (head.method !== "POST") return false;
  const types = headerValues(head.headers, "content-type");
  return (
    types.length === 0 || types.some((type) => /^\s*(?:$|application\/x-www-form|multipart\/)/i.test(type))
  );
}

/** The other methods that a form's body asks for; a problem when it was not read. */
export function formMethods(request: HttpRequest): readonly string[] | { readonly problem: string } {
  const { body } = request;
  if (body.kind === "none") return NONE;
  if (body.kind === "unread") return { problem: `a form may ask for another method, and ${body.why}` };
  // Read as careless parsers would, in either kind of form: finding one too many only makes the answer stricter.
  const { buffer, byteOffset, byteLength } = body.bytes;
  const text = decodeLoosely(Buffer.from(buffer, byteOffset, byteLength).toString("latin1"));
  if (!/_method/i.test(text)) return NONE;
  if (/name="?_method\b/i.test(text)) return { problem: "a form that names another method" };
  let found: string[] | undefined;
  for (const [, method = ""] of text.matchAll(/(?:^|[&;\s])_method=([a-z]{1,40})/gi)) {
    found = addMethods(found, method);
    if (found.length > MOST_OVERRIDES) break;
  }
  return found ?? NONE;
}
