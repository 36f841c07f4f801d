// The known MCP servers: who they are, the definitions that were first seen or last accepted, and
// those that wait for a person. Kept in state.db. Nothing here judges: a definition is pinned or
// pending, with the reason.

import type { Database } from "bun:sqlite";

/** Who a server is. A change of any of it makes another server of the same name. */
export type ServerIdentity =
  | {
      readonly kind: "stdio";
      readonly command: string;
      readonly args: readonly string[];
      /** Variables that load other code into the program, as `NAME=value`; absent without any. */
      readonly env?: readonly string[];
      /** SHA-256 of the code that runs; absent where it cannot be told. */
      readonly code_sha256?: string;
      /** `name@version` of the npm package that the code belongs to. */
      readonly package?: string;
      /** Why the code is not pinned. */
      readonly unpinned?: string;
    }
  | { readonly kind: "http"; readonly url: string; readonly issuer?: string };

/** A server as it is written down. */
export interface StoredServer {
  readonly name: string;
  /** Those that a person accepted, or that were there first; more than one where a name is used in several projects. */
  readonly identities: readonly ServerIdentity[];
  /** One that waits for a person. */
  readonly pending_identity?: ServerIdentity;
  readonly instructions?: string;
  readonly pending_instructions?: string;
  /** The server's own title for itself. */
  readonly title?: string;
  /** Protocol version that was spoken last. */
  readonly version?: string;
  /** Kinds of which a whole list has been seen: later items are new. */
  readonly complete: readonly ItemKind[];
  /** The table of known tools that a person bound to it, and to which identity. */
  readonly bound?: { readonly table: string; readonly identity: ServerIdentity };
  /** A person has looked at the first items. */
  readonly reviewed: boolean;
  /** The address behind `iddio mcp add`, with fields that are added to its requests. */
  readonly remote?: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Of the local address. */
    readonly port: number;
    readonly token: string;
  };
  readonly first_ms: number;
  readonly last_ms: number;
}

/** The kinds of offers that are pinned. */
export type ItemKind = "tools" | "prompts";

/** One tool or prompt. Definitions are canonical JSON. */
export interface StoredItem {
  readonly kind: ItemKind;
  readonly name: string;
  /** Undefined for one that a person has not accepted yet. */
  readonly pinned?: string;
  /** Undefined when nothing waits. */
  readonly pending?: string;
  /** Why it waits, in a clause; "" when it does not. */
  readonly why: string;
}

interface ServerRow {
  readonly name: string;
  readonly json: string;
  readonly first_ms: number;
  readonly last_ms: number;
}

interface ItemRow {
  readonly kind: string;
  readonly name: string;
  readonly pinned: string | null;
  readonly pending: string | null;
  readonly why: string;
}

/** The servers and items of one daemon. */
export class McpPins {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Every server, by name. */
  servers(): readonly StoredServer[] {
    return this.#database.query<ServerRow, []>("SELECT * FROM mcp_servers ORDER BY name").all().map(fromRow);
  }

  /** One server. */
  server(name: string): StoredServer | undefined {
    const row = this.#database
      .query<ServerRow, [string]>("SELECT * FROM mcp_servers WHERE name = ?")
      .get(name);
    return row === null ? undefined : fromRow(row);
  }

  /** Writes a server. */
  put(server: StoredServer): void {
    const { name, first_ms, last_ms, ...rest } = server;
    this.#database.run(
      "INSERT INTO mcp_servers (name, json, first_ms, last_ms) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT (name) DO UPDATE SET json = excluded.json, last_ms = excluded.last_ms",
      [name, JSON.stringify(rest), first_ms, last_ms],
    );
  }

  /** Forgets a server and its items. */
  remove(name: string): boolean {
    this.#database.run("DELETE FROM mcp_items WHERE server = ?", [name]);
    return this.#database.run("DELETE FROM mcp_servers WHERE name = ?", [name]).changes > 0;
  }

  /** Lists the offers of a server, by kind and name. */
  items(server: string): readonly StoredItem[] {
    return this.#database
      .query<ItemRow, [string]>(
        "SELECT kind, name, pinned, pending, why FROM mcp_items WHERE server = ? ORDER BY kind, name",
      )
      .all(server)
      .map(({ kind, name, pinned, pending, why }) => ({
        kind: kind as ItemKind,
        name,
        why,
        ...(pinned === null ? {} : { pinned }),
        ...(pending === null ? {} : { pending }),
      }));
  }

  /** Writes items, all or none. */
  putItems(server: string, items: readonly StoredItem[]): void {
    if (items.length === 0) return;
    const write = this.#database.query(
      "INSERT INTO mcp_items (server, kind, name, pinned, pending, why) VALUES (?, ?, ?, ?, ?, ?) " +
        "ON CONFLICT (server, kind, name) DO UPDATE SET pinned = excluded.pinned, pending = excluded.pending, why = excluded.why",
    );
    this.#database.transaction(() => {
      for (const { kind, name, pinned, pending, why } of items)
        write.run(server, kind, name, pinned ?? null, pending ?? null, why);
    })();
  }

  /** Forgets one item. */
  removeItem(server: string, kind: ItemKind, name: string): void {
    this.#database.run("DELETE FROM mcp_items WHERE server = ? AND kind = ? AND name = ?", [
      server,
      kind,
      name,
    ]);
  }
}

function fromRow({ name, json, first_ms, last_ms }: ServerRow): StoredServer {
  return {
    ...(JSON.parse(json) as Omit<StoredServer, "name" | "first_ms" | "last_ms">),
    name,
    first_ms,
    last_ms,
  };
}
