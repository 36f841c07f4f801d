// An entry of a protocol's inspect list, wherever it is written: in the file, or on a command line
// that edits it.

import { parseInspectEntry } from "../../match/inspect-entry.ts";
import type { Protocol } from "../../model/protocol.ts";

const SSH_PORT = 22;

/** Reads it. Without a port any is meant, but for SSH the one that SSH has: a host's other services are not SSH. */
export function parseProtocolEntry(protocol: Protocol, text: string): ReturnType<typeof parseInspectEntry> {
  return protocol === "ssh" ? parseInspectEntry(text, SSH_PORT, true) : parseInspectEntry(text);
}
