// Keeps the objects that a change of a cluster is about to replace or delete: reads them with the
// client's own credentials before the change goes, and again afterwards. Anyone who applies a way
// back does so as a request of its own through iddio; nothing here ever writes to a cluster.

import { randomBytes } from "node:crypto";
import type { UndoEntry, UndoImage } from "../../api/undo-report.ts";
import { readCascade, readSelection } from "../../gateway/cluster/cascade.ts";
import type { HeldRequest } from "../../gateway/cluster/held-effect.ts";
import { ClusterReader, type Reading } from "../../gateway/cluster/reader.ts";
import type { KeptWayBack, WayBackKeeper } from "../../gateway/cluster/way-back.ts";
import { watchedAnswer } from "../../gateway/message/watched-answer.ts";
import type { Ask } from "../../model/ask.ts";
import { UserError } from "../../model/user-error.ts";
import type { Policy } from "../../policy/policy.ts";
import {
  type ObjectPlace,
  objectPath,
  placeOf,
  resourceOf,
} from "../../protocols/kubectl/effect/cluster-path.ts";
import { isFields, type ObjectFields, textAt } from "../../protocols/kubectl/effect/normalise.ts";
import { planEffect } from "../../protocols/kubectl/effect/plan.ts";
import { answeredObject, scaledObject } from "../../protocols/kubectl/undo/answered-object.ts";
import type { Settings } from "../../state/settings/settings.ts";
import { parseDuration } from "../../text/duration.ts";
import type { UndoStore } from "./undo-store.ts";

/** The daemon's parts that undo works with. */
export interface UndoParts {
  readonly store: UndoStore;
  readonly settings: () => Pick<Settings, "undo" | "undo_failure" | "undo_keep" | "undo_secrets">;
  readonly policy: () => Policy;
  readonly isRegistered: (host: string, port: number) => boolean;
  readonly log: (message: string, fields: Record<string, string | number>) => void;
}

const LOOK_MS = 3_000;
const OBJECT_MAX = 256 * 1024;
const ANSWER_MAX = 2 * OBJECT_MAX;
/** An answer's body comes right after its head; a client that left takes none. */
const BODY_MS = 5_000;
const IMAGES_MAX = 500;
const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** Made again by the cluster, or of no use later. */
const NOT_KEPT: ReadonlySet<string> = new Set(["events", "leases", "endpoints", "endpointslices"]);
const SWEEP_EVERY_MS = 60 * 60_000;

const NOTHING = new Uint8Array(0);

type Found = ReturnType<typeof resourceOf>;

/** The undo of one daemon. */
export class Undo implements WayBackKeeper {
  readonly #parts: UndoParts;
  readonly #sweeper = setInterval(() => void this.#sweep(), SWEEP_EVERY_MS).unref();

  constructor(parts: UndoParts) {
    this.#parts = parts;
    void this.#sweep();
  }

  async keep(ask: Ask, request: HeldRequest): Promise<KeptWayBack | string | undefined> {
    const { undo, undo_failure: failure } = this.#parts.settings();
    const { judged } = request;
    const found = resourceOf(judged);
    if (undo === "off" || found === undefined || !WRITES.has(found.info.verb)) return undefined;
    if (!this.#parts.isRegistered(judged.host, judged.port)) return undefined;
    const { subresource } = found.info;
    if (subresource !== undefined && subresource !== "scale") return undefined;
    const isClosed = failure === "closed" || (failure === "sensitive" && ask.operation.tier !== "modify");
    try {
      const entry = await this.#capture(ask, request);
      if (entry === undefined) return undefined;
      await this.#parts.store.put(entry);
      let tell: (body: Uint8Array | undefined) => void = () => {};
      const said = new Promise<Uint8Array | undefined>((resolve) => {
        tell = resolve;
      });
      return {
        id: entry.id,
        answered: (answer) => watchedAnswer(answer, ANSWER_MAX, tell),
        ended: (status) => this.#ended(entry, request, status, said),
      };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#parts.log("the way back of a change is not kept", { request_id: ask.id, reason: why });
      return isClosed
        ? `the replaced object cannot be kept for undo (${why}; the setting undo_failure)`
        : undefined;
    }
  }

  async #capture(ask: Ask, request: HeldRequest): Promise<UndoEntry | undefined> {
    const { judged } = request;
    const found = resourceOf(judged);
    if (found === undefined) return undefined;
    const { info, prefix } = found;
    const place = placeOf(info);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), LOOK_MS);
    try {
      const reader = this.#reader(request, prefix, stop.signal);
      const images: UndoImage[] = [];
      const notes: string[] = [];
      const isDelete = info.verb === "delete" || info.verb === "deletecollection";
      if (info.verb === "deletecollection") await this.#keepSelection(reader, request, images, notes);
      else if (place !== undefined) {
        const image = await this.#image(reader, place, notes);
        if (image !== undefined) {
          images.push(image);
          if (isDelete) await this.#keepInside(reader, place, image, images, notes);
        } else if (isDelete && notes.length === 0) return undefined;
      }
      if (info.verb !== "create" && images.length === 0 && notes.length === 0 && isDelete) return undefined;
      return {
        id: `undo_${randomBytes(4).toString("hex")}`,
        request_id: ask.id,
        created_ms: Date.now(),
        state: "going",
        action: isDelete ? "delete" : place === undefined || images.length === 0 ? "create" : "change",
        command: ask.operation.command,
        host: judged.host,
        port: judged.port,
        ...(ask.subject.client?.user === undefined ? {} : { user: ask.subject.client.user }),
        ...(ask.subject.client?.run === undefined ? {} : { run: ask.subject.client.run }),
        path: place === undefined ? "" : objectPath(place),
        images,
        notes,
      };
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }

  #reader(
    { request, judged, sentTarget, protocols, asker }: HeldRequest,
    prefix: string,
    signal: AbortSignal,
  ): ClusterReader {
    const before = sentTarget.endsWith(judged.target) ? sentTarget.slice(0, -judged.target.length) : "";
    return new ClusterReader({
      ...{ request, judged, protocols, asker, signal },
      sentPrefix: before + prefix,
      policy: this.#parts.policy,
      // Only a person ever sees the saved objects, so it is not judged as the agent's own reading.
      isForUndo: true,
      mayReadSecrets: this.#parts.settings().undo_secrets === "on",
    });
  }

  /** An object as it is; undefined when there is none, or when it is not kept, and then a note says so. */
  async #image(reader: ClusterReader, place: ObjectPlace, notes: string[]): Promise<UndoImage | undefined> {
    const path = objectPath(place);
    const isSecret = place.group === "" && place.resource === "secrets";
    if (isSecret && this.#parts.settings().undo_secrets === "off") {
      notes.push(`the Secret '${place.name}' is not kept (undo_secrets is off)`);
      return undefined;
    }
    const reading: Reading = await reader.get(path);
    if (reading.kind === "absent") return undefined;
    if (reading.kind === "failed") throw new Error(reading.why);
    if (!isFields(reading.value)) throw new Error("the API server's answer is no object");
    if (Buffer.byteLength(JSON.stringify(reading.value)) > OBJECT_MAX) {
      notes.push(`'${place.name}' is larger than 256 KiB and is not kept`);
      return undefined;
    }
    return { path, before: reading.value };
  }

  /** Keeps the objects in a namespace, or those of a custom resource's definition. */
  async #keepInside(
    reader: ClusterReader,
    place: ObjectPlace,
    image: UndoImage,
    images: UndoImage[],
    notes: string[],
  ): Promise<void> {
    if (place.resource !== "namespaces" && place.resource !== "customresourcedefinitions") return;
    const uid = textAt(image.before, "metadata", "uid");
    const { removed, incomplete } = await readCascade(reader, { place, uid, object: image.before });
    if (incomplete !== undefined) notes.push(incomplete);
    const kept = removed.filter(({ kind, isControlled }) => !isControlled && !NOT_KEPT.has(kind.resource));
    if (kept.length > IMAGES_MAX) notes.push(`${kept.length - IMAGES_MAX} objects are not kept: too many`);
    await this.#each(kept.slice(0, IMAGES_MAX), reader, images, notes);
  }

  async #keepSelection(
    reader: ClusterReader,
    { judged }: HeldRequest,
    images: UndoImage[],
    notes: string[],
  ): Promise<void> {
    const plan = planEffect(judged);
    if (plan.kind !== "delete-collection")
      throw new Error(plan.kind === "none" ? plan.why : "it is no selection");
    const kind = { ...plan.type, kind: plan.type.resource, isNamespaced: plan.namespace !== undefined };
    const { members, incomplete } = await readSelection(reader, kind, plan.namespace, plan.selectors);
    if (incomplete !== undefined) throw new Error(incomplete);
    const kept = members.filter(({ isControlled }) => !isControlled);
    if (kept.length > IMAGES_MAX) notes.push(`${kept.length - IMAGES_MAX} objects are not kept: too many`);
    await this.#each(kept.slice(0, IMAGES_MAX), reader, images, notes);
  }

  async #each(
    members: readonly {
      readonly kind: Omit<ObjectPlace, "namespace" | "name">;
      readonly namespace: string | undefined;
      readonly name: string;
    }[],
    reader: ClusterReader,
    images: UndoImage[],
    notes: string[],
  ): Promise<void> {
    let next = 0;
    const worker = async () => {
      for (let at = next++; at < members.length; at = next++) {
        const { kind, namespace, name } = members[at] as (typeof members)[number];
        const { group, version, resource } = kind;
        const image = await this.#image(reader, { group, version, resource, namespace, name }, notes);
        if (image !== undefined) images.push(image);
      }
    };
    await Promise.all(Array.from({ length: Math.min(8, members.length) }, worker));
  }

  /** Stores the objects as the change left them; a later undo compares with these. */
  async #ended(
    entry: UndoEntry,
    request: HeldRequest,
    status: number | undefined,
    body: Promise<Uint8Array | undefined>,
  ): Promise<void> {
    try {
      if (status === undefined || status < 200 || status > 299) {
        await this.#parts.store.clear(entry.id);
        return;
      }
      if (entry.action === "delete") return await this.#parts.store.put({ ...entry, state: "kept" });
      const found = resourceOf(request.judged);
      const before = entry.images[0]?.before;
      const answered = answeredObject((await soon(body)) ?? NOTHING);
      const isScale = found?.info.subresource !== undefined;
      const said = isScale ? scaledObject(found, before, answered) : answered;
      const path = entry.path === "" ? pathOfNew(found, said?.object) : entry.path;
      const read =
        said?.isWhole === true || path === undefined ? undefined : await this.#read(request, found, path);
      // A Secret is not read, but its answer says which one it is.
      const known = read ?? (said?.isWhole === false && isSecret(found) ? said.object : undefined);
      const after = said?.isWhole === true ? said.object : isSame(known, said?.object) ? known : undefined;
      const notes = [...entry.notes];
      if (path === undefined) notes.push("what it made is not known");
      else if (said !== undefined && after !== undefined && versionOf(after) !== versionOf(said.object))
        notes.push("somebody changed it right after, and that is taken back with it");
      const isLeftOut = isSecret(found) && this.#parts.settings().undo_secrets === "off";
      const left = after && (isLeftOut ? identityOf(after) : after);
      const isKnown = path !== undefined && left !== undefined;
      // Of a Secret that is not kept there is nothing to compare, but what was made can be deleted.
      const isKept = isKnown && (left === after || entry.action === "create");
      await this.#parts.store.put({
        ...entry,
        path: path ?? "",
        images: isKept ? [{ path, ...(before === undefined ? {} : { before }), after: left }] : entry.images,
        notes,
        state: "kept",
      });
    } catch (error) {
      this.#parts.log("the way back of a change is not whole", { undo: entry.id, reason: String(error) });
    }
  }

  async #read(request: HeldRequest, found: Found, path: string): Promise<ObjectFields | undefined> {
    const signal = AbortSignal.timeout(LOOK_MS);
    const reading = await this.#reader(request, found?.prefix ?? "", signal).get(path);
    return reading.kind === "ok" && isFields(reading.value) ? reading.value : undefined;
  }

  /** Every way back, newest first. */
  list(): Promise<readonly UndoEntry[]> {
    return this.#parts.store.list();
  }

  /** One by id, bare hex or unique prefix. Throws UserError. */
  async find(idOrPrefix: string): Promise<UndoEntry> {
    const hint = "iddio undo list";
    const wanted = idOrPrefix.toLowerCase().replace(/^undo_/, "");
    if (!/^[0-9a-f]{1,8}$/.test(wanted))
      throw new UserError(`'${idOrPrefix}' is not an undo id`, { hint, exitCode: 2, code: "not-found" });
    const found = (await this.list()).filter(({ id }) => id.startsWith(`undo_${wanted}`));
    const [first, second] = found;
    if (first === undefined)
      throw new UserError(`nothing to undo under '${idOrPrefix}'`, { hint, code: "not-found" });
    if (second !== undefined)
      throw new UserError(`'${idOrPrefix}' matches ${found.length} entries`, { hint, code: "ambiguous" });
    return first;
  }

  /** Forgets one, or all; how many. */
  async clear(idOrPrefix: string | undefined): Promise<number> {
    if (idOrPrefix === undefined) return this.#parts.store.clear();
    return this.#parts.store.clear((await this.find(idOrPrefix)).id);
  }

  async #sweep(): Promise<void> {
    await this.#parts.store.sweep(
      parseDuration(this.#parts.settings().undo_keep) ?? Number.POSITIVE_INFINITY,
    );
  }

  close(): void {
    clearInterval(this.#sweeper);
  }
}

/** Which object it is, and nothing of what is in it. */
function identityOf(object: ObjectFields): ObjectFields {
  const { apiVersion, kind } = object;
  const [name, namespace, uid] = ["name", "namespace", "uid"].map((each) => textAt(object, "metadata", each));
  return { apiVersion, kind, metadata: { name, namespace, uid } };
}

function soon(said: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, BODY_MS).unref());
  return Promise.race([said, late]);
}

/** Whether an object that was read is the one that an answer spoke of, if it spoke of one. */
function isSame(read: ObjectFields | undefined, said: ObjectFields | undefined): boolean {
  return said === undefined || textAt(read, "metadata", "uid") === textAt(said, "metadata", "uid");
}

function isSecret(found: Found): boolean {
  return found?.info.group === "" && found.info.resource === "secrets";
}

function versionOf(object: ObjectFields): string {
  return textAt(object, "metadata", "resourceVersion");
}

/** Where the object of a create is: its answer says how it is called. */
function pathOfNew(found: Found, made: ObjectFields | undefined): string | undefined {
  const name = textAt(made, "metadata", "name");
  if (found === undefined || name === "" || found.info.name !== undefined) return undefined;
  const place = placeOf({ ...found.info, name });
  return place && objectPath(place);
}
