// Reads operations.tsv, the reviewable table of a vendor's published operations: one operation a
// line, sorted by service and operation. The built program carries the same lines in deflated
// blocks; nothing is inflated before the first question, and only the block of the service that is
// asked for.

import type { TierOrUnknown } from "../model/tier.ts";

/** A method and a path template. */
export interface CatalogueRoute {
  readonly method: string;
  readonly path: string;
}

/** One line of a table. */
export interface CatalogueRow {
  /** The vendor's own group of the operation: an AWS service, a Google host, the first word of a path. */
  readonly service: string;
  readonly operation: string;
  /** `GET /v1/things/*`, each a way to ask for it; empty where a request names the operation itself. */
  readonly routes: readonly CatalogueRoute[];
  /** As the tier rules have it; a test holds the two together. */
  readonly tier: TierOrUnknown;
  /** The scope that the path names, as the policy's label; "" for none. */
  readonly scope: string;
  /** The columns after those, which only some protocols have. */
  readonly more: readonly string[];
}

/** A table as the build packs it: the same lines in deflated blocks, opened one by one. */
export interface PackedTable {
  /** The services of each block, with spaces between them. */
  readonly services: readonly string[];
  /** The lines of a block. */
  open(index: number): string;
}

/** A table, from its text in the checkout or, in the built program, packed. */
export class Catalogue {
  readonly #source: string | PackedTable;
  #blocks: ReadonlyMap<string, () => readonly string[]> | undefined;

  constructor(source: string | PackedTable) {
    this.#source = source;
  }

  /** Every service, sorted. */
  services(): Iterable<string> {
    this.#blocks ??= blocksOf(this.#source);
    return this.#blocks.keys();
  }

  /** The rows of a service, read at each call; none for a service that nobody published. */
  rowsOf(service: string): readonly CatalogueRow[] {
    this.#blocks ??= blocksOf(this.#source);
    const start = `${service}\t`;
    const lines = this.#blocks.get(service)?.() ?? [];
    return lines.filter((line) => line.startsWith(start)).map(readRow);
  }

  /** Every row. */
  rows(): readonly CatalogueRow[] {
    this.#blocks ??= blocksOf(this.#source);
    return [...new Set(this.#blocks.values())].flatMap((open) => open().map(readRow));
  }
}

/** Maps each service to the function that opens its block; in plain text every service is a block. */
function blocksOf(source: string | PackedTable): ReadonlyMap<string, () => readonly string[]> {
  const blocks = new Map<string, () => readonly string[]>();
  if (typeof source !== "string") {
    for (const [index, services] of source.services.entries()) {
      const open = () => source.open(index).split("\n");
      for (const service of services.split(" ")) blocks.set(service, open);
    }
    return blocks;
  }
  for (const [service, lines] of servicesOf(source)) blocks.set(service, () => lines);
  return blocks;
}

/** The lines of each service, in the order of the text. */
export function servicesOf(text: string): ReadonlyMap<string, readonly string[]> {
  const services = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const service = line.slice(0, line.indexOf("\t"));
    const known = services.get(service);
    if (known === undefined) services.set(service, [line]);
    else known.push(line);
  }
  return services;
}

function readRow(line: string): CatalogueRow {
  const [service = "", operation = "", routes = "", tier = "", scope = "", ...more] = line.split("\t");
  return {
    service,
    operation,
    // Most questions about a whole table are about names and tiers.
    get routes() {
      return readRoutes(routes);
    },
    tier: tier as TierOrUnknown,
    scope,
    more,
  };
}

function readRoutes(text: string): readonly CatalogueRoute[] {
  if (text === "") return [];
  return text.split(", ").map((route) => {
    const space = route.indexOf(" ");
    return { method: route.slice(0, space), path: route.slice(space + 1) };
  });
}
