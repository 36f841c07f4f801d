// asciinema's player with a recording of ours. A recording is drawn on a canvas by a terminal that
// knows nothing of the page: no link, no title, no clipboard. Loaded when a recording is first
// shown.

import { create, type RecordingEvent, type Source } from "asciinema-player";
import type { RecordedEvent } from "../../../../api/recording-lines.ts";
import { allowTemplates } from "./templates.ts";

/** A player on the page. */
export interface ShownSession {
  dispose(): void;
}

/** A player of a session that lasts. */
export interface Live extends ShownSession {
  add(events: readonly RecordedEvent[]): void;
}

const SIZE = { cols: 80, rows: 24 } as const;
/** Longest wait between two events, as `session replay` has it. */
const IDLE_SECONDS = 2;

const LOOK = { fit: "width", theme: "iddio", autoPlay: true } as const;

/** The player's own interface for sources that it does not know; its types leave it out. */
interface Core {
  dispatch(event: string, data?: unknown): void;
}
interface Driver {
  init(): void;
  play(): boolean;
  getTiming(): object;
}

/** Plays a whole recording, from the beginning. */
export function play(place: HTMLElement, events: readonly RecordedEvent[], isTty: boolean): ShownSession {
  allowTemplates();
  const size = sizeOf(events);
  const list = [...castOf(events, isTty)];
  const recording = { ...size, events: list };
  return create({ data: [], parser: () => recording }, place, {
    ...LOOK,
    ...size,
    idleTimeLimit: IDLE_SECONDS,
    controls: true,
  });
}

/** Shows a session while it lasts; its earlier part is shown at once. */
export function followSession(place: HTMLElement, events: readonly RecordedEvent[], isTty: boolean): Live {
  allowTemplates();
  const size = sizeOf(events);
  const cast = new Cast(isTty);
  let core: Core | undefined;
  const waiting: RecordingEvent[] = [];
  const give = ([, code, data]: RecordingEvent) => {
    if (code === "o") core?.dispatch("output", data);
    else if (code === "r") {
      const [cols, rows] = String(data).split("x").map(Number);
      core?.dispatch("resize", { cols, rows });
    }
  };
  const driver = (own: Core): Driver => ({
    init: () => own.dispatch("reset", { size }),
    play() {
      core = own;
      own.dispatch("play");
      own.dispatch("playing");
      for (const event of waiting.splice(0)) give(event);
      return true;
    },
    getTiming: () => ({ rate: 0 }),
  });
  const player = create(driver as unknown as Source, place, { ...LOOK, ...size, controls: false });
  const add = (more: readonly RecordedEvent[]) => {
    for (const event of more)
      for (const each of cast.take(event))
        if (core === undefined) waiting.push(each);
        else give(each);
  };
  add(events);
  return { add, dispose: () => player.dispose() };
}

function sizeOf(events: readonly RecordedEvent[]): { readonly cols: number; readonly rows: number } {
  const size = events.find((event) => event.kind === "resize");
  return size === undefined ? SIZE : { cols: bounded(size.columns), rows: bounded(size.rows) };
}

/** A recording says how large its terminal was; the page has a say in how large it draws one. */
function bounded(value: number): number {
  return Math.min(400, Math.max(1, Math.floor(value) || 1));
}

function* castOf(events: readonly RecordedEvent[], isTty: boolean): Iterable<RecordingEvent> {
  const cast = new Cast(isTty);
  for (const event of events) yield* cast.take(event);
}

/** Events as the player takes them. A character may be spread over several, so each stream has a decoder of its own. */
class Cast {
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  readonly #isTty: boolean;

  constructor(isTty: boolean) {
    this.#isTty = isTty;
  }

  *take(event: RecordedEvent): Iterable<RecordingEvent> {
    if (event.kind === "resize")
      yield [event.seconds * 1_000, "r", `${bounded(event.columns)}x${bounded(event.rows)}`];
    if (event.kind !== "data" || (event.stream !== "stdout" && event.stream !== "stderr")) return;
    const text = this.#decoders[event.stream].decode(event.bytes, { stream: true });
    // Without a terminal nobody turned a line feed into a new line.
    if (text !== "") yield [event.seconds * 1_000, "o", this.#isTty ? text : text.replace(/\r?\n/g, "\r\n")];
  }
}
