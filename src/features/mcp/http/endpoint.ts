// Where clients on this machine reach the remote servers of `iddio mcp add`:
// http://127.0.0.1:<port>/<token>/<name>. Only the daemon's own user may connect, the token is in
// the address, and neither another Host nor a web page gets in.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { UpstreamError } from "../../../gateway/upstream/upstream-error.ts";
import { socketOwner } from "../../../host/process/sockets/socket-owner.ts";
import { UserError } from "../../../model/user-error.ts";
import { failureAnswer } from "../../../protocols/mcp/refusal.ts";
import type { Log } from "../../../state/log/log.ts";
import type { StoredServer } from "../../../state/tables/mcp-pins.ts";
import type { McpService } from "../judge/service.ts";
import { RELAY_PATIENCE, type RelayPatience } from "../stdio/patience.ts";
import { answerHttp } from "./exchange.ts";
import { WaitingCalls } from "./held-call.ts";
import { issuerAt, type RemoteParts, type RemotePlace } from "./remote.ts";

/** The parts that the endpoint works with. */
export interface EndpointParts {
  readonly gateway: RemoteParts;
  readonly service: McpService;
  readonly log: Log;
  /** The users, by number, who may connect. */
  readonly isAllowed: (uid: number) => boolean;
  readonly patience?: RelayPatience;
}

/** Secrets and addresses are no one's header. */
const FORBIDDEN_HEADER = /^(?:host|connection|content-length|transfer-encoding|upgrade|te|trailer|mcp-.*)$/i;

/** The local addresses of one daemon's remote servers. */
export class McpEndpoint {
  readonly #parts: EndpointParts;
  readonly #waiting = new WaitingCalls();
  #server: ReturnType<typeof Bun.serve> | undefined;

  constructor(parts: EndpointParts) {
    this.#parts = parts;
    const port = this.#remotes().find(({ remote }) => remote !== undefined)?.remote?.port;
    if (port !== undefined) this.#listen(port);
  }

  /** The address of a server; undefined for one that is not behind the endpoint. */
  addressOf({ name, remote }: StoredServer): string | undefined {
    return remote === undefined
      ? undefined
      : `http://127.0.0.1:${this.#server?.port ?? remote.port}/${remote.token}/${name}`;
  }

  /** Gives a remote server an address here. Throws a UserError for a URL or field that cannot be. */
  add(
    name: string,
    url: string,
    headers: readonly { readonly name: string; readonly value: string }[],
  ): StoredServer {
    const place = placeOf(url, headers);
    this.#listen(this.#remotes()[0]?.remote?.port ?? 0);
    const port = this.#server?.port;
    if (port === undefined)
      throw new UserError("no local address can be had", { hint: "see the end of iddio.log" });
    this.#parts.service.leaveRemote(name);
    const known = this.#parts.service.pins.server(name)?.remote;
    return this.#parts.service.setRemote(name, {
      ...place,
      port,
      token: known?.token ?? randomBytes(24).toString("hex"),
    });
  }

  /** Ends every connection. */
  close(): void {
    this.#server?.stop(true);
  }

  #remotes(): readonly StoredServer[] {
    return this.#parts.service.pins.servers().filter(({ remote }) => remote !== undefined);
  }

  #listen(port: number): void {
    if (this.#server !== undefined) return;
    const serve = (at: number) =>
      Bun.serve({
        hostname: "127.0.0.1",
        port: at,
        idleTimeout: 0,
        maxRequestBodySize: 32 * 1024 * 1024,
        development: false,
        fetch: (request, server) => {
          const from = server.requestIP(request);
          const own = { address: "127.0.0.1", port: server.port ?? 0 };
          const uid = from === null ? undefined : socketOwner(from, own)?.uid;
          if (uid === undefined || !this.#parts.isAllowed(uid))
            return new Response("not for this user\n", { status: 403 });
          return this.#answer(request, own.port);
        },
        error: () => new Response("the daemon failed\n", { status: 500 }),
      });
    try {
      this.#server = serve(port);
    } catch (error) {
      // Clients have the address in their settings: another port would only hide that it is taken.
      this.#parts.log.error("the local address of MCP servers cannot be had", {
        port,
        reason: String(error),
      });
    }
  }

  async #answer(request: Request, port: number): Promise<Response> {
    const host = request.headers.get("host");
    if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`)
      return new Response("not this host\n", { status: 421 });
    const origin = request.headers.get("origin");
    if (origin !== null || request.headers.get("sec-fetch-site") !== null)
      return new Response("not for a web page\n", { status: 403 });
    const [, token = "", name = "", ...rest] = new URL(request.url).pathname.split("/");
    const server = this.#parts.service.pins.server(name);
    if (server?.remote === undefined || rest.length > 0 || !isSame(token, server.remote.token))
      return new Response("not found\n", { status: 404 });
    const { gateway, service, patience = RELAY_PATIENCE } = this.#parts;
    const place = server.remote;
    const waiting = this.#waiting;
    try {
      const at = { name, url: place.url };
      const session = await service.sessionOf(at, undefined, () => issuerAt(gateway, place.url));
      const onOther = () => service.leaveRemote(name);
      return await answerHttp({ gateway, place, session, patience, waiting, onOther }, request);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      const text = failureAnswer(null, `the server cannot be reached: ${error.message}`);
      return new Response(text, { status: 502, headers: { "content-type": "application/json" } });
    }
  }
}

function placeOf(
  url: string,
  headers: readonly { readonly name: string; readonly value: string }[],
): RemotePlace {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new UserError(`'${url}' is no address`, {
      hint: "iddio mcp add docs https://mcp.example.com/mcp",
      exitCode: 2,
    });
  }
  const isLocal = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(parsed.hostname);
  if (parsed.protocol !== "https:" && !(parsed.protocol === "http:" && isLocal))
    throw new UserError("only https:// is verified; http:// is for servers on this machine", {
      hint: "give the https:// address",
      exitCode: 2,
    });
  if (parsed.username !== "" || parsed.password !== "")
    throw new UserError("the address holds a password", {
      hint: "give it with: --header 'Authorization: …'",
      exitCode: 2,
    });
  for (const { name, value } of headers)
    if (!/^[A-Za-z0-9-]{1,100}$/.test(name) || FORBIDDEN_HEADER.test(name) || /[^\x20-\x7e]/.test(value))
      throw new UserError(`the field '${name}' cannot be added`, {
        hint: "for example: --header 'Authorization: Bearer …'",
        exitCode: 2,
      });
  return { url: parsed.href, headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])) };
}

function isSame(one: string, other: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
