// The token by which a connection shows that it comes from the operator's overlay
// kubeconfig, sent as Basic credentials of the proxy URL (`http://iddio:<token>@…`).

import { timingSafeEqual } from "node:crypto";
import { headerValues } from "../../model/request.ts";
import type { WireRequestHead } from "../../wire/http1/head.ts";

/** Whether the head's one Proxy-Authorization field carries `token`. Without a token: false. */
export function holdsProxyToken(head: Pick<WireRequestHead, "headers">, token: string | undefined): boolean {
  if (token === undefined || token === "") return false;
  const [given, ...more] = headerValues(head.headers, "proxy-authorization");
  if (given === undefined || more.length > 0) return false;
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(given)?.[1];
  if (encoded === undefined) return false;
  const presented = Buffer.from(encoded, "base64");
  const expected = Buffer.from(`iddio:${token}`);
  return presented.length === expected.length && timingSafeEqual(presented, expected);
}
