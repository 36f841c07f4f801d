// The effect of one request: reads through a ClusterReader by a plan, and tells the effect in words
// and fields. Also gives the pin for the release: the same reads are made again before the request
// goes.

import type { EffectReport } from "../../api/effect-report.ts";
import { type Cascade, readCascade, readCascadeOf, readSelection } from "../../gateway/cluster/cascade.ts";
import { digestOfValue } from "../../gateway/cluster/digest-of-value.ts";
import type { ClusterReader, Reading } from "../../gateway/cluster/reader.ts";
import {
  type ObjectPlace,
  objectPath,
  type ServedType,
} from "../../protocols/kubectl/effect/cluster-path.ts";
import { diffObjects, isComparable } from "../../protocols/kubectl/effect/diff.ts";
import {
  isFields,
  normalise,
  type ObjectFields,
  textAt,
  valueAt,
} from "../../protocols/kubectl/effect/normalise.ts";
import type { Member } from "../../protocols/kubectl/effect/owners.ts";
import type { EffectPlan } from "../../protocols/kubectl/effect/plan.ts";
import { sentenceOf } from "../../protocols/kubectl/effect/sentence.ts";
import { localWrite } from "./local-write.ts";

/** The state that must be unchanged when the request goes. */
export type EffectPin =
  | { readonly kind: "fields"; readonly digest: string }
  | {
      readonly kind: "object";
      readonly uid: string;
      readonly resourceVersion: string;
      readonly digest: string;
    }
  | { readonly kind: "set"; readonly digest: string };

/** The shown effect, and the pin that the request must still meet; undefined when it must meet none. */
export interface Preview {
  readonly report: EffectReport;
  readonly pin: EffectPin | undefined;
}

const REMOVED_MAX = 200;
/** Why nothing is compared. */
export const TOO_LARGE = "it has more fields than iddio compares";

/** Looks. `isRelease`: only the pin, without the cascade. */
export async function previewEffect(
  plan: EffectPlan,
  reader: ClusterReader,
  isRelease = false,
): Promise<Preview> {
  switch (plan.kind) {
    case "none":
      return nothing(plan.why);
    case "write":
      return previewWrite(plan, reader);
    case "delete":
      return previewDelete(plan, reader, isRelease);
    case "delete-collection":
      return previewCollection(plan, reader, isRelease);
  }
}

function nothing(why: string): Preview {
  return { report: { state: "none", about: why }, pin: undefined };
}

type WritePlan = Extract<EffectPlan, { kind: "write" }>;

async function previewWrite(plan: WritePlan, reader: ClusterReader): Promise<Preview> {
  const { place, subresource, action } = plan;
  const suffix = subresource === "scale" || subresource === "status" ? `/${subresource}` : "";
  const live = place === undefined ? undefined : await reader.get(`${objectPath(place)}${suffix}`);
  if (live?.kind === "failed") return nothing(`the object could not be read: ${live.why}`);
  if (live?.kind === "absent" && action !== "apply" && action !== "update")
    return nothing(`${describe(plan.type, place)} does not exist; the API server would refuse it`);
  const before = live?.kind === "ok" && isFields(live.value) ? live.value : undefined;
  const notes: string[] = [];
  let after: ObjectFields;
  if (plan.dryRun !== undefined) {
    const answer = await reader.dryRun(plan.dryRun);
    if (answer.kind !== "ok") return refusedDryRun(answer);
    after = isFields(answer.value) ? answer.value : {};
  } else {
    const local = localWrite(action, plan.contentType, plan.body, before);
    if (local === undefined)
      return nothing(`${plan.whyLocal}, and iddio cannot tell its changes from the body`);
    after = local.after;
    notes.push(plan.whyLocal, local.note);
  }
  if (!isComparable(before) || !isComparable(after)) return nothing(TOO_LARGE);
  const options = { keepsStatus: subresource === "status", isNew: before === undefined };
  const compared = [before && normalise(before, options), normalise(after, options)] as const;
  const { changes, more } = diffObjects(...compared);
  const what = describe(plan.type, place, after);
  notes.push(
    ...writeNotes(
      before,
      changes.map(({ path }) => path),
    ),
  );
  const about = sentenceOf({ action, what, exists: before !== undefined }, changes, more);
  return {
    report: {
      state: "shown",
      about,
      changes,
      ...(more === 0 ? {} : { more_changes: more }),
      ...(notes.length === 0 ? {} : { notes }),
      held_to: "if it would change other fields, or to other values, when it is allowed, you are asked again",
    },
    // Compares values, not their shown form: a changed secret counts.
    pin: { kind: "fields", digest: digestOfValue(fieldsThatDiffer(...compared)) },
  };
}

/** The parts of both sides that are not equal, so that what others change elsewhere does not count. */
function fieldsThatDiffer(before: unknown, after: unknown, depth = 0): unknown {
  if (isFields(before) && isFields(after) && depth < 64) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    const parts = [...names].map(
      (name) => [name, fieldsThatDiffer(before[name], after[name], depth + 1)] as const,
    );
    return Object.fromEntries(parts.filter(([, part]) => part !== undefined));
  }
  return digestOfValue([before]) === digestOfValue([after]) ? undefined : [before ?? null, after ?? null];
}

function refusedDryRun(answer: Exclude<Reading, { kind: "ok" }>): Preview {
  if (answer.kind === "absent")
    return nothing("the API server knows nothing at this path; it would refuse the request");
  if (answer.status === 0) return nothing(answer.why);
  const webhook = webhookWithEffects(answer.why);
  if (webhook !== undefined)
    return nothing(
      `${webhook} has effects of its own: the API server neither calls it in a dry run nor makes one, so what the request does is not known`,
    );
  return nothing(`the API server refuses it in a dry run, so it would refuse it: ${answer.why}`);
}

/** The webhook because of which an API server (seen on 1.36.2) refuses a dry run, before it calls anybody. */
function webhookWithEffects(why: string): string | undefined {
  const name = /admission webhook "([^"]{1,200})" does not support dry run/.exec(why)?.[1];
  return name === undefined ? undefined : `the webhook '${name}'`;
}

function writeNotes(before: ObjectFields | undefined, paths: readonly string[]): string[] {
  if (before === undefined || paths.length === 0) return [];
  const owners = valueAt(before, "metadata", "ownerReferences");
  const controller = Array.isArray(owners)
    ? owners.find((each) => valueAt(each, "controller") === true)
    : undefined;
  if (controller === undefined) return [];
  return [`${textAt(controller, "kind")} '${textAt(controller, "name")}' controls it and may change it back`];
}

type DeletePlan = Extract<EffectPlan, { kind: "delete" }>;

async function previewDelete(plan: DeletePlan, reader: ClusterReader, isRelease: boolean): Promise<Preview> {
  const { place, propagation, isEviction } = plan;
  const live = await reader.get(objectPath(place));
  if (live.kind === "failed") return nothing(`the object could not be read: ${live.why}`);
  if (live.kind === "absent")
    return nothing(`${describe(place, place)} does not exist; nothing would be deleted`);
  const object = isFields(live.value) ? live.value : {};
  const uid = textAt(object, "metadata", "uid");
  const resourceVersion = textAt(object, "metadata", "resourceVersion");
  const pin: EffectPin | undefined = isEviction
    ? undefined
    : { kind: "object", uid, resourceVersion, digest: digestOfValue(normalise(object)) };
  if (isRelease) return { report: { state: "shown", about: "" }, pin };
  const notes: string[] = [];
  if (plan.dryRun !== undefined) {
    const answer = await reader.dryRun(plan.dryRun);
    const webhook = answer.kind === "failed" ? webhookWithEffects(answer.why) : undefined;
    if (webhook !== undefined)
      notes.push(
        `${webhook} has effects of its own, which are not shown: the API server does not call it in a dry run`,
      );
    else if (answer.kind === "failed" && answer.status !== 0)
      notes.push(`a dry run was refused: ${answer.why}`);
  }
  const what = describe(place, place, object);
  const cascade = await readCascade(reader, { place, uid, object });
  const isOrphaning = propagation === "Orphan" && place.resource !== "namespaces";
  const self = { kind: kindOf(place, object), ...scoped(place.namespace), name: place.name };
  const gone = isOrphaning ? [] : cascade.removed;
  notes.push(...(await deleteNotes(place, object, gone, reader)));
  if (isOrphaning && cascade.removed.length > 0)
    notes.push(`${count(cascade.removed.length, "dependent object")} would stay, without an owner`);
  const others =
    gone.length === 0
      ? ""
      : ` and ${count(gone.length, "object")} that ${gone.length === 1 ? "depends" : "depend"} on it`;
  return {
    report: {
      state: "shown",
      about: `${isEviction ? "evicts" : "deletes"} ${what}${others}`,
      ...removedOf([self], gone, cascade),
      ...(notes.length === 0 ? {} : { notes }),
      ...(pin === undefined || plan.options === undefined
        ? {}
        : {
            held_to:
              "it is deleted only as this very object; if it was changed or created again, you are asked again",
          }),
    },
    pin: plan.options === undefined ? undefined : pin,
  };
}

function removedOf(
  roots: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[],
  gone: readonly Member[],
  cascade: Pick<Cascade, "incomplete" | "keptByOthers">,
): Partial<EffectReport> {
  const all = [
    ...roots,
    ...gone.map(({ kind, namespace, name }) => ({ kind: kind.kind, ...scoped(namespace), name })),
  ];
  const kinds: Record<string, number> = Object.create(null);
  for (const { kind } of all) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return {
    removed: all.slice(0, REMOVED_MAX),
    removed_total: all.length,
    removed_kinds: { ...kinds },
    ...(cascade.incomplete === undefined ? {} : { incomplete: cascade.incomplete }),
  };
}

async function deleteNotes(
  place: ObjectPlace,
  object: ObjectFields,
  gone: readonly Member[],
  reader: ClusterReader,
): Promise<string[]> {
  const notes: string[] = [];
  const finalizers = valueAt(object, "metadata", "finalizers");
  if (Array.isArray(finalizers) && finalizers.length > 0)
    notes.push(`it goes only when its finalizers have run: ${finalizers.map(String).slice(0, 8).join(", ")}`);
  const held = gone.filter(({ hasFinalizers }) => hasFinalizers).length;
  if (held > 0) notes.push(`${count(held, "object")} of these have finalizers, which may hold them`);
  if (place.group === "" && place.resource === "persistentvolumeclaims")
    notes.push(await volumeNote(object, reader));
  const claims = gone.filter(
    ({ kind }) => kind.group === "" && kind.resource === "persistentvolumeclaims",
  ).length;
  if (claims > 0)
    notes.push(`${count(claims, "claim")} of a volume among them: the data on a reclaimed volume is lost`);
  const owners = valueAt(object, "metadata", "ownerReferences");
  const controller = Array.isArray(owners)
    ? owners.find((each) => valueAt(each, "controller") === true)
    : undefined;
  if (controller !== undefined)
    notes.push(
      `${textAt(controller, "kind")} '${textAt(controller, "name")}' controls it and may make another`,
    );
  return notes;
}

async function volumeNote(claim: ObjectFields, reader: ClusterReader): Promise<string> {
  const name = textAt(claim, "spec", "volumeName");
  if (name === "") return "it has no volume yet";
  const place = { group: "", version: "v1", resource: "persistentvolumes", namespace: undefined, name };
  const volume = await reader.get(objectPath(place));
  if (volume.kind !== "ok") return `what becomes of its volume '${name}' could not be read`;
  const policy = textAt(volume.value, "spec", "persistentVolumeReclaimPolicy");
  return policy === "Retain"
    ? `its volume '${name}' stays (Retain), without a claim`
    : `its volume '${name}' and the data on it are deleted (${policy === "" ? "Delete" : policy}); that cannot be undone`;
}

type CollectionPlan = Extract<EffectPlan, { kind: "delete-collection" }>;

async function previewCollection(
  { type, namespace, selectors, propagation }: CollectionPlan,
  reader: ClusterReader,
  isRelease: boolean,
): Promise<Preview> {
  const kind = { ...type, kind: type.resource, isNamespaced: namespace !== undefined };
  const { members, incomplete } = await readSelection(reader, kind, namespace, selectors);
  if (incomplete !== undefined && members.length === 0) return nothing(incomplete);
  const pin: EffectPin | undefined =
    incomplete === undefined
      ? { kind: "set", digest: digestOfValue(members.map(({ uid }) => uid).sort()) }
      : undefined;
  if (isRelease) return { report: { state: "shown", about: "" }, pin };
  const uids = new Set(members.map(({ uid }) => uid));
  const isOrphaning = propagation === "Orphan";
  const cascade = isOrphaning
    ? { removed: [], keptByOthers: 0, incomplete: undefined }
    : await readCascadeOf(reader, uids, namespace);
  const where = namespace === undefined ? "in every namespace" : `in ${namespace}`;
  const chosen = selectors === "" ? "all" : "those chosen by its selector,";
  const roots = members.map((each) => ({ kind: type.resource, ...scoped(each.namespace), name: each.name }));
  const gone = cascade.removed.filter(({ uid }) => !uids.has(uid));
  const others = gone.length === 0 ? "" : ` and ${count(gone.length, "object")} that depend on them`;
  const missing = [incomplete, cascade.incomplete].filter((each) => each !== undefined).join("; ");
  return {
    report: {
      state: "shown",
      about: `deletes ${type.resource} ${where}: ${chosen} ${members.length} now${others}`,
      ...removedOf(roots, gone, { ...cascade, incomplete: missing === "" ? undefined : missing }),
      ...(pin === undefined
        ? {}
        : { held_to: "if others are chosen when it is allowed, you are asked again" }),
    },
    pin,
  };
}

function scoped(namespace: string | undefined): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

function kindOf(type: ServedType, object: ObjectFields | undefined): string {
  const kind = textAt(object, "kind");
  return kind === "" ? type.resource : kind;
}

/** `Deployment 'api' in payments` */
function describe(type: ServedType, place: ObjectPlace | undefined, object?: ObjectFields): string {
  const isPart = textAt(object, "kind") === "Scale";
  const kind = isPart ? type.resource.replace(/s$/, "") : kindOf(type, object);
  const name = place?.name ?? textAt(object, "metadata", "name");
  const namespace = place?.namespace ?? textAt(object, "metadata", "namespace");
  return `${kind} '${name}'${namespace === "" ? "" : ` in ${namespace}`}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
