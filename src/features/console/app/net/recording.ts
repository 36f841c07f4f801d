// The lines of a recording, read a piece at a time: a person is asked for the first piece, the rest
// reads on with the ticket that came with it. A recording that lasts is read until it ends.

import { eventOfLine, type RecordedEvent } from "../../../../api/recording-lines.ts";
import { call } from "./call.ts";

/** More than this is for a terminal: the page would hold all of it. */
const MOST_OCTETS = 24 * 1024 * 1024;
const EVERY_MS = 300;

/** How a reading went. */
export interface ReadOn {
  /** Whether the session lasts. */
  readonly isOpen: boolean;
  /** Whether there is more than a page can hold. */
  readonly isCut: boolean;
}

/** A reading of one recording. */
export class RecordingReader {
  readonly #id: string;
  #offset = 0;
  #ticket: string | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  /** Reads all that there is now. */
  async readAll(take: (events: readonly RecordedEvent[]) => void): Promise<ReadOn> {
    for (;;) {
      const from = this.#offset;
      const read =
        this.#ticket === undefined
          ? await call("sessions_read", { id: this.#id, offset: from })
          : await call("sessions_read_on", { ticket: this.#ticket, offset: from });
      this.#ticket = read.ticket;
      this.#offset = read.next_offset;
      const events = read.text
        .split("\n")
        .map(eventOfLine)
        .filter((event) => event !== undefined);
      if (events.length > 0) take(events);
      if (this.#offset === from) return { isOpen: read.is_open, isCut: false };
      if (this.#offset > MOST_OCTETS) return { isOpen: read.is_open, isCut: true };
    }
  }

  /** Reads on until the session is over, or nobody looks any more. */
  async follow(take: (events: readonly RecordedEvent[]) => void, gone: AbortSignal): Promise<ReadOn> {
    for (;;) {
      const read = await this.readAll(take);
      if (!read.isOpen || read.isCut || gone.aborted) return read;
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      if (gone.aborted) return read;
    }
  }
}
