// A client of the proxy that sends exactly the bytes it is given: what real clients never
// send and attackers do.

import net from "node:net";
import tls from "node:tls";

/**
 * How long something may take to come. Less than a test's own limit: the runner ends every process of a file whose
 * test ran out of time, and with it the gateway that its other tests share.
 */
const PATIENCE_MS = 100_000;

/** A connection on which a test writes and reads bytes. */
export class RawClient implements Disposable {
  readonly socket: net.Socket;
  #received = "";
  #isClosed = false;
  #wake: (() => void)[] = [];

  constructor(socket: net.Socket) {
    this.socket = socket;
    const wake = () => {
      const waiting = this.#wake;
      this.#wake = [];
      for (const each of waiting) each();
    };
    socket.on("data", (bytes: Buffer) => {
      this.#received += bytes.toString("latin1");
      wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      wake();
    });
    socket.on("end", () => {
      this.#isClosed = true;
      wake();
    });
  }

  /** Everything received, in latin1. */
  get received(): string {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(bytes: string): void {
    this.socket.write(Buffer.from(bytes, "latin1"));
  }

  /**
   * Resolves with everything received once it contains `text`, `count` times; rejects when the connection ends first,
   * and after a hundred seconds.
   */
  async until(text: string, count = 1): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    let [found, at] = [0, 0];
    for (;;) {
      // From where it was found last: what came before is megabytes in some tests.
      for (let next = this.#received.indexOf(text, at); next >= 0; next = this.#received.indexOf(text, at)) {
        found += 1;
        at = next + text.length;
      }
      if (found >= count) return this.#received;
      if (this.#isClosed)
        throw new Error(`closed before '${text}' came; got: ${JSON.stringify(this.#received)}`);
      await this.#more(deadline, `'${text}'`);
    }
  }

  /** Resolves with everything received once the peer has closed; rejects after a hundred seconds. */
  async closed(): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.#isClosed) await this.#more(deadline, "the end");
    return this.#received;
  }

  #more(deadline: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () =>
        reject(new Error(`${what} did not come; got: ${JSON.stringify(this.#received.slice(-2_000))}`));
      const timer = setTimeout(late, deadline - Date.now());
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A bare connection to the proxy. */
export async function connectRaw(proxyPort: number): Promise<RawClient> {
  const socket = net.connect(proxyPort, "127.0.0.1");
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return new RawClient(socket);
}

/** Sends CONNECT and resolves with the connection and the proxy's answer. */
export async function connectTunnel(
  proxyPort: number,
  target: string,
  fields = "",
): Promise<{ readonly client: RawClient; readonly answer: string }> {
  const client = await connectRaw(proxyPort);
  client.send(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${fields}\r\n`);
  const answer = await client.until("\r\n\r\n");
  return { client, answer };
}

/** A TLS connection through a tunnel, trusting `ca`. Rejects when the handshake fails. */
export async function connectTls(
  proxyPort: number,
  target: string,
  options: { readonly ca: string; readonly serverName?: string; readonly fields?: string },
): Promise<RawClient & { readonly socket: tls.TLSSocket }> {
  const { client, answer } = await connectTunnel(proxyPort, target, options.fields);
  if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`the proxy answered ${answer}`);
  client.socket.removeAllListeners("data");
  const socket = tls.connect({
    socket: client.socket,
    ca: [options.ca],
    ALPNProtocols: ["http/1.1"],
    checkServerIdentity: () => undefined,
    ...(options.serverName === undefined ? {} : { servername: options.serverName }),
  });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return new RawClient(socket) as RawClient & { readonly socket: tls.TLSSocket };
}
