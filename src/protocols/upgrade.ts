// Whether a request asks to leave HTTP. Deliberately broad: an Upgrade field counts even
// where Connection does not list it, because some servers look at the one, some at the other.

import type { RequestHead } from "../model/request.ts";

/**
 * Reads the Upgrade fields, in lower case; "" when only Connection mentions an upgrade; undefined when there
 * is none.
 */
export function upgradeOf(head: RequestHead): string | undefined {
  let upgrade: string | undefined;
  for (const [name, value] of head.headers) {
    if (name.length === 7 && name.toLowerCase() === "upgrade")
      upgrade = upgrade ? `${upgrade}, ${value.trim().toLowerCase()}` : value.trim().toLowerCase();
    else if (
      name.length === 10 &&
      name.toLowerCase() === "connection" &&
      /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(value)
    )
      upgrade ??= "";
  }
  return upgrade;
}

/** Whether the request asks for another protocol on the connection. */
export function asksForUpgrade(head: RequestHead): boolean {
  return upgradeOf(head) !== undefined;
}
