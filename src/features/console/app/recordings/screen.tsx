// The screen of a recording: it is read when somebody wants to see it, because the daemon may ask
// for a person, and played from the beginning; a session that lasts is shown as it goes.

import { useEffect, useRef, useState } from "preact/hooks";
import type { RecordedEvent } from "../../../../api/recording-lines.ts";
import type { SessionReport } from "../../../../api/session-report.ts";
import { RecordingReader } from "../net/recording.ts";
import { Icon } from "../parts/icon.tsx";
import { ActButton } from "../parts/page.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { sayProblem } from "../parts/toast.tsx";
import type { Live, ShownSession } from "./player.ts";

/** The screen, or the button that shows it. */
export function Screen({
  session,
  onOver,
}: {
  readonly session: SessionReport;
  readonly onOver: () => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const shown = useRef<ShownSession | undefined>(undefined);
  const gone = useRef(new AbortController());
  const [isShown, setShown] = useState(false);
  const [notes, setNotes] = useState<readonly string[]>([]);
  useEffect(
    () => () => {
      gone.current.abort();
      shown.current?.dispose();
    },
    [],
  );
  const isLive = session.state === "open";
  const show = async () => {
    const reader = new RecordingReader(session.id);
    const events: RecordedEvent[] = [];
    const first = await reader.readAll((more) => {
      // One at a time: a long recording has more events than a call takes arguments.
      for (const event of more) events.push(event);
    });
    const player = await import("./player.ts");
    if (place.current === null || gone.current.signal.aborted) return;
    setShown(true);
    setNotes(notesOf(session, events, first.isCut));
    if (!isLive) {
      if (hasScreen(events)) shown.current = player.play(place.current, events, session.is_tty);
      return;
    }
    const live: Live = player.followSession(place.current, events, session.is_tty);
    shown.current = live;
    reader
      .follow((more) => live.add(more), gone.current.signal)
      .then(({ isOpen }) => {
        if (!isOpen && !gone.current.signal.aborted) onOver();
      }, sayProblem);
  };
  return (
    <>
      {isShown ? null : (
        <div class="record-start">
          <ActButton class="primary large" act={show}>
            <Icon name="play" /> {isLive ? "Watch it live" : "Play"}
          </ActButton>
        </div>
      )}
      <div ref={place} class={isShown ? "record-screen" : "record-screen is-empty"} />
      {notes.map((note) => (
        <p key={note} class="muted">
          <Safe text={note} />
        </p>
      ))}
    </>
  );
}

function hasScreen(events: readonly RecordedEvent[]): boolean {
  return events.some(({ kind }) => kind === "data");
}

/** Says in words what the screen lacks. */
function notesOf(
  { content, state }: SessionReport,
  events: readonly RecordedEvent[],
  isCut: boolean,
): string[] {
  const notes: string[] = [];
  if (content === "metadata") notes.push("Only sizes and times were kept of this session, not what it said.");
  else if (!hasScreen(events) && state !== "open") notes.push("It printed nothing.");
  if (isCut) notes.push("It is longer than a page can show; the command below plays all of it.");
  for (const event of events) {
    if (notes.length > 40) break;
    if (event.kind === "connect" || event.kind === "disconnect") notes.push(`${event.kind}: ${event.text}`);
    if (event.kind === "problem") notes.push(event.text);
    if (event.kind === "length" && (event.stream === "stdout" || event.stream === "stderr"))
      notes.push(`${event.octets} octets of ${event.stream} were not kept`);
  }
  return [...new Set(notes)];
}
