// One server as the daemon knows it: its pinned items, those that wait for a person, and so the
// items that a client may see and call. The first definition is pinned as it came, unless it is
// suspicious; everything that changes or comes later waits. A waiting item is absent for clients: a
// description is read by a model even when its tool is never called.

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
/** Characters of a definition. */
const DEFINITION_MAX = 256 * 1024;

/** An event of a server that a person should hear about. */
export interface ServerNews {
  readonly kind: "seen" | "waits";
  readonly server: string;
  readonly what: string;
}

/** A pinned tool. */
export interface PinnedTool {
  readonly definition: string;
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
  }

  /** Writes down who the server is this time. False: it is another one than was accepted, and waits. */
  meet(identity: ServerIdentity, now: number): boolean {
    const key = canonicalJson(identity);
    const isKnown = this.#stored.identities.some((each) => canonicalJson(each) === key);
    const { pending_identity, ...rest } = this.#stored;
    if (isKnown) this.#put({ ...rest, last_ms: now });
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
    const suspicion = isFirst ? suspicionOf(instructions) : undefined;
    const isKnown = this.#stored.instructions === instructions || (isFirst && suspicion === undefined);
    const { pending_instructions, ...rest } = this.#stored;
    this.#put({
      ...rest,
      ...(title === undefined ? {} : { title: title.slice(0, 200) }),
      ...(version === undefined ? {} : { version: version.slice(0, 40) }),
      ...(isFirst ? { instructions: suspicion === undefined ? instructions : "" } : {}),
      ...(isKnown ? {} : { pending_instructions: instructions.slice(0, DEFINITION_MAX) }),
    });
    if (!isKnown && pending_instructions !== instructions)
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
    const shown = page.map((item) => {
      const name = isObject(item) && typeof item.name === "string" ? item.name : undefined;
      // A name that comes twice: which of them a call means, nobody can tell.
      if (name === undefined || seen.has(name)) return false;
      seen.add(name);
      return this.#compare(kind, name, item, isFirst, changed);
    });
    this.#pins.putItems(this.#stored.name, changed);
    for (const item of changed) this.#items.set(keyOf(kind, item.name), item);
    this.#tools.clear();
    if (isLast && isFirst) this.#put({ ...this.#stored, complete: [...this.#stored.complete, kind] });
    const waiting = changed.filter(({ pending }) => pending !== undefined);
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
    const definition = canonicalJson(item);
    const known = this.#items.get(keyOf(kind, name));
    if (known?.pinned === definition) {
      if (known.pending !== undefined) changed.push({ kind, name, pinned: definition, why: "" });
      return true;
    }
    if (known?.pending === definition) return false;
    const suspicion = suspicionOf(readableOf(definition));
    const count = this.items.length + changed.length;
    const why =
      definition.length > DEFINITION_MAX
        ? "too long to review"
        : known?.pinned !== undefined
          ? `changed: ${whatChanged(known.pinned, definition)}`
          : (suspicion ?? (isFirst && count < ITEMS_MAX ? "" : this.#renamedFrom(kind, definition)));
    if (known === undefined && count >= ITEMS_MAX * 2) return false;
    const kept = definition.slice(0, DEFINITION_MAX);
    const pinned = known?.pinned === undefined ? {} : { pinned: known.pinned };
    changed.push(
      why === "" ? { kind, name, pinned: kept, why } : { kind, name, ...pinned, pending: kept, why },
    );
    return why === "";
  }

  #renamedFrom(kind: ItemKind, definition: string): string {
    const bare = withoutName(definition);
    const twin = this.items.find(
      (each) => each.kind === kind && each.pinned !== undefined && withoutName(each.pinned) === bare,
    );
    return twin === undefined ? "new" : `new, and the same as '${twin.name}' but for its name`;
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
      annotations: {
        ...(typeof readOnlyHint === "boolean" ? { readOnlyHint } : {}),
        ...(typeof destructiveHint === "boolean" ? { destructiveHint } : {}),
      },
      description: typeof description === "string" ? description : "",
    };
    this.#tools.set(name, tool);
    return tool;
  }

  /** Why a call of a tool that is not pinned is refused. */
  whyNot(name: string): string {
    const item = this.#items.get(keyOf("tools", name));
    return item?.why ? `the tool waits for review (${item.why})` : "the server has not listed the tool";
  }

  #put(stored: StoredServer): void {
    this.#pins.put(stored);
    this.#stored = stored;
  }
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
