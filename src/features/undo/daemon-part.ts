// The daemon's part of undo: it keeps objects before they change, and handles the control methods
// about them. Anyone who looks into one leaves a row: it holds a cluster's objects.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { UndoEntry, UndoReport } from "../../api/undo-report.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { lookAtUndo } from "./look-at-undo.ts";
import { Undo } from "./undo.ts";
import { UndoStore } from "./undo-store.ts";

type Methods = "undo_list" | "undo_show" | "undo_look" | "undo_clear";

/** Starts keeping. */
export function startUndo({
  cleanup,
  record,
  paths,
  settings,
  policy,
  upstreams,
  log,
}: DaemonParts): DaemonPart {
  const wayBack = new Undo({
    store: new UndoStore(paths.undo, paths.undoKey),
    settings: () => settings.current,
    policy: () => policy.current,
    isRegistered: (host, port) => upstreams.get(host, port) !== undefined,
    log: (message, fields) => log.warn(message, fields),
  });
  cleanup.defer(() => wayBack.close());
  return { contracts: { wayBack }, handlers: handlersOf(wayBack, record) };
}

function handlersOf(wayBack: Undo, record: RecordControl): Pick<ControlHandlers, Methods> {
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
  };
}

function undoReportOf({ images, ...entry }: UndoEntry): UndoReport {
  return { ...entry, objects: images.length };
}
