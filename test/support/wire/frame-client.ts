// An HTTP/2 client of the gateway that sends exactly the frames it is given, through a tunnel and
// TLS.

import tls from "node:tls";
import { FLAGS, join, numberIn, type ReadFrame, readFrames, TYPE } from "./http2-frames.ts";
import { connectTunnel } from "./proxy-client.ts";

/** Frames as they come from the gateway. */
export class FrameClient implements Disposable {
  readonly frames: ReadFrame[] = [];
  isClosed = false;
  readonly #socket: tls.TLSSocket;
  #rest: Uint8Array = new Uint8Array(0);
  #wake: () => void = () => {};

  constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("error", () => {});
    for (const event of ["end", "close"])
      socket.on(event, () => {
        this.isClosed = true;
        this.#wake();
      });
  }

  #receive(bytes: Uint8Array): void {
    const all = Buffer.from(join(this.#rest, bytes));
    let end = 0;
    while (end + 9 <= all.length && end + 9 + all.readUIntBE(end, 3) <= all.length)
      end += 9 + all.readUIntBE(end, 3);
    this.frames.push(...readFrames(all.subarray(0, end)));
    this.#rest = new Uint8Array(all.subarray(end));
    this.#wake();
  }

  send(...parts: readonly Uint8Array[]): void {
    this.#socket.write(join(...parts));
  }

  /** Resolves when this holds, or the connection is over. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds() && !this.isClosed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  /** The numbers in the frames of this type and stream. */
  codes(type: number, at: number, streamId = 0): number[] {
    return this.frames
      .filter((sent) => sent.type === type && sent.streamId === streamId)
      .map(({ payload }) => numberIn(payload, at));
  }

  /** The streams whose answers have ended. */
  get answered(): number[] {
    return this.frames
      .filter(({ type, flags }) => (type === TYPE.DATA || type === TYPE.HEADERS) && (flags & FLAGS.END) !== 0)
      .map(({ streamId }) => streamId);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** Connects to a port of localhost that is inspected and settles on HTTP/2; sends nothing yet. */
export async function connectFrames(
  daemon: { readonly port: number; readonly caPem: string },
  port: number,
): Promise<FrameClient> {
  const { client } = await connectTunnel(daemon.port, `localhost:${port}`);
  client.socket.removeAllListeners("data");
  const socket = tls.connect({
    socket: client.socket,
    ca: [daemon.caPem],
    servername: "localhost",
    ALPNProtocols: ["h2"],
  });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return new FrameClient(socket);
}
