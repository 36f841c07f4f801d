// Looks at what passes between a client and an upstream after a 101, octet for octet, without
// touching it. Anyone who relays knows only this.

import type { Header } from "../../model/request.ts";

/** Sees one session. Nothing here throws, and nothing waits. */
export interface SessionTap {
  /** The upstream has switched protocols with these fields; `cut` ends both sides. */
  begin(headers: readonly Header[], cut: () => void): void;
  /** Valid only during the call. */
  fromClient(bytes: Uint8Array): void;
  /** Valid only during the call. */
  fromServer(bytes: Uint8Array): void;
  /** Both sides are gone, or the upstream never switched. */
  over(): void;
}
