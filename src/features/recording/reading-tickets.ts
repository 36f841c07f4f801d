// Who may read on in a recording: a person showed presence for its first piece, and the rest of the
// same recording asks nobody again. A ticket is a secret of the reader who began, for that one
// recording, and ends when it is not used.

import { randomBytes } from "node:crypto";
import type { Principal } from "../../api/principal.ts";
import { UserError } from "../../model/user-error.ts";

const LIFE_MS = 60_000;
const TICKETS_MAX = 256;

interface Reading {
  readonly recording: string;
  readonly reader: string;
  untilMs: number;
}

/** The tickets of one daemon; they live in memory. */
export class ReadingTickets {
  readonly #readings = new Map<string, Reading>();
  readonly #steadyMs: () => number;

  /** The clock must not go back. */
  constructor(steadyMs = () => performance.now()) {
    this.#steadyMs = steadyMs;
  }

  /** A ticket for the rest of a recording whose first piece this caller was shown. */
  issue(recording: string, reader: Principal): string {
    const now = this.#steadyMs();
    for (const [each, { untilMs }] of this.#readings) if (untilMs <= now) this.#readings.delete(each);
    const oldest = this.#readings.size >= TICKETS_MAX ? this.#readings.keys().next().value : undefined;
    if (oldest !== undefined) this.#readings.delete(oldest);
    const ticket = randomBytes(16).toString("hex");
    this.#readings.set(ticket, { recording, reader: nameOf(reader), untilMs: now + LIFE_MS });
    return ticket;
  }

  /** The recording that a ticket is for. Throws UserError when it is none of this caller's. */
  use(ticket: string, reader: Principal): string {
    const reading = this.#readings.get(ticket);
    const now = this.#steadyMs();
    if (reading === undefined || reading.untilMs <= now || reading.reader !== nameOf(reader))
      throw new UserError("this reading has ended", {
        hint: "begin it again: iddio session replay <id>",
        code: "no-ticket",
      });
    reading.untilMs = now + LIFE_MS;
    return reading.recording;
  }
}

function nameOf({ kind, uid, session }: Principal): string {
  return [kind, uid ?? "", session ?? ""].join(" ");
}
