// The method that a form asks for in a field `_method`: Rails, and so GitHub, may honour it in a POST whose body is
// a form or of no declared type. Only paths at which another method does something stricter are worth a look.

import { type HttpRequest, headerValues, type RequestHead } from "../../model/request.ts";
import { decodeLoosely } from "../lenient-path.ts";

/** Whether Rack would look for `_method` in the body of this request. */
export function mayBeForm(head: RequestHead): boolean {
  if (head.method !== "POST") return false;
  const types = headerValues(head.headers, "content-type");
  return (
    types.length === 0 || types.some((type) => /^\s*(?:$|application\/x-www-form|multipart\/)/i.test(type))
  );
}

/** The other methods that the body asks for; a problem when it was not read. */
export function formMethods(request: HttpRequest): readonly string[] | { readonly problem: string } {
  const { body } = request;
  if (body.kind === "none") return [];
  if (body.kind === "unread") return { problem: `a form may ask for another method, and ${body.why}` };
  // Read as careless parsers would, in either kind of form: finding one too many only makes the answer stricter.
  const text = decodeLoosely(new TextDecoder("latin1").decode(body.bytes));
  if (/name="?_method\b/i.test(text)) return { problem: "a form that names another method" };
  const found = text.matchAll(/(?:^|[&;\s])_method=([a-z]+)/gi);
  return [...new Set([...found].map(([, method = ""]) => method.toUpperCase()))];
}
