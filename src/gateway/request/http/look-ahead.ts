// The memory that bodies may take while they are looked at and held, all requests together. Octets
// are charged as they arrive, never as they are announced, and one client has a share of them. A
// body that finds no room waits for some; if there is none in time it counts as unread, for that
// reason.

import type { ClientIdentity } from "../../../model/entry.ts";
import { PATIENCE } from "../../stream/patience.ts";
import { Shares } from "../../stream/shares.ts";

/** Enough for sixty bodies of the largest size that is looked at. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A request whose body can be looked at. */
interface Looked {
  /** Length of the body, where it is said in advance. */
  readonly bodyLength: number | undefined;
  readonly client: ClientIdentity | undefined;
  peekBody(limit: number, arrived: Arrived): Promise<Uint8Array | undefined>;
}

/** Told how many octets came; a promise is awaited before more are read, and false ends the looking. */
export type Arrived = (octets: number) => Promise<boolean> | undefined;

interface Waiting {
  readonly client: string;
  readonly octets: number;
  settle(hasRoom: boolean): void;
}

/** The client that a request counts for: its run, its process where that is known, else its user. */
export function payerOf(client: ClientIdentity | undefined): string {
  const { run_id, pid, user } = client ?? {};
  return run_id ?? (pid === undefined ? `user ${user ?? "unknown"}` : `process ${pid}`);
}

/** The room that is left; one per daemon. */
export class LookAhead {
  readonly #shares: Shares;
  readonly #waiting = new Set<Waiting>();

  constructor(limit = MAX_BYTES) {
    this.#shares = new Shares(limit, 0.5);
  }

  /** Octets that are kept at present. */
  get total(): number {
    return this.#shares.total;
  }

  /** Takes room for octets that have come. A promise where there is none: true once there is, false when not in time. */
  take(client: string, octets: number): Promise<boolean> | undefined {
    if (this.#shares.take(client, octets) === undefined) return undefined;
    return new Promise((resolve) => {
      const waiting: Waiting = {
        client,
        octets,
        settle: (hasRoom) => {
          clearTimeout(timer);
          this.#waiting.delete(waiting);
          resolve(hasRoom);
        },
      };
      const timer = setTimeout(() => waiting.settle(false), PATIENCE.roomMs);
      this.#waiting.add(waiting);
    });
  }

  /** Gives the room back, and serves the requests that wait for room. */
  give(client: string, octets: number): void {
    this.#shares.give(client, octets);
    for (const waiting of [...this.#waiting])
      if (this.#shares.take(waiting.client, waiting.octets) === undefined) waiting.settle(true);
  }
}

/**
 * One request's share of the look-ahead memory. It must be released when the body has gone on, or at the
 * request's end.
 */
export class LookAheadShare {
  readonly #room: LookAhead;
  readonly #client: string;
  readonly #seen: Arrived;
  #taken = 0;
  #isReleased = false;
  /** Why `peek` gave nothing, in a clause. */
  problem = "";
  /** That was for want of room: the same request sent again may find some. */
  hadNoRoom = false;

  constructor(room: LookAhead, client: ClientIdentity | undefined) {
    this.#room = room;
    this.#client = payerOf(client);
    this.#seen = (octets) => this.#arrived(octets);
  }

  /** The whole body if it is at most `limit` bytes and there was room for it, else undefined. */
  async peek(request: Looked, limit: number): Promise<Uint8Array | undefined> {
    this.problem = `the body is larger than ${limit} bytes`;
    if ((request.bodyLength ?? 0) > limit) return undefined;
    // Octets of an earlier look are handed out again and cost nothing the second time.
    let free = this.#taken;
    const arrived: Arrived = (octets) => {
      const paid = Math.min(free, octets);
      free -= paid;
      return paid === octets ? undefined : this.#seen(octets - paid);
    };
    return request.peekBody(limit, arrived);
  }

  #arrived(octets: number): Promise<boolean> | undefined {
    const room = this.#room.take(this.#client, octets);
    if (room === undefined) {
      this.#taken += octets;
      return undefined;
    }
    return room.then((hasRoom) => {
      this.hadNoRoom = !hasRoom;
      if (!hasRoom)
        this.problem = "there is no room at present to look at the body: too many are being looked at";
      else if (this.#isReleased) this.#room.give(this.#client, octets);
      else this.#taken += octets;
      return hasRoom;
    });
  }

  release(): void {
    this.#isReleased = true;
    if (this.#taken > 0) this.#room.give(this.#client, this.#taken);
    this.#taken = 0;
  }
}
