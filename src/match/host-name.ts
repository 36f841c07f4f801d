// Accepts the DNS names that a policy may hold. Stricter than resolvers, because a name that one
// program reads as a number and another as a name must not be in a policy at all.

import { isAddress } from "./destination.ts";

/** Says what is wrong with a lower-case host name in one clause, or undefined when it is well-formed. With `isSuffix`, the rest of `*.rest`. */
export function checkHostName(
  host: string,
  options: { readonly isSuffix?: boolean } = {},
): string | undefined {
  if (host.length > 253) return "the host is longer than 253 characters";
  if (/[^\p{ASCII}]/u.test(host)) return internationalProblem(host);
  const labels = host.split(".");
  for (const label of labels) {
    if (label === "") return "a label of the host is empty";
    if (label.length > 63) return "a label of the host is longer than 63 characters";
    const odd = /[^a-z0-9_-]/.exec(label);
    if (odd !== null) return `'${odd[0]}' cannot be part of a host`;
    if (label.startsWith("-") || label.endsWith("-"))
      return `the label '${label}' begins or ends with a hyphen`;
  }
  // WHATWG URL "ends in a number": browsers and many clients read such a host as an IPv4 address or refuse it.
  if (!isAddress(host) && !options.isSuffix && /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? ""))
    return "write an IPv4 address as four decimal numbers, 192.0.2.1";
  return undefined;
}

/** Clients send the "xn--" form, and only that is matched: it is named, so that nobody has to work it out. */
function internationalProblem(host: string): string {
  const url = /[^\p{L}\p{M}\p{N}._-]/u.test(host) ? null : URL.parse(`http://${host}/`);
  return url === null || /[^a-z0-9_.-]/.test(url.hostname)
    ? "this is not an international name"
    : `write the international name as clients send it, '${url.hostname}'`;
}
