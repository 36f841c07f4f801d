// The few methods of the control API that an agent in `iddio run` may call, on a connection that
// its bridge handed over. Its programs reach them on the address of their proxy; there is no socket
// of the daemon's in the sandbox. The caller is the run, whatever it claims.

import { answerCall, type CallParts } from "../../../api/server/answer-call.ts";
import type { Channel } from "../../stream/channel.ts";
import { channelDuplex } from "../../stream/channel-duplex.ts";
import type { Run } from "./runs.ts";

/** Calls at once of one run: hooks wait for a person, so there may be several. */
const CALLS_MAX = 32;

/** The calls of all runs; one per daemon. */
export class RunCalls {
  readonly #open = new Map<string, number>();
  #parts: Omit<CallParts, "caller" | "stream"> | undefined;

  /** Names what answers; before that nothing does. */
  answerWith(parts: Omit<CallParts, "caller" | "stream">): void {
    this.#parts = parts;
  }

  /** Answers one call. Resolves when its connection is closed. */
  async serve(channel: Channel, run: Run): Promise<void> {
    const open = this.#open.get(run.id) ?? 0;
    if (this.#parts === undefined || open >= CALLS_MAX) return channel.destroy();
    this.#open.set(run.id, open + 1);
    const duplex = channelDuplex(channel);
    const closed = new Promise<void>((resolve) => duplex.once("close", resolve));
    answerCall(duplex, {
      ...this.#parts,
      caller: () => ({ kind: "run", uid: run.uid, run: run.name, run_id: run.id }),
    });
    await closed;
    const left = (this.#open.get(run.id) ?? 1) - 1;
    if (left > 0) this.#open.set(run.id, left);
    else this.#open.delete(run.id);
  }
}
