// Asks node's own HTTP/1.1 (llhttp) what it reads from some octets, on loopback, in a process of
// its own.

import { resolve } from "node:path";

/** One message as node read it; header and trailer fields flat, bodies in base64. */
export interface PeerMessage {
  readonly method?: string;
  readonly target?: string;
  readonly status?: number;
  readonly statusText?: string;
  readonly version: string;
  readonly headers: readonly string[];
  readonly whole: boolean;
  readonly body?: string;
  readonly trailers?: readonly string[];
}

/** The messages that node read from one connection, and the error that ended it. */
export interface PeerReading {
  readonly messages: readonly PeerMessage[];
  readonly error: string | null;
}

/** Asks node what it reads, or undefined when there is no node to ask. */
export async function askNode(command: object, count: number): Promise<readonly PeerReading[] | undefined> {
  const node = Bun.which("node");
  if (node === null) {
    process.stderr.write("no node on the path: nothing to compare with\n");
    return undefined;
  }
  const peer = Bun.spawn([node, resolve(import.meta.dir, "llhttp-peer.mjs")], {
    stdin: new TextEncoder().encode(`${JSON.stringify(command)}\n`),
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = (await new Response(peer.stdout).text()).split("\n").filter((line) => line !== "");
  if ((await peer.exited) !== 0 || lines.length !== count) throw new Error("node did not answer every case");
  return lines.map((line) => JSON.parse(line) as PeerReading);
}

/** Octets (one character each) as the peer wants them. */
export function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}
