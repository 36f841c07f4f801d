// The methods about what iddio does for Kubernetes beside judging: the effect of a held request,
// recorded sessions. A part of the table in methods.ts. Their replies were read with an agent's
// credentials, so only a person sees it.

import { effectReport } from "../effect-report.ts";
import { method } from "../method.ts";
import { flag, list, number, object, optional, text } from "../schema.ts";
import { sessionReport } from "../session-report.ts";
import { undoEntry, undoLook, undoReport } from "../undo-report.ts";

const piece = object({
  text: text("whole lines"),
  next_offset: number(),
  is_open: flag("whether the session lasts, so that more may come"),
  ticket: text("reads on in this recording without asking again, for a minute after each piece"),
});

const id = object({ id: text("id, its hex digits or a unique beginning") });
const NO_SUCH = { "not-found": "nothing has this id", ambiguous: "several match" };

/** A part of the table. */
export const KUBERNETES_METHODS = {
  approvals_effect: method("read", "POST", "/v1/approvals/effect", {
    about: "the effect of a held request, found without carrying it out",
    isForPerson: true,
    input: id,
    output: object({ effect: effectReport }),
    errors: NO_SUCH,
  }),

  undo_list: method("read", "GET", "/v1/undo", {
    about: "the changes that can be undone, newest first",
    isForPerson: true,
    output: object({ entries: list(undoReport) }),
  }),
  undo_show: method("read", "POST", "/v1/undo/show", {
    about: "one change with its objects as they were and as it left them",
    isForPerson: true,
    input: id,
    output: object({ entry: undoEntry }),
    errors: NO_SUCH,
  }),
  undo_look: method("read", "POST", "/v1/undo/look", {
    about: "the effect of one change, secrets masked, and the later changes of the same objects",
    isForPerson: true,
    input: id,
    output: undoLook,
    errors: NO_SUCH,
  }),
  undo_clear: method("change", "POST", "/v1/undo/clear", {
    about: "forgets the saved objects of one change, or of all",
    input: object({ id: optional(text()) }),
    output: object({ cleared: number() }),
    errors: NO_SUCH,
  }),

  sessions_list: method("read", "GET", "/v1/sessions", {
    about: "the recorded sessions, newest first",
    isForPerson: true,
    output: object({ sessions: list(sessionReport) }),
  }),
  sessions_show: method("read", "POST", "/v1/sessions/show", {
    about: "one recorded session",
    isForPerson: true,
    input: id,
    output: object({ session: sessionReport }),
    errors: NO_SUCH,
  }),
  sessions_read: method("read", "POST", "/v1/sessions/read", {
    about: "whole lines of a recording from an offset on, at most 1 MiB of them",
    isForPerson: true,
    input: object({ id: text(), offset: number() }),
    output: piece,
    errors: NO_SUCH,
  }),
  sessions_read_on: method("read", "POST", "/v1/sessions/read-on", {
    about: "the next lines of a recording, for the person who began reading it",
    input: object({ ticket: text("as `sessions_read` gave it"), offset: number() }),
    output: piece,
    errors: { "no-ticket": "the ticket is not, or no longer, one" },
  }),
  sessions_end: method("change", "POST", "/v1/sessions/end", {
    about: "ends a session that lasts",
    input: id,
    output: object({ id: text() }),
    narrows: { because: "a session that was ended does nothing more" },
    errors: { ...NO_SUCH, ended: "the session is over" },
  }),
} as const;
