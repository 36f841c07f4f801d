// An HTTP request as classifiers and policy see it: values only, no sockets, no
// streams. Names keep the case in which they were sent; anyone who compares header
// names must ignore case, as RFC 9110 5.1 says.

/** One header field as sent: name and value, in order, duplicates kept. */
export type Header = readonly [name: string, value: string];

/** A request's line and fields, after the codec has proved them unambiguous. */
export interface RequestHead {
  /** As sent; methods are case-sensitive (RFC 9110 9.1). */
  readonly method: string;
  /** Lower case, without port or trailing dot; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Origin form: raw path and query exactly as sent, `/a%2Fb?x=1`; never absolute. */
  readonly target: string;
  readonly headers: readonly Header[];
}

/**
 * A request's body. `none`: the request has no body. `whole`: every byte, content codings already removed.
 * `unread`: a body exists or may exist but was not or could not be read; a classifier that needs it must
 * answer unknown.
 */
export type RequestBody =
  | { readonly kind: "none" }
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  | { readonly kind: "unread"; readonly why: string };

/** A request as a classifier gets it: the head and the body, if that was read. */
export interface HttpRequest extends RequestHead {
  readonly body: RequestBody;
}

/** The values of every field with this name (any case), in order. */
export function headerValues(headers: readonly Header[], name: string): string[] {
  const wanted = name.toLowerCase();
  const values: string[] = [];
  for (const [key, value] of headers)
    if (key.length === wanted.length && key.toLowerCase() === wanted) values.push(value);
  return values;
}

/** The first value of a field, or undefined; use `headerValues` where duplicates would matter. */
export function headerValue(headers: readonly Header[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const [key, value] of headers)
    if (key.length === wanted.length && key.toLowerCase() === wanted) return value;
  return undefined;
}
