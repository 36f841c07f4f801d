// Takes a change back: the steps are found first, tried in a dry run and shown; then they are
// taken. Nothing is done that conflicts with what others did since, unless the person says so.

import type { EffectReport } from "../../api/effect-report.ts";
import type { UndoEntry } from "../../api/undo-report.ts";
import { UserError } from "../../model/user-error.ts";
import { diffObjects } from "../../protocols/kubectl/effect/diff.ts";
import {
  comparableJson,
  normalise,
  type ObjectFields,
  textAt,
} from "../../protocols/kubectl/effect/normalise.ts";
import { inOrder, restored, whyNotRestored } from "../../protocols/kubectl/undo/restore.ts";
import { takeBack } from "../../protocols/kubectl/undo/three-way.ts";
import type { ClusterOfEntry } from "./cluster-of-entry.ts";

/** One step of taking a change back. */
export interface UndoStep {
  readonly about: string;
  readonly effect: EffectReport;
  /** The fields that somebody else has changed since. */
  readonly conflicts: readonly string[];
  /** Does it. `uids`: of owners that were made again so far. */
  run(uids: Map<string, string>): Promise<void>;
}

/** The steps for one entry, each tried in a dry run where that is possible. */
export async function undoSteps(entry: UndoEntry, cluster: ClusterOfEntry): Promise<readonly UndoStep[]> {
  if (entry.action === "delete") return recreate(entry, cluster);
  const [image] = entry.images;
  if (image === undefined)
    throw new UserError(`of '${entry.id}' no object is kept`, {
      hint: entry.notes[0] ?? "it cannot be undone",
    });
  return entry.action === "create" ? remove(image.path, image.after, cluster) : change(image, cluster);
}

async function change(
  { path, before, after }: UndoEntry["images"][number],
  cluster: ClusterOfEntry,
): Promise<readonly UndoStep[]> {
  if (before === undefined)
    throw new UserError("the object before the change is not kept", { hint: "it cannot be undone" });
  const answer = await cluster.get(path);
  if ("absent" in answer) return recreate({ id: "", images: [{ path, before }] }, cluster);
  const live = answer.object;
  const [old, left, now] = [normalise(before), normalise(after ?? live), normalise(live)];
  const { object, conflicts } = takeBack(old, left, now);
  const target = withVersionOf(object, live);
  if (comparableJson(object) === comparableJson(now)) return [];
  const tried = await cluster.replace(`${path}?dryRun=All`, target);
  const { changes, more } = diffObjects(now, normalise(tried));
  const about = `puts back ${changes.length + more} ${changes.length + more === 1 ? "field" : "fields"} of ${nameOf(live)}`;
  return [
    {
      about,
      effect: { state: "shown", about, changes, ...(more === 0 ? {} : { more_changes: more }) },
      conflicts,
      run: async () => void (await cluster.replace(path, target)),
    },
  ];
}

/** A PUT with the live version: anyone who changes it in between makes this a conflict. */
function withVersionOf(object: ObjectFields, live: ObjectFields): ObjectFields {
  const metadata = {
    ...((object.metadata ?? {}) as ObjectFields),
    resourceVersion: textAt(live, "metadata", "resourceVersion"),
    uid: textAt(live, "metadata", "uid"),
  };
  return { ...object, metadata, ...(live.status === undefined ? {} : { status: live.status }) };
}

async function remove(
  path: string,
  made: ObjectFields | undefined,
  cluster: ClusterOfEntry,
): Promise<readonly UndoStep[]> {
  const answer = await cluster.get(path);
  if ("absent" in answer) return [];
  const live = answer.object;
  const uid = textAt(live, "metadata", "uid");
  // An object that is not known to be the one is somebody else's.
  const conflicts = textAt(made, "metadata", "uid") === uid ? [] : ["the object itself"];
  const about = `deletes ${nameOf(live)}, which the change made`;
  return [
    {
      about,
      effect: { state: "shown", about },
      conflicts,
      run: () =>
        cluster.remove(path, {
          kind: "DeleteOptions",
          apiVersion: "v1",
          propagationPolicy: "Background",
          preconditions: { uid, resourceVersion: textAt(live, "metadata", "resourceVersion") },
        }),
    },
  ];
}

async function recreate(
  { images }: Pick<UndoEntry, "id" | "images">,
  cluster: ClusterOfEntry,
): Promise<readonly UndoStep[]> {
  const kept = images.flatMap(({ path, before }) => (before === undefined ? [] : [{ path, object: before }]));
  const isSeveral = kept.length > 1;
  const steps: UndoStep[] = [];
  for (const { path, object } of inOrder(kept)) {
    const what = nameOf(object);
    const why = whyNotRestored(object);
    if (why !== undefined) {
      steps.push({
        about: what,
        effect: { state: "none", about: `${what}: ${why}` },
        conflicts: [],
        run: async () => {},
      });
      continue;
    }
    const answer = isSeveral ? ({ absent: true } as const) : await cluster.get(path);
    if ("object" in answer) {
      const isSame = textAt(answer.object, "metadata", "uid") === textAt(object, "metadata", "uid");
      const about = isSame ? `${what} is still there` : `${what} was made again by somebody else`;
      steps.push({
        about,
        effect: { state: "none", about },
        conflicts: isSame ? [] : [about],
        run: async () => {},
      });
      continue;
    }
    const collection = path.slice(0, path.lastIndexOf("/"));
    const trial = restored(object, new Map());
    // Where its namespace is made again first, a dry run would find none.
    const tried = isSeveral ? trial.object : await cluster.create(`${collection}?dryRun=All`, trial.object);
    const { changes, more } = diffObjects(undefined, normalise(tried, { isNew: true }));
    const about = `makes ${what} again`;
    steps.push({
      about,
      effect: {
        state: "shown",
        about,
        ...(isSeveral ? {} : { changes, ...(more === 0 ? {} : { more_changes: more }) }),
        ...(trial.notes.length === 0 ? {} : { notes: trial.notes }),
      },
      conflicts: [],
      async run(uids) {
        // A controller may have been faster, as in a namespace that was just made again: then it is there already.
        const made = await cluster.createUnlessThere(path, collection, restored(object, uids).object);
        uids.set(textAt(object, "metadata", "uid"), textAt(made, "metadata", "uid"));
      },
    });
  }
  return steps;
}

function nameOf(object: ObjectFields): string {
  const namespace = textAt(object, "metadata", "namespace");
  return `${textAt(object, "kind")} '${textAt(object, "metadata", "name")}'${namespace === "" ? "" : ` in ${namespace}`}`;
}
