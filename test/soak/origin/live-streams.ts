// Streams that stay open and are quiet but for an event now and then: watches over both versions of
// HTTP, upgraded connections, tunnels, and connections that are only kept.

import type { HttpClient } from "../client/http.ts";
import { Http1Client } from "../client/http1.ts";
import { Http2Client } from "../client/http2.ts";
import { type ClientSocket, openClient } from "../client/socket.ts";
import { echo, upgrade } from "../client/upgraded.ts";
import type { Scene } from "../scene.ts";

/** One stream and what came of it. */
export interface LiveStream {
  readonly name: string;
  readonly everyMs: number;
  events: number;
  /** Why it is over; undefined while it is not. */
  problem: string | undefined;
}

const NOTHING = Buffer.alloc(0);
const MESSAGE = Buffer.from("a message now and then");
/** Streams of each sort and pace. */
const EACH = 4;

/** All streams of a scene, and the connections under them. */
export class LiveStreams {
  readonly streams: LiveStream[] = [];
  readonly #scene: Scene;
  readonly #clients: { drop(): void }[] = [];
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #kept: { readonly stream: LiveStream; readonly client: HttpClient }[] = [];
  #isClosing = false;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Opens streams of every sort that have an event every so often. */
  async open(everyMs: number): Promise<void> {
    for (let number = 0; number < EACH; number++) {
      await this.#watch("http/1.1", "http1", everyMs, 1);
      await this.#upgrade("websocket", "exec?command=sh", everyMs);
      await this.#upgrade("SPDY/3.1", "portforward", everyMs);
      await this.#tunnel(everyMs);
    }
    await this.#watch("h2", "http2", everyMs, EACH);
    await this.#watch("h2", "http1", everyMs, EACH);
    await this.#watch("http/1.1", "http2", everyMs, 1);
  }

  /** Connections that were used once and are used again after so long. */
  async keep(everyMs: number): Promise<void> {
    for (const [protocol, port] of [
      ["http/1.1", "http1"],
      ["h2", "http2"],
    ] as const) {
      const client = await this.#client(protocol, port);
      const stream = this.#add(`a kept connection of ${protocol}`, everyMs);
      this.#kept.push({ stream, client });
      await this.#ask(client, stream);
      this.#timers.push(setInterval(() => void this.#ask(client, stream), everyMs));
    }
  }

  /** Uses the kept connections once more. */
  async askAgain(): Promise<void> {
    for (const { client, stream } of this.#kept) await this.#ask(client, stream);
  }

  close(): void {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const client of this.#clients) client.drop();
  }

  #add(name: string, everyMs: number): LiveStream {
    const stream: LiveStream = { name, everyMs, events: 0, problem: undefined };
    this.streams.push(stream);
    return stream;
  }

  async #connect(protocol: "h2" | "http/1.1", port: number): Promise<ClientSocket> {
    const { gateway } = this.#scene;
    const socket = await openClient({
      proxyPort: gateway.port,
      authority: `localhost:${port}`,
      caPem: gateway.caPem,
      protocols: [protocol],
    });
    this.#clients.push(socket);
    return socket;
  }

  async #client(protocol: "h2" | "http/1.1", at: "http1" | "http2"): Promise<HttpClient> {
    const port = this.#scene.origin.ports[at];
    const socket = await this.#connect(protocol, port);
    const authority = `localhost:${port}`;
    return protocol === "h2" ? new Http2Client(socket, authority) : new Http1Client(socket, authority);
  }

  /** So many watches, on one connection. */
  async #watch(
    protocol: "h2" | "http/1.1",
    at: "http1" | "http2",
    everyMs: number,
    count: number,
  ): Promise<void> {
    const client = await this.#client(protocol, at);
    for (let number = 0; number < count; number++) {
      const stream = this.#add(`a watch over ${protocol} of ${at}`, everyMs);
      const { reply } = client.send({
        method: "GET",
        target: `/api/v1/namespaces/soak/pods?watch=1&every=${everyMs}`,
        body: NOTHING,
        isChunked: false,
        upTo: "end",
        onBody: () => {
          stream.events += 1;
        },
      });
      void reply.then((whole) => this.#over(stream, whole ? "it ended" : "it broke off"));
    }
  }

  #over(stream: LiveStream, problem: string): void {
    if (!this.#isClosing) stream.problem ??= problem;
  }

  async #upgrade(token: string, what: string, everyMs: number): Promise<void> {
    const { http1 } = this.#scene.origin.ports;
    const socket = await this.#connect("http/1.1", http1);
    const stream = this.#add(token, everyMs);
    const target = `/api/v1/namespaces/sandbox/pods/quiet/${what}`;
    const status = await upgrade(socket, { authority: `localhost:${http1}`, target, token });
    if (status === 101) this.#talk(socket, stream);
    else stream.problem = `answered ${status}`;
  }

  async #tunnel(everyMs: number): Promise<void> {
    const { gateway, origin } = this.#scene;
    const socket = await openClient({
      proxyPort: gateway.port,
      authority: `localhost:${origin.ports.echo}`,
    });
    this.#clients.push(socket);
    this.#talk(socket, this.#add("a tunnel", everyMs));
  }

  /** Says something now and then, which must come back. */
  #talk(socket: ClientSocket, stream: LiveStream): void {
    socket.onClose = () => this.#over(stream, "it was closed");
    const say = async () => {
      const answer = await echo(socket, MESSAGE);
      socket.onClose = () => this.#over(stream, "it was closed");
      if (answer === "same") stream.events += 1;
      else this.#over(stream, `its echo was ${answer}`);
    };
    this.#timers.push(setInterval(() => void say(), stream.everyMs));
  }

  async #ask(client: HttpClient, stream: LiveStream): Promise<void> {
    if (!client.isUsable) return this.#over(stream, "it was closed");
    // Nothing that the ledger knows: the upstream answers with an empty body.
    const target = "/api/v1/namespaces/soak/pods/quiet";
    const reply = await client.send({ method: "GET", target, body: NOTHING, isChunked: false, upTo: "end" })
      .reply;
    if (reply?.status === 200) stream.events += 1;
    else this.#over(stream, `answered ${reply?.status}`);
  }
}
