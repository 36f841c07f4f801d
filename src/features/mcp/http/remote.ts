// A request to a remote server, by the gateway's own connections: its certificates are verified as
// everybody's are, and fields that iddio adds go nowhere else. A redirect is not followed.

import type { BodyReader } from "../../../gateway/message/upstream-answer.ts";
import type { Gateway } from "../../../gateway/request/context.ts";
import { guardAnswer, spellingsOf } from "../../../gateway/upstream/echo-guard.ts";
import { forwardUpstream } from "../../../gateway/upstream/forward.ts";
import type { Header } from "../../../model/request.ts";

/** The parts of the gateway that reach upstreams. */
export type RemoteParts = Pick<Gateway, "pool" | "dialler" | "trust" | "recorder">;

/** A server's address, and the fields that are added to its requests. */
export interface RemotePlace {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer; its body must be read or ended. */
export interface RemoteAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** The pieces of the body; leaving the loop ends the request. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Fields of a client that a server of MCP reads. Credentials are for the address that they were given to. */
const PASSED = /^(?:accept|content-type|last-event-id|mcp-[a-z0-9-]+)$/;

/** Sends one request. Throws UpstreamError when there is no answer. */
export async function askRemote(
  { pool, dialler, trust, recorder }: RemoteParts,
  place: RemotePlace,
  request: {
    readonly method: string;
    readonly headers: Headers;
    readonly body?: string;
    readonly signal: AbortSignal;
  },
): Promise<RemoteAnswer> {
  const url = new URL(place.url);
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  const body = request.body === undefined ? undefined : new TextEncoder().encode(request.body);
  const passed = [...request.headers].filter(([name]) => PASSED.test(name));
  const headers: Header[] = [
    ["host", url.host],
    ["user-agent", "iddio"],
    ["accept-encoding", "identity"],
    ...passed,
    ...Object.entries(place.headers),
    ...(body === undefined ? [] : [["content-length", String(body.length)] as const]),
  ];
  const client = leavingClient(request.signal);
  const echoed = () =>
    recorder.control({
      command: "credential echoed",
      credential: "mcp add --header",
      host,
      port,
      reason: "an answer held the credential and was cut",
    });
  const arrived = await forwardUpstream(
    pool,
    {
      host,
      port,
      addresses: await dialler.resolve(host, port),
      serverName: isSecure ? host : undefined,
      trust: isSecure ? trust.trustFor(host, port, false) : undefined,
      owner: "mcp",
    },
    {
      method: request.method,
      target: `${url.pathname}${url.search}`,
      scheme: isSecure ? "https" : "http",
      authority: url.host,
      headers,
      body: wholeBody(body),
      upgrade: undefined,
      prefersHttp2: true,
      awaitsContinue: false,
      interim() {},
    },
    client,
  );
  const secrets = Object.values(place.headers).flatMap(secretsOf);
  const answer = secrets.length === 0 ? arrived : guardAnswer(arrived, secrets, echoed);
  const fields = new Map(answer.headers.map(([name, value]) => [name.toLowerCase(), value]));
  return {
    status: answer.status,
    header: (name) => fields.get(name),
    pieces: piecesOf(answer.body, () => {
      answer.finish();
      client.end();
    }),
  };
}

/** The secrets of an added field that must not come back: the value, and the word behind its scheme. */
function secretsOf(value: string): readonly Uint8Array[] {
  const word = /^[A-Za-z]+ +(\S+)$/.exec(value)?.[1] ?? value;
  return word.length < SECRET_MIN ? [] : spellingsOf(word);
}

/** A shorter text is in many answers by chance. */
const SECRET_MIN = 8;

async function* piecesOf(body: BodyReader, finish: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const pieces = await body.next();
      if (pieces === undefined) return;
      // Views of a buffer that is used again.
      for (const piece of pieces) yield new Uint8Array(piece);
    }
  } finally {
    finish();
  }
}

function wholeBody(bytes: Uint8Array | undefined): BodyReader {
  let left: readonly Uint8Array[] | undefined =
    bytes === undefined || bytes.length === 0 ? undefined : [bytes];
  const take = () => {
    const now = left;
    left = undefined;
    return now;
  };
  return {
    framing: bytes === undefined ? { kind: "none" } : { kind: "length", length: bytes.length },
    get isDone() {
      return true;
    },
    get isDrained() {
      return left === undefined;
    },
    trailers: [],
    next: async () => take(),
    nextBuffered: take,
  };
}

function leavingClient(signal: AbortSignal) {
  const listeners = new Set<() => void>();
  const leave = () => {
    for (const left of listeners) left();
  };
  signal.addEventListener("abort", leave, { once: true });
  return {
    get hasLeft() {
      return signal.aborted;
    },
    onLeave(left: () => void) {
      listeners.add(left);
      if (signal.aborted) left();
    },
    offLeave(left: () => void) {
      listeners.delete(left);
    },
    end() {
      signal.removeEventListener("abort", leave);
    },
  };
}
