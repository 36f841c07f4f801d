// A request to a remote server, by the gateway's own connections: its certificates are verified as
// everybody's are, and fields that iddio adds go nowhere else. A redirect is not followed.

import { piecesOf } from "../../../gateway/message/body-pieces.ts";
import { BytesBody } from "../../../gateway/message/bytes-body.ts";
import type { Gateway } from "../../../gateway/request/context.ts";
import { guardAnswer, spellingsOf } from "../../../gateway/upstream/echo-guard.ts";
import { forwardUpstream } from "../../../gateway/upstream/forward.ts";
import { lookUpIssuer, withIssuer } from "../../../gateway/upstream/pinned-issuer.ts";
import type { UpstreamTarget } from "../../../gateway/upstream/pool.ts";
import { Until } from "../../../gateway/upstream/until.ts";
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

/** The server's place as the pool knows it. */
async function targetOf(
  { dialler, trust }: Pick<RemoteParts, "dialler" | "trust">,
  url: URL,
): Promise<UpstreamTarget> {
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  return {
    host,
    port,
    addresses: await dialler.resolve(host, port),
    serverName: isSecure ? host : undefined,
    trust: isSecure ? trust.trustFor(host, port, false) : undefined,
    owner: "mcp",
  };
}

/** Who issued the certificate of the server at this address; undefined without TLS. Throws UpstreamError. */
export async function issuerAt(parts: RemoteParts, address: string): Promise<string | undefined> {
  const url = new URL(address);
  return url.protocol === "https:" ? lookUpIssuer(parts.pool, await targetOf(parts, url)) : undefined;
}

/** Sends one request, to a server whose certificate has this issuer. Throws UpstreamError when there is no answer. */
export async function askRemote(
  parts: RemoteParts,
  place: RemotePlace,
  issuer: string | undefined,
  request: {
    readonly method: string;
    readonly headers: Headers;
    readonly body?: string;
    readonly signal: AbortSignal;
  },
): Promise<RemoteAnswer> {
  const url = new URL(place.url);
  const target = await targetOf(parts, url);
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
  const { host, port } = target;
  const echoed = () =>
    parts.recorder.control({
      command: "credential echoed",
      credential: "mcp add --header",
      host,
      port,
      reason: "an answer held the credential and was cut",
    });
  const arrived = await forwardUpstream(
    parts.pool,
    withIssuer(target, issuer),
    {
      method: request.method,
      target: `${url.pathname}${url.search}`,
      scheme: target.serverName === undefined ? "http" : "https",
      authority: url.host,
      headers,
      body: new BytesBody(body),
      upgrade: undefined,
      prefersHttp2: true,
      awaitsContinue: false,
      interim() {},
    },
    new Until(request.signal),
  );
  const secrets = Object.values(place.headers).flatMap(secretsOf);
  const answer = secrets.length === 0 ? arrived : guardAnswer(arrived, secrets, echoed);
  const fields = new Map(answer.headers.map(([name, value]) => [name.toLowerCase(), value]));
  return {
    status: answer.status,
    header: (name) => fields.get(name),
    pieces: piecesOf(answer.body, () => answer.finish()),
  };
}

/** The secrets of an added field that must not come back: the value, and the word behind its scheme. */
function secretsOf(value: string): readonly Uint8Array[] {
  const word = /^[A-Za-z]+ +(\S+)$/.exec(value)?.[1] ?? value;
  return word.length < SECRET_MIN ? [] : spellingsOf(word);
}

/** A shorter text is in many answers by chance. */
const SECRET_MIN = 8;
