// How a client learns what becomes of its tunnel. One that asked by CONNECT is told; a program in
// a run that knows of no proxy never asked iddio, and is told nothing that it could take for its
// server's words.

import { parseAuthority } from "../../wire/http1/connect-request.ts";
import { answerShortly } from "../message/short-answer.ts";
import type { Channel } from "../stream/channel.ts";

const HTTP_PORT = 80;
const ESTABLISHED = new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n");

/** The words to a client about its tunnel. */
export class TunnelAnswers {
  readonly #channel: Channel;
  /** Where it meant to go; undefined when it asked by CONNECT. */
  readonly #caught: string | undefined;
  #isEstablished = false;

  constructor(channel: Channel, caught: string | undefined) {
    this.#channel = channel;
    this.#caught = caught;
  }

  /** From now on the tunnel's bytes are those of the other end. */
  established(): void {
    this.#isEstablished = true;
    if (this.#caught === undefined) this.#channel.write(ESTABLISHED);
  }

  /** Says why there is nothing (more) to be had, to whoever can read it. */
  async refuse(status: number, reason: string): Promise<void> {
    // A client of plain HTTP can read why it was refused; any other sees its connection end.
    const canRead =
      this.#isEstablished || this.#caught === undefined || parseAuthority(this.#caught)?.port === HTTP_PORT;
    if (canRead) await answerShortly(this.#channel, status, reason);
    else this.#channel.destroy();
  }
}
