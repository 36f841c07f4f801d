// Describes a change that can be undone for a person: the fields that it changed, secrets masked,
// and later changes through iddio that stand in the way. Pure: the cluster itself is asked when the
// change is taken back.

import type { UndoEntry, UndoLook } from "../../api/undo-report.ts";
import { diffObjects } from "../../protocols/kubectl/effect/diff.ts";
import { normalise } from "../../protocols/kubectl/effect/normalise.ts";
import { takeBack } from "../../protocols/kubectl/undo/three-way.ts";

const FIELDS_MAX = 40;

/** Looks at one entry; `all` are the entries that are kept. */
export function lookAtUndo(entry: UndoEntry, all: readonly UndoEntry[]): UndoLook {
  const { images, ...facts } = entry;
  return {
    entry: { ...facts, objects: images.length },
    objects: images.map(({ path, before, after }) => {
      // Of a change whose end is not known there is nothing to compare with.
      const isHalf = entry.action === "change" && after === undefined;
      const { changes, more } = isHalf
        ? { changes: [], more: 0 }
        : diffObjects(before && normalise(before), after && normalise(after));
      return { path, changes: [...changes], more };
    }),
    since: all.filter((each) => isLater(each, entry)).flatMap((later) => sinceOf(entry, later)),
  };
}

function isLater(one: UndoEntry, than: UndoEntry): boolean {
  return (
    one.id !== than.id &&
    one.created_ms >= than.created_ms &&
    one.host === than.host &&
    one.port === than.port
  );
}

/** Lists the fields that a later change set on the same objects. */
function sinceOf(entry: UndoEntry, later: UndoEntry): UndoLook["since"] {
  return later.images.flatMap(({ path, after: live }) => {
    const own = entry.images.find((image) => image.path === path);
    if (own === undefined) return [];
    const { id, command, created_ms, run, action } = later;
    const what = { id, command, created_ms, path, ...(run === undefined ? {} : { run }) };
    if (action === "delete") return [{ ...what, fields: ["."] }];
    const { before, after } = own;
    if (before === undefined || after === undefined || live === undefined) return [{ ...what, fields: [] }];
    const { conflicts } = takeBack(normalise(before), normalise(after), normalise(live));
    return [{ ...what, fields: conflicts.slice(0, FIELDS_MAX) }];
  });
}
