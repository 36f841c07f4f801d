// The MCP gateway of one daemon: its servers, by name, and what their sessions share. News for a
// person go out as an event and into the log.

import type { Events } from "../../../gateway/request/records/events.ts";
import type { AskParts } from "../../../gateway/request/stages/stage.ts";
import type { ClientIdentity } from "../../../model/entry.ts";
import { UserError } from "../../../model/user-error.ts";
import type { Log } from "../../../state/log/log.ts";
import { McpPins, type ServerIdentity, type StoredServer } from "../../../state/tables/mcp-pins.ts";
import { KnownServer, type ServerNews } from "./known-server.ts";
import { findServer } from "./review.ts";
import { StateSeals } from "./sealed-state.ts";
import { McpSession } from "./session.ts";
import type { Slot } from "./slot.ts";

/** The form of a server's name: it becomes the first part of a command. */
export const SERVER_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Names that can be made up by anyone who starts a server. */
const SERVERS_MAX = 500;

/** One daemon's servers. */
export class McpService {
  readonly #parts: {
    readonly gateway: AskParts;
    readonly pins: McpPins;
    readonly events: Events;
    readonly log: Log;
    readonly urlOf: (approvalId: string) => string | undefined;
  };
  readonly #servers = new Map<string, KnownServer>();
  readonly #parked = new Map<string, Slot>();
  readonly #seals = new StateSeals();
  readonly #remote = new Map<string, Promise<McpSession>>();

  constructor(parts: {
    gateway: AskParts;
    database: ConstructorParameters<typeof McpPins>[0];
    events: Events;
    log: Log;
    /** The address at which a person can decide about a question, where there is one. */
    urlOf: (approvalId: string) => string | undefined;
  }) {
    this.#parts = { ...parts, pins: new McpPins(parts.database) };
  }

  /** The pins on disk. */
  get pins(): McpPins {
    return this.#parts.pins;
  }

  /** Begins a session; throws a UserError for a name that is none. */
  open(name: string, identity: ServerIdentity, client: ClientIdentity | undefined): McpSession {
    checkName(name);
    const server = this.#server(name);
    const isAccepted = server.meet(identity, Date.now());
    return new McpSession({
      gateway: this.#parts.gateway,
      server,
      parked: this.#parked,
      seals: this.#seals,
      client,
      identity,
      isAccepted,
      urlOf: this.#parts.urlOf,
    });
  }

  /**
   * The session of a client with a remote server; kept, because each request is one of its own. `issuer` looks up who
   * vouches for the server, which is part of who it is.
   */
  async sessionOf(
    at: { readonly name: string; readonly url: string },
    client: ClientIdentity | undefined,
    issuer: () => Promise<string | undefined>,
  ): Promise<McpSession> {
    const key = JSON.stringify([at.name, at.url, client?.user, client?.run_id]);
    const known = await this.#remote.get(key);
    if (known?.isAccepted === true && known.isOf(this.#servers.get(at.name))) return known;
    const opened = issuer().then((found) => {
      const identity = {
        kind: "http" as const,
        url: at.url,
        ...(found === undefined ? {} : { issuer: found }),
      };
      return this.open(at.name, identity, client);
    });
    if (this.#remote.size >= SERVERS_MAX) this.#remote.clear();
    // Requests that come at once share the look.
    this.#remote.set(key, opened);
    opened.catch(() => this.#remote.delete(key));
    return opened;
  }

  /** Looks again who a remote server is: it was not the one that its session is with. */
  leaveRemote(name: string): void {
    for (const key of this.#remote.keys()) if (JSON.parse(key)[0] === name) this.#remote.delete(key);
  }

  /** Writes down where a remote server is. Its pins stay. */
  setRemote(name: string, remote: NonNullable<StoredServer["remote"]>): StoredServer {
    checkName(name);
    const stored = { ...this.#server(name).stored, remote, last_ms: Date.now() };
    this.#parts.pins.put(stored);
    this.refresh(name);
    return stored;
  }

  /** Returns the known server; throws a UserError when there is none. */
  known(name: string): KnownServer {
    findServer(this.#parts.pins, name);
    return this.#server(name);
  }

  /** Forgets a server that is gone from disk. Sessions that run end by themselves. */
  forget(name: string): void {
    this.#servers.delete(name);
  }

  /** A person has changed the pins on disk: sessions that run see it from now on. */
  refresh(name: string): void {
    this.#servers.get(name)?.refresh();
  }

  #server(name: string): KnownServer {
    const known = this.#servers.get(name);
    if (known !== undefined) return known;
    const { pins } = this.#parts;
    const stored = pins.server(name);
    if (stored === undefined && pins.servers().length >= SERVERS_MAX)
      throw new UserError(`${SERVERS_MAX} MCP servers are known already`, {
        hint: "see them with: iddio mcp list; forget one with: iddio mcp forget <name>",
      });
    const server = new KnownServer(pins, stored ?? newServer(name), (news) => this.#tell(news));
    this.#servers.set(name, server);
    return server;
  }

  #tell({ kind, server, what }: ServerNews): void {
    const { events, log } = this.#parts;
    const fields = { server, what: what.slice(0, 1_000) };
    events.publish(kind === "seen" ? "mcp_server_seen" : "mcp_review_needed", fields);
    if (kind === "seen") log.info("mcp server seen", fields);
    else log.warn("mcp server changed", { ...fields, hint: `iddio mcp review ${server}` });
  }
}

function checkName(name: string): void {
  if (SERVER_NAME.test(name)) return;
  throw new UserError(`'${name.slice(0, 80)}' cannot name an MCP server`, {
    hint: "use 1 to 64 of: a-z, 0-9, '.', '_', '-'; begin with a letter or digit: iddio mcp run --name files -- …",
    exitCode: 2,
  });
}

function newServer(name: string): StoredServer {
  const now = Date.now();
  return { name, identities: [], complete: [], reviewed: false, first_ms: now, last_ms: now };
}
