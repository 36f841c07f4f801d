// The saved objects of a change that can be undone, and the replies of the methods about them.
// Objects may hold secrets: only a person is told, and anyone who prints them masks them.

import { effectChange } from "./effect-report.ts";
import { anything, list, map, number, object, optional, text, type Value, words } from "./schema.ts";

const image = object({
  path: text("of the object in the API"),
  before: optional(map(anything(), "the object before the change")),
  after: optional(map(anything(), "the object as the change left it")),
});

/** One change that may be undone, with its objects. */
export const undoEntry = object({
  id: text("`undo_` and eight hex digits"),
  request_id: text("of the row in the audit log"),
  created_ms: number(),
  state: words(["going", "kept"], "going: how the change ended is not known"),
  action: words(["create", "change", "delete"]),
  command: text(),
  host: text(),
  port: number(),
  user: optional(text()),
  run: optional(text()),
  path: text('of the object; "" where the change is about several'),
  images: list(image),
  notes: list(text(), "the objects that are not kept, and why"),
});
/** One change that may be undone, with its objects. */
export type UndoEntry = Value<typeof undoEntry>;
/** One object. */
export type UndoImage = Value<typeof image>;

/** The same without the objects. */
export const undoReport = object({
  id: text(),
  request_id: text(),
  created_ms: number(),
  state: words(["going", "kept"]),
  action: words(["create", "change", "delete"]),
  command: text(),
  host: text(),
  port: number(),
  user: optional(text()),
  run: optional(text()),
  path: text(),
  objects: number("how many objects are kept"),
  notes: list(text()),
});
/** The same without the objects. */
export type UndoReport = Value<typeof undoReport>;

/** One change as a person sees it. */
export const undoLook = object({
  entry: undoReport,
  objects: list(
    object({
      path: text("of the object in the API"),
      changes: list(effectChange, "fields that the change changed"),
      more: number("how many more fields it changed"),
    }),
  ),
  since: list(
    object({
      id: text("of the later change"),
      command: text(),
      created_ms: number(),
      run: optional(text()),
      path: text(),
      fields: list(text(), "fields that both changed; '.' is the object itself, none means other fields"),
    }),
    "what went through iddio to the same objects afterwards",
  ),
});
/** One change as a person sees it. */
export type UndoLook = Value<typeof undoLook>;
