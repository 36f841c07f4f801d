// The person's end of a run: listens for the bridge, tells it of signals, and lets connections from
// outside in by `--publish`. The socket is in the run's folder, which only the user can reach and
// the agent cannot see.

import { Channel } from "../../../gateway/stream/channel.ts";
import { relay } from "../../../gateway/stream/relay.ts";
import { TcpStream } from "../../../gateway/stream/tcp-stream.ts";
import { UserError } from "../../../model/user-error.ts";
import { BridgeLineReader, type HostLine } from "./spec.ts";

/** Listens; `using` stops it. */
export class HostEnd implements Disposable {
  #bridge: Channel | undefined;
  /** Lines for a bridge that has not connected yet. */
  #untold: HostLine[] = [];
  #isReady = false;
  readonly #exited = Promise.withResolvers<number>();
  #serial = 0;
  readonly #waiting = new Map<number, Channel>();
  readonly #stops: (() => void)[] = [];
  /** Called when the agent was stopped by Ctrl-Z. */
  onStopped: () => void = () => undefined;

  /** Listens at a path, and on loopback for each published port. Throws UserError when a port is taken. */
  static async listen(path: string, publish: readonly number[]): Promise<HostEnd> {
    const host = new HostEnd();
    const server = Bun.listen({
      unix: path,
      allowHalfOpen: true,
      data: undefined,
      socket: TcpStream.handlers((stream) => void host.#accept(new Channel(stream))),
    });
    host.#stops.push(() => server.stop(true));
    for (const port of publish) host.#publish(port);
    return host;
  }

  /** Whether the sandbox stood and the agent was started. */
  get wasReady(): boolean {
    return this.#isReady;
  }

  /** Resolves with the agent's exit code, should the bridge tell of it. */
  get exited(): Promise<number> {
    return this.#exited.promise;
  }

  /** Tells the bridge, as soon as it is there. */
  send(line: HostLine): void {
    if (this.#bridge === undefined) this.#untold.push(line);
    else this.#bridge.write(new TextEncoder().encode(`${line}\n`));
  }

  /** The first connection is the bridge; each later one carries a connection that we asked for. */
  async #accept(channel: Channel): Promise<void> {
    if (this.#bridge === undefined) {
      this.#bridge = channel;
      for (const line of this.#untold.splice(0)) this.send(line);
      return this.#listen(channel);
    }
    let text = "";
    while (!text.includes("\n") && text.length < 64 && (await channel.readable())) {
      const bytes = channel.read();
      const end = bytes.indexOf(10);
      if (end >= 0 && end + 1 < bytes.length) channel.unread(bytes.subarray(end + 1));
      text += new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end + 1));
    }
    const serial = Number(/^stream (\d+)\n$/.exec(text)?.[1]);
    const outside = this.#waiting.get(serial);
    this.#waiting.delete(serial);
    if (outside === undefined) return channel.destroy();
    await relay(outside, channel);
  }

  async #listen(bridge: Channel): Promise<void> {
    const reader = new BridgeLineReader();
    while (await bridge.readable())
      for (const line of reader.push(bridge.read())) {
        if (line === "ready") this.#isReady = true;
        else if (line === "stopped") this.onStopped();
        else if (/^exited \d+$/.test(line)) this.#exited.resolve(Number(line.slice("exited ".length)));
      }
  }

  #publish(port: number): void {
    try {
      const server = Bun.listen({
        hostname: "127.0.0.1",
        port,
        allowHalfOpen: true,
        data: undefined,
        socket: TcpStream.handlers((stream) => {
          this.#serial += 1;
          this.#waiting.set(this.#serial, new Channel(stream));
          this.send(`open ${this.#serial} ${port}`);
        }),
      });
      this.#stops.push(() => server.stop(true));
    } catch (cause) {
      this[Symbol.dispose]();
      throw new UserError(`port ${port} is in use`, { hint: "publish another port", cause });
    }
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const channel of this.#waiting.values()) channel.destroy();
  }
}
