// The daemon's part of recordings: it writes them, and handles the control methods about them.
// Anyone who reads one leaves a row: it holds an agent's screen.

import type { ControlHandlers } from "../../api/handlers.ts";
import type { DaemonPart, DaemonParts } from "../../gateway/daemon-part.ts";
import type { RecordControl } from "../../gateway/request/records/record-control.ts";
import { ReadingTickets } from "./reading-tickets.ts";
import { Recordings } from "./recordings.ts";

type Methods = "sessions_list" | "sessions_show" | "sessions_read" | "sessions_read_on" | "sessions_end";

/** Starts recording; old recordings are removed beside the start. */
export function startRecording({
  cleanup,
  record,
  paths,
  settings,
  disk,
  recorder,
  log,
}: DaemonParts): DaemonPart {
  const sessions = new Recordings({
    directory: paths.recordings,
    settings: () => settings.current,
    isDiskFull: () => disk.isReserved,
    ended: (ask, id, { seconds, exitCode, octets, problem }) =>
      recorder.sessionEnded(ask, {
        recording: id,
        duration_ms: Math.round(seconds * 1000),
        octets,
        ...(exitCode === undefined ? {} : { exit_code: exitCode }),
        ...(problem === undefined ? {} : { reason: problem }),
      }),
    log: (message, fields) => log.warn(message, fields),
  });
  cleanup.defer(() => sessions.close());
  void sessions.sweep();
  return { contracts: { sessions }, handlers: handlersOf(sessions, record) };
}

function handlersOf(recordings: Recordings, record: RecordControl): Pick<ControlHandlers, Methods> {
  const tickets = new ReadingTickets();
  return {
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
