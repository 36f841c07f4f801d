// One server as the daemon knows it: its pinned items, those that wait for a person, and so the
// items that a client may see and call. The first definition is pinned as it came, unless it is
// suspicious; everything that changes or comes later waits. A waiting item is absent for clients: a
// description is read by a model even when its tool is never called.

import { createHash } from "node:crypto";
import type {
  ItemKind,
  McpPins,
  ServerIdentity,
  StoredItem,
  StoredServer,
} from "../../../state/tables/mcp-pins.ts";
import { canonicalJson } from "../../../wire/jsonrpc/canonical-json.ts";
import { isObject } from "../../../wire/jsonrpc/message.ts";
import { suspicionOf } from "./hidden-text.ts";

/** Items of one kind; more make a list that nobody can review. */
const ITEMS_MAX = 2_000;
/** Items of one page that are looked at. */
const PAGE_MAX = 2 * ITEMS_MAX;
const NAME_MAX = 1_000;
/** Characters of a definition. */
const DEFINITION_MAX = 256 * 1024;

/** Why an item waits that nobody can accept. */
export const TOO_LONG = "too long to review";

/** An event of a server that a person should hear about. */
export interface ServerNews {
  readonly kind: "seen" | "waits";
  readonly server: string;
  readonly what: string;
}

/** A pinned tool. */
export interface PinnedTool {
  readonly definition: string;
  /** SHA-256 of the definition. */
  readonly digest: string;
  readonly annotations: { readonly readOnlyHint?: boolean; readonly destructiveHint?: boolean };
  readonly description: string;
}

/** A server while sessions with it may run. Every change is on disk before it counts. */
export class KnownServer {
  readonly #pins: McpPins;
  readonly #tell: (news: ServerNews) => void;
  #stored: StoredServer;
  #items: Map<string, StoredItem>;
  readonly #tools = new Map<string, PinnedTool>();
  /** Pinned items by what they are but for their names; made when it is needed. */
  #bare: Map<string, string> | undefined;

  constructor(pins: McpPins, stored: StoredServer, tell: (news: ServerNews) => void) {
    this.#pins = pins;
    this.#tell = tell;
    this.#stored = stored;
    this.#items = itemMap(pins.items(stored.name));
  }

  /** The server as it is written down. */
  get stored(): StoredServer {
    return this.#stored;
  }

  /** Every item. */
  get items(): readonly StoredItem[] {
    return [...this.#items.values()];
  }

  /** Reads the pins on disk again, after a person has changed it. */
  refresh(): void {
    const stored = this.#pins.server(this.#stored.name);
    if (stored !== undefined) this.#stored = stored;
    this.#items = itemMap(this.#pins.items(this.#stored.name));
    this.#tools.clear();
    this.#bare = undefined;
  }

  /** Writes down who the server is this time. False: it is another one than was accepted, and waits. */
  meet(identity: ServerIdentity, now: number): boolean {
    const key = canonicalJson(identity);
    const identities = this.#stored.identities.map((each) => withSeenIssuer(each, identity));
    const isKnown = identities.some((each) => canonicalJson(each) === key);
    const { pending_identity, ...rest } = this.#stored;
    if (isKnown) this.#put({ ...rest, identities, last_ms: now });
    else if (this.#stored.identities.length === 0) {
      this.#put({ ...rest, identities: [identity], last_ms: now });
      this.#tell({ kind: "seen", server: this.#stored.name, what: "the server" });
    } else if (pending_identity === undefined || canonicalJson(pending_identity) !== key) {
      this.#put({ ...rest, pending_identity: identity, last_ms: now });
      this.#tell({ kind: "waits", server: this.#stored.name, what: "another program or address" });
    }
    return isKnown || this.#stored.identities.some((each) => canonicalJson(each) === key);
  }

  /** Notes the server's own title; returns whether its instructions may be shown. */
  introduce(said: {
    readonly title?: string;
    readonly version?: string;
    readonly instructions?: string;
  }): boolean {
    const { instructions = "", title, version } = said;
    const isFirst = this.#stored.instructions === undefined;
    const isTooLong = instructions.length > DEFINITION_MAX;
    const suspicion = isTooLong ? TOO_LONG : isFirst ? suspicionOf(instructions) : undefined;
    const isKnown =
      !isTooLong && (this.#stored.instructions === instructions || (isFirst && suspicion === undefined));
    const { pending_instructions, ...rest } = this.#stored;
    this.#put({
      ...rest,
      ...(title === undefined ? {} : { title: title.slice(0, 200) }),
      ...(version === undefined ? {} : { version: version.slice(0, 40) }),
      ...(isFirst ? { instructions: suspicion === undefined ? instructions : "" } : {}),
      // Instructions that are too long to be read are not kept either.
      ...(isKnown ? {} : { pending_instructions: isTooLong ? TOO_LONG : instructions }),
    });
    if (!isKnown && pending_instructions === undefined)
      this.#tell({ kind: "waits", server: this.#stored.name, what: "its instructions" });
    return isKnown;
  }

  /**
   * Compares one page of a list with the pins, and pins new items on first sight. Gives, for each item,
   * whether it may be shown. `isLast`: no page comes after this one.
   */
  learn(kind: ItemKind, page: readonly unknown[], isLast: boolean): readonly boolean[] {
    const changed: StoredItem[] = [];
    const seen = new Set<string>();
    const isFirst = !this.#stored.complete.includes(kind);
    const shown = page.map((item, index) => {
      // A list that nobody can review is read no further.
      if (index >= PAGE_MAX) return false;
      const name = isObject(item) && typeof item.name === "string" ? item.name : undefined;
      // A name that comes twice: which of them a call means, nobody can tell.
      if (name === undefined || name.length > NAME_MAX || seen.has(name)) return false;
      seen.add(name);
      return this.#compare(kind, name, item, isFirst, changed);
    });
    const waited = new Set([...this.#items].flatMap(([key, { pending }]) => (pending ? [key] : [])));
    this.#pins.putItems(this.#stored.name, changed);
    for (const item of changed) this.#items.set(keyOf(kind, item.name), item);
    this.#tools.clear();
    this.#bare = undefined;
    if (isLast && isFirst) this.#put({ ...this.#stored, complete: [...this.#stored.complete, kind] });
    // Told once: a server may change as often as it is asked.
    const waiting = changed.filter(
      ({ name, pending }) => pending !== undefined && !waited.has(keyOf(kind, name)),
    );
    if (waiting.length > 0)
      this.#tell({
        kind: "waits",
        server: this.#stored.name,
        what: waiting
          .map(({ name, why }) => `${name} (${why})`)
          .slice(0, 10)
          .join(", "),
      });
    return shown;
  }

  #compare(kind: ItemKind, name: string, item: unknown, isFirst: boolean, changed: StoredItem[]): boolean {
    const known = this.#items.get(keyOf(kind, name));
    const count = this.#items.size + changed.length;
    if (known === undefined && count >= ITEMS_MAX * 2) return false;
    const definition = canonicalJson(item);
    if (known?.pinned === definition) {
      if (known.pending !== undefined) changed.push({ kind, name, pinned: definition, why: "" });
      return true;
    }
    const isTooLong = definition.length > DEFINITION_MAX;
    // Of one that is too long only that is kept: what cannot be shown whole cannot be accepted.
    const kept = isTooLong ? canonicalJson({ name, characters: definition.length }) : definition;
    if (known?.pending === kept) return false;
    const why = isTooLong
      ? TOO_LONG
      : known?.pinned !== undefined
        ? `changed: ${whatChanged(known.pinned, definition)}`
        : (suspicionOf(readableOf(definition)) ??
          (isFirst && count < ITEMS_MAX ? "" : this.#renamedFrom(kind, definition)));
    const pinned = known?.pinned === undefined ? {} : { pinned: known.pinned };
    changed.push(
      why === "" ? { kind, name, pinned: kept, why } : { kind, name, ...pinned, pending: kept, why },
    );
    return why === "";
  }

  #renamedFrom(kind: ItemKind, definition: string): string {
    this.#bare ??= new Map(
      [...this.#items.values()].flatMap((each) =>
        each.pinned === undefined ? [] : [[`${each.kind} ${withoutName(each.pinned)}`, each.name]],
      ),
    );
    const twin = this.#bare.get(`${kind} ${withoutName(definition)}`);
    return twin === undefined ? "new" : `new, and the same as '${twin}' but for its name`;
  }

  /** Whether the item is pinned just as it was last listed, and the server is the one that was accepted. */
  isPinned(kind: ItemKind, name: string): boolean {
    const item = this.#items.get(keyOf(kind, name));
    return item?.pinned !== undefined && item.pending === undefined;
  }

  /** The pinned tool; undefined for one that is not pinned or waits. */
  tool(name: string): PinnedTool | undefined {
    const known = this.#tools.get(name);
    if (known !== undefined) return known;
    const { pinned } = this.#items.get(keyOf("tools", name)) ?? {};
    if (pinned === undefined || !this.isPinned("tools", name)) return undefined;
    const { annotations, description } = JSON.parse(pinned) as {
      annotations?: unknown;
      description?: unknown;
    };
    const { readOnlyHint, destructiveHint } = isObject(annotations) ? annotations : {};
    const tool: PinnedTool = {
      definition: pinned,
      digest: createHash("sha256").update(pinned).digest("hex"),
      annotations: {
        ...(typeof readOnlyHint === "boolean" ? { readOnlyHint } : {}),
        ...(typeof destructiveHint === "boolean" ? { destructiveHint } : {}),
      },
      description: typeof description === "string" ? description : "",
    };
    this.#tools.set(name, tool);
    return tool;
  }

  /** Why a tool that is not pinned waits for review; undefined of one that the server has not listed. */
  whyToolWaits(name: string): string | undefined {
    return this.#items.get(keyOf("tools", name))?.why || undefined;
  }

  #put(stored: StoredServer): void {
    this.#pins.put(stored);
    this.#stored = stored;
  }
}

/** One that was accepted before issuers were written down has the issuer that is seen now. */
function withSeenIssuer(known: ServerIdentity, seen: ServerIdentity): ServerIdentity {
  const isSame = known.kind === "http" && seen.kind === "http" && known.url === seen.url;
  return isSame && known.issuer === undefined ? seen : known;
}

function itemMap(items: readonly StoredItem[]): Map<string, StoredItem> {
  return new Map(items.map((item) => [keyOf(item.kind, item.name), item]));
}

function keyOf(kind: ItemKind, name: string): string {
  return `${kind} ${name}`;
}

/** Every text of a definition, unescaped, as a model reads it. */
function readableOf(definition: string): string {
  const texts: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === "string") texts.push(value);
    else if (Array.isArray(value)) value.forEach(walk);
    else if (isObject(value))
      for (const [name, inner] of Object.entries(value)) {
        texts.push(name);
        walk(inner);
      }
  };
  walk(JSON.parse(definition));
  return texts.join("\n");
}

function withoutName(definition: string): string {
  const { name: _, title: __, ...rest } = JSON.parse(definition) as { name?: unknown; title?: unknown };
  return canonicalJson(rest);
}

function whatChanged(before: string, after: string): string {
  const [old, fresh] = [
    JSON.parse(before) as Record<string, unknown>,
    JSON.parse(after) as Record<string, unknown>,
  ];
  const names = [...new Set([...Object.keys(old), ...Object.keys(fresh)])].sort();
  return names.filter((name) => canonicalJson(old[name]) !== canonicalJson(fresh[name])).join(", ");
}
