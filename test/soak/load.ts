// The clients of the soak: connections of every sort, one after the other on so many lanes, until
// enough requests and connections have been. What each saw goes into the ledger; the faults that it
// met are kept with their times.

import { Chance } from "./chance.ts";
import type { HttpClient, Reply, Sent } from "./client/http.ts";
import { Http1Client } from "./client/http1.ts";
import { Http2Client } from "./client/http2.ts";
import { type ClientSocket, openClient, type Route } from "./client/socket.ts";
import { echo, upgrade } from "./client/upgraded.ts";
import { KINDS, type Kind, kindOf, replyBody, requestBody, targetOf, UPGRADES } from "./kinds.ts";
import { type LedgerPlace, openLedger, SEEN } from "./ledger.ts";

/** The orders of a load. */
export interface LoadOrder {
  readonly ledger: LedgerPlace;
  readonly proxyPort: number;
  readonly caPem: string;
  readonly ports: { readonly http1: number; readonly http2: number; readonly echo: number };
  readonly requests: number;
  readonly connections: number;
  /** Connections at the same time. */
  readonly lanes: number;
  readonly seed: number;
}

/** Something that went wrong for a client, and when (milliseconds since 1970). */
export interface Fault {
  readonly at: number;
  readonly what: string;
}

/** How far the load is, and at its end what it did. */
export interface LoadProgress {
  readonly requests: number;
  readonly connections: number;
  /** Tunnels opened, and those whose echo was as it should be. */
  readonly tunnels: number;
  readonly echoedTunnels: number;
  readonly faults: readonly Fault[];
}

type Sort = "http1" | "http2" | "upgrade" | "tunnel" | "silent";

/** How often a connection is of each sort. */
const SORTS: readonly (readonly [Sort, number])[] = [
  ["http1", 45],
  ["http2", 20],
  ["upgrade", 8],
  ["tunnel", 24],
  ["silent", 3],
];
const REQUESTING = (45 + 20) / 100;
const STUCK_MS = 30_000;

/** One run of the load. */
export class Load {
  readonly #order: LoadOrder;
  readonly #ledger;
  readonly #chance: Chance;
  readonly #shares = KINDS.map(({ share }) => share);
  readonly #faults: Fault[] = [];
  readonly #underWay = new Map<number, { readonly since: number; readonly client: HttpClient }>();
  #requests = 0;
  #connections = 0;
  #tunnels = 0;
  #echoedTunnels = 0;

  constructor(order: LoadOrder) {
    this.#order = order;
    this.#ledger = openLedger(order.ledger);
    this.#chance = new Chance(order.seed);
  }

  get progress(): LoadProgress {
    return {
      requests: this.#requests,
      connections: this.#connections,
      tunnels: this.#tunnels,
      echoedTunnels: this.#echoedTunnels,
      faults: this.#faults,
    };
  }

  async run(): Promise<LoadProgress> {
    const watch = setInterval(() => this.#dropStuck(), 2_000);
    const lane = async () => {
      while (!this.#isDone) await this.#connect(this.#nextSort());
    };
    await Promise.all(Array.from({ length: this.#order.lanes }, lane));
    clearInterval(watch);
    return this.progress;
  }

  get #isDone(): boolean {
    return this.#requests >= this.#order.requests && this.#connections >= this.#order.connections;
  }

  #nextSort(): Sort {
    if (this.#requests >= this.#order.requests) return "tunnel";
    return SORTS[this.#chance.among(SORTS.map(([, share]) => share))]?.[0] ?? "http1";
  }

  /** One connection, from its opening to its end. */
  async #connect(sort: Sort): Promise<void> {
    this.#connections += 1;
    try {
      if (sort === "tunnel") await this.#tunnel();
      else if (sort === "silent") await this.#silent();
      else if (sort === "upgrade") await this.#upgrade();
      else await this.#requestSome(sort);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const isUnreached = sort === "tunnel" && why.includes("answered HTTP/1.1 502");
      this.#fault(isUnreached ? "a tunnel was answered with 502" : `no connection (${sort}): ${why}`);
      // The system refuses when it is out of something; not a reason to spin.
      await Bun.sleep(20);
    }
  }

  #open(sort: "http1" | "http2", port: number): Promise<ClientSocket> {
    // Half of what speaks HTTP/2 leaves the gateway a choice.
    const both = this.#chance.happens(0.5) ? ["h2", "http/1.1"] : ["h2"];
    return openClient(this.#route(port, sort === "http1" ? ["http/1.1"] : both));
  }

  #route(port: number, protocols?: readonly string[]): Route {
    const { proxyPort, caPem } = this.#order;
    const authority = `localhost:${port}`;
    return protocols ? { proxyPort, authority, caPem, protocols } : { proxyPort, authority };
  }

  /** Most go where their own version is spoken, some to the other, so that it is translated. */
  #portFor(sort: "http1" | "http2"): number {
    const { http1, http2 } = this.#order.ports;
    return (sort === "http1") === this.#chance.happens(0.85) ? http1 : http2;
  }

  async #requestSome(sort: "http1" | "http2"): Promise<void> {
    const port = this.#portFor(sort);
    const socket = await this.#open(sort, port);
    const authority = `localhost:${port}`;
    const isHttp2 = socket.protocol === "h2";
    const client = isHttp2 ? new Http2Client(socket, authority) : new Http1Client(socket, authority);
    let left = this.#quota();
    const some = async () => {
      while (left > 0 && client.isUsable && this.#requests < this.#order.requests) {
        left -= 1;
        await this.#request(client, isHttp2);
      }
    };
    const width = isHttp2 ? 1 + this.#chance.below(24) : 1;
    const all = Promise.all(Array.from({ length: width }, some));
    // Now and then a client goes away with everything under way.
    if (this.#chance.happens(0.02)) {
      await Bun.sleep(this.#chance.below(30));
      left = 0;
      this.#abandon(client);
    }
    await all;
    if (this.#chance.happens(0.8)) client.end();
    else client.drop();
  }

  #abandon(client: HttpClient): void {
    for (const [id, { client: owner }] of this.#underWay)
      if (owner === client) this.#ledger.seen[id] = SEEN.left;
    client.drop();
  }

  /** Requests for one connection, so that both goals are reached together. */
  #quota(): number {
    const connections = Math.max(1, this.#order.connections - this.#connections) * REQUESTING;
    const mean = Math.max(1, (this.#order.requests - this.#requests) / connections);
    return 1 + Math.floor(this.#chance.next() * 2 * Math.min(mean, 200));
  }

  async #request(client: HttpClient, isHttp2: boolean): Promise<void> {
    const byte = this.#chance.among(this.#shares) + 1;
    const kind = kindOf(byte);
    // Half a head is half a connection's; a stream has none.
    if (kind === undefined || (isHttp2 && kind.leaves === "mid-head")) return;
    const id = this.#begin(byte);
    const sent = client.send({
      method: kind.method,
      target: targetOf(kind, id),
      body: requestBody(kind, id),
      isChunked: kind.isChunked === true,
      upTo: kind.leaves === "mid-head" || kind.leaves === "mid-body" ? kind.leaves : "end",
    });
    this.#underWay.set(id, { since: performance.now(), client });
    if (kind.leaves !== undefined) {
      await this.#pauseUntilLeaving(id, kind, sent);
      this.#underWay.delete(id);
      if (this.#ledger.seen[id] === SEEN.nothing) this.#ledger.seen[id] = SEEN.left;
      sent.leave();
      return;
    }
    const reply = await sent.reply;
    this.#underWay.delete(id);
    this.#saw(id, seenIn(kind, id, reply), reply);
  }

  #begin(byte: number): number {
    this.#requests += 1;
    const id = this.#requests;
    this.#ledger.kinds[id] = byte;
    this.#ledger.seen[id] = SEEN.nothing;
    return id;
  }

  async #pauseUntilLeaving(id: number, { leaves, ends }: Kind, sent: Sent): Promise<void> {
    if (leaves === "mid-reply") await sent.begun;
    else if (ends === "undecided") await Bun.sleep(this.#chance.below(50));
    else if (leaves === "held") await this.#heldOrOver(id);
    else if (this.#chance.happens(0.7)) await Bun.sleep(this.#chance.below(10));
  }

  /** Until the approver has seen it, or the client is gone already. */
  async #heldOrOver(id: number): Promise<void> {
    while (this.#ledger.seen[id] === SEEN.nothing) await Bun.sleep(5);
  }

  #saw(id: number, seen: number, reply: Reply | undefined): void {
    // A request that this side gave up is noted already.
    if (this.#ledger.seen[id] !== SEEN.nothing) return;
    this.#ledger.seen[id] = seen;
    if (seen === SEEN.broken) this.#fault(`a reply broke off (request ${id})`);
    else if (seen === SEEN.failed)
      this.#fault(`a reply of 502 (request ${id}: ${reply?.body.toString("latin1", 0, 300)})`);
    else if (seen >= SEEN.foreign)
      this.#fault(`request ${id}: ${reply?.status} ${reply?.body.toString("latin1", 0, 200)}`);
  }

  #dropStuck(): void {
    const oldest = performance.now() - STUCK_MS;
    for (const [id, { since, client }] of this.#underWay) {
      if (since > oldest) continue;
      this.#ledger.seen[id] = SEEN.stuck;
      this.#fault(`request ${id} got no answer`);
      client.drop();
    }
  }

  async #upgrade(): Promise<void> {
    const byte = UPGRADES[this.#chance.below(UPGRADES.length)] ?? 0;
    const kind = kindOf(byte);
    if (kind?.upgrade === undefined) return;
    const { http1 } = this.#order.ports;
    const socket = await this.#open("http1", http1);
    const id = this.#begin(byte);
    const authority = `localhost:${http1}`;
    const status = await upgrade(socket, { authority, target: targetOf(kind, id), token: kind.upgrade });
    if (status === 101) {
      const answer = await echo(socket, Buffer.alloc(1 + this.#chance.below(60_000), `${id} `));
      const seen = { same: SEEN.served, foreign: SEEN.foreign, broken: SEEN.broken }[answer];
      this.#saw(id, seen, undefined);
    } else {
      const seen = status === undefined ? SEEN.broken : status === 502 ? SEEN.failed : SEEN.strange;
      this.#saw(id, seen, status === undefined ? undefined : { status, body: Buffer.alloc(0) });
    }
    if (this.#chance.happens(0.5)) socket.end();
    else socket.drop();
  }

  async #tunnel(): Promise<void> {
    const number = ++this.#tunnels;
    const socket = await openClient(this.#route(this.#order.ports.echo));
    for (let round = 0; round <= this.#chance.below(3); round++) {
      const answer = await echo(socket, Buffer.alloc(1 + this.#chance.below(20_000), `tunnel ${number} `));
      if (answer === "foreign") this.#fault(`tunnel ${number} brought something else`);
      if (answer === "broken") this.#fault("a tunnel broke off");
      if (answer !== "same") return socket.drop();
    }
    this.#echoedTunnels += 1;
    if (this.#chance.happens(0.7)) socket.end();
    else socket.drop();
  }

  /** A connection that ends before its first request. */
  async #silent(): Promise<void> {
    const socket = await this.#open(this.#chance.happens(0.5) ? "http1" : "http2", this.#order.ports.http1);
    if (this.#chance.happens(0.5)) await Bun.sleep(this.#chance.below(20));
    if (this.#chance.happens(0.5)) socket.end();
    else socket.drop();
  }

  #fault(what: string): void {
    if (this.#faults.length < 100_000) this.#faults.push({ at: Date.now(), what });
  }
}

function seenIn(kind: Kind, id: number, reply: Reply | undefined): number {
  if (reply === undefined) return SEEN.broken;
  if (reply.status === 403) return SEEN.refused;
  if (reply.status === 502) return SEEN.failed;
  if (reply.status !== 200) return SEEN.strange;
  const expected = replyBody(kind, id);
  if (reply.body.equals(expected)) return SEEN.served;
  const start = expected.subarray(0, reply.body.length);
  return reply.body.length < expected.length && reply.body.equals(start) ? SEEN.deceptive : SEEN.foreign;
}
