// Finds the objects that are deleted together with an object, which no dry run tells: it lists the
// metadata of every kind that the cluster serves, then follows the owners. Bounded by the reader's
// time and by the number of objects; kinds that were not looked at are named.

import { collectionPath, type ObjectPlace } from "../../protocols/kubectl/effect/cluster-path.ts";
import {
  aggregatedKinds,
  DISCOVERY_ACCEPT,
  type Kind,
  listedKinds,
  preferredVersions,
  withoutDoubles,
} from "../../protocols/kubectl/effect/discovery.ts";
import { isFields, textAt, valueAt } from "../../protocols/kubectl/effect/normalise.ts";
import { collect, type Member, memberOf } from "../../protocols/kubectl/effect/owners.ts";
import type { ClusterReader } from "./reader.ts";

/** The objects that would be deleted besides the roots, as far as they are known. */
export interface Cascade {
  readonly removed: readonly Member[];
  readonly keptByOthers: number;
  /** Why there may be more; undefined when all was looked at. */
  readonly incomplete: string | undefined;
}

const METADATA_ACCEPT = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const PAGE = 500;
const OBJECTS_MAX = 20_000;
const AT_ONCE = 8;
/** Written about objects, owned by none; there are many. */
const NOT_COUNTED: ReadonlySet<string> = new Set(["events"]);

/** The root and its own metadata. */
export interface Root {
  readonly place: ObjectPlace;
  readonly uid: string;
  /** The live object. */
  readonly object: unknown;
}

/** Reads the objects that are deleted together with an object. */
export async function readCascade(reader: ClusterReader, root: Root): Promise<Cascade> {
  const { place } = root;
  const scan = new Scan(reader);
  const kinds = await scan.kinds();
  if (place.group === "" && place.resource === "namespaces") {
    const members = await scan.members(
      kinds.filter((each) => each.isNamespaced),
      place.name,
    );
    return scan.result(members, 0);
  }
  const isDefinition =
    place.group === "apiextensions.k8s.io" && place.resource === "customresourcedefinitions";
  const scope = place.namespace === undefined ? undefined : place.namespace;
  const reachable = scope === undefined ? kinds : kinds.filter((each) => each.isNamespaced);
  const members = await scan.members(reachable, scope);
  const defined = isDefinition ? members.filter(({ kind }) => isOf(kind, root.object)) : [];
  const roots = new Set([root.uid, ...defined.map(({ uid }) => uid)]);
  const { removed, keptByOthers } = collect(roots, members);
  return scan.result([...defined, ...removed], keptByOthers);
}

/** Reads the objects that are deleted together with a selection; all are in one namespace, or anywhere. */
export async function readCascadeOf(
  reader: ClusterReader,
  uids: ReadonlySet<string>,
  namespace: string | undefined,
): Promise<Cascade> {
  const scan = new Scan(reader);
  const kinds = await scan.kinds();
  const reachable = namespace === undefined ? kinds : kinds.filter((each) => each.isNamespaced);
  const { removed, keptByOthers } = collect(uids, await scan.members(reachable, namespace));
  return scan.result(removed, keptByOthers);
}

/** The objects that a selection holds; `incomplete` when not all could be read. */
export async function readSelection(
  reader: ClusterReader,
  kind: Kind,
  namespace: string | undefined,
  selectors: string,
): Promise<{ readonly members: readonly Member[]; readonly incomplete: string | undefined }> {
  const scan = new Scan(reader);
  const members = await scan.list(kind, namespace, selectors);
  return { members, incomplete: scan.result([], 0).incomplete };
}

function isOf(kind: Kind, definition: unknown): boolean {
  return (
    kind.group === textAt(definition, "spec", "group") &&
    kind.resource === textAt(definition, "spec", "names", "plural")
  );
}

class Scan {
  readonly #reader: ClusterReader;
  readonly #unread = new Map<string, string[]>();
  #objects = 0;

  constructor(reader: ClusterReader) {
    this.#reader = reader;
  }

  result(removed: readonly Member[], keptByOthers: number): Cascade {
    const reasons = [...this.#unread].map(([why, what]) => {
      const shown = what.slice(0, 6).join(", ");
      return `${shown}${what.length > 6 ? ` and ${what.length - 6} more` : ""} (${why})`;
    });
    const incomplete = reasons.length === 0 ? undefined : `not looked at: ${reasons.join("; ")}`;
    return { removed, keptByOthers, incomplete };
  }

  /** Everything that the cluster serves and the garbage collector knows. */
  async kinds(): Promise<readonly Kind[]> {
    const [core, groups] = await Promise.all([
      this.#document("/api", DISCOVERY_ACCEPT),
      this.#document("/apis", DISCOVERY_ACCEPT),
    ]);
    const [first, others] = [aggregatedKinds(core), aggregatedKinds(groups)];
    if (first !== undefined && others !== undefined) return withoutDoubles([...first, ...others]);
    const paths = ["/api/v1", ...preferredVersions(groups).map((each) => `/apis/${each}`)];
    const lists = await inTurns(paths, AT_ONCE, (path) => this.#document(path, "application/json"));
    return withoutDoubles(lists.flatMap(listedKinds));
  }

  async members(kinds: readonly Kind[], namespace: string | undefined): Promise<Member[]> {
    const counted = kinds.filter(({ resource }) => !NOT_COUNTED.has(resource));
    const lists = await inTurns(counted, AT_ONCE, (kind) => this.list(kind, namespace, ""));
    return lists.flat();
  }

  /** One kind's objects, page by page. */
  async list(kind: Kind, namespace: string | undefined, selectors: string): Promise<Member[]> {
    const members: Member[] = [];
    const path = collectionPath(kind, kind.isNamespaced ? namespace : undefined);
    const chosen = selectors === "" ? "" : `&${selectors}`;
    let next = "";
    do {
      if (this.#objects >= OBJECTS_MAX) {
        this.#miss(kind.resource, `more than ${OBJECTS_MAX} objects`);
        break;
      }
      const more = next === "" ? "" : `&continue=${encodeURIComponent(next)}`;
      const reading = await this.#reader.get(`${path}?limit=${PAGE}${chosen}${more}`, METADATA_ACCEPT);
      // A kind that is gone meanwhile has no objects.
      if (reading.kind === "absent") break;
      if (reading.kind === "failed") {
        this.#miss(kind.resource, reading.status === 403 ? "the cluster forbids the list" : reading.why);
        break;
      }
      const items = valueAt(reading.value, "items");
      for (const item of Array.isArray(items) ? items.filter(isFields) : []) {
        const member = memberOf(kind, item);
        if (member !== undefined) members.push(member);
        this.#objects += 1;
      }
      next = textAt(reading.value, "metadata", "continue");
    } while (next !== "");
    return members;
  }

  async #document(path: string, accept: string): Promise<unknown> {
    const reading = await this.#reader.get(path, accept);
    if (reading.kind === "ok") return reading.value;
    this.#miss(`the list of kinds at ${path}`, reading.kind === "failed" ? reading.why : "it is not there");
    return undefined;
  }

  #miss(what: string, why: string): void {
    const known = this.#unread.get(why);
    if (known === undefined) this.#unread.set(why, [what]);
    else if (!known.includes(what)) known.push(what);
  }
}

/** Runs over a list, a few at once; the results in order. */
async function inTurns<T, R>(list: readonly T[], atOnce: number, run: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < list.length; at = next++) results[at] = await run(list[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, list.length) }, worker));
  return results;
}
