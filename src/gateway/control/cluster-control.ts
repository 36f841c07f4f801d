// The control methods about recorded sessions and about undo. Anyone who looks into either leaves a row: they hold what an
// agent saw, and what a cluster had.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { UndoEntry, UndoReport } from "../../api/undo-report.ts";
import { ReadingTickets } from "../../features/recording/reading-tickets.ts";
import type { Recordings } from "../../features/recording/recordings.ts";
import { lookAtUndo } from "../../features/undo/look-at-undo.ts";
import type { Undo } from "../../features/undo/undo.ts";
import type { RecordControl } from "./approval-control.ts";

type Methods =
  | "sessions_list"
  | "sessions_show"
  | "sessions_read"
  | "sessions_read_on"
  | "sessions_end"
  | "undo_list"
  | "undo_show"
  | "undo_look"
  | "undo_clear";

/** What the methods are about. */
export interface ClusterParts {
  readonly sessions: Recordings;
  readonly wayBack: Undo;
}

/** Handlers of the methods about sessions and undo. */
export function clusterHandlers(
  { sessions: recordings, wayBack }: ClusterParts,
  record: RecordControl,
): Pick<ControlHandlers, Methods> {
  const tickets = new ReadingTickets();
  return {
    undo_list: async () => ({ entries: (await wayBack.list()).map(undoReportOf) }),
    async undo_show({ id }, caller) {
      const entry = await wayBack.find(id);
      record(caller, "undo show", { undo: entry.id });
      return { entry };
    },
    async undo_look({ id }, caller) {
      const entry = await wayBack.find(id);
      record(caller, "undo show", { undo: entry.id });
      return lookAtUndo(entry, await wayBack.list());
    },
    async undo_clear({ id }, caller) {
      const cleared = await wayBack.clear(id);
      record(caller, "undo clear", { cleared, ...(id === undefined ? {} : { undo: id }) });
      return { cleared };
    },
    sessions_list: async () => ({ sessions: await recordings.list() }),
    sessions_show: async ({ id }) => ({ session: await recordings.find(id) }),
    async sessions_read({ id, offset }, caller) {
      const { id: whole } = await recordings.find(id);
      const read = await recordings.read(whole, offset);
      record(caller, "session read", { recording: whole });
      return { ...read, ticket: tickets.issue(whole, caller) };
    },
    async sessions_read_on({ ticket, offset }, caller) {
      return { ...(await recordings.read(tickets.use(ticket, caller), offset)), ticket };
    },
    async sessions_end({ id }, caller) {
      const ended = await recordings.end(id);
      record(caller, "session end", { recording: ended });
      return { id: ended };
    },
  };
}

function undoReportOf({ images, ...entry }: UndoEntry): UndoReport {
  return { ...entry, objects: images.length };
}
