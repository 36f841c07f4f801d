// One judged request of a client over HTTP while nobody has decided: what the client hears
// meanwhile, and how it takes the request back. Two ways lead here, a local address and an
// inspected host; both answer with the same words.

import type { Ending } from "../../../gateway/request/stages/stage.ts";
import {
  givesUpByClock,
  heldAnswer,
  progressTokenOf,
  statelessVersion,
  waitingWord,
} from "../../../protocols/mcp/era.ts";
import { refusalAnswer } from "../../../protocols/mcp/refusal.ts";
import { serialiseEvent } from "../../../wire/jsonrpc/event-stream.ts";
import type { JsonObject, RequestMessage } from "../../../wire/jsonrpc/message.ts";
import type { McpSession, Waiting } from "../judge/session.ts";
import { parkAfterMs, type RelayPatience } from "../stdio/patience.ts";
import { exactOf } from "../stdio/relay.ts";

/** A judgement that is here by then is answered without a stream. */
const AT_ONCE_MS = 300;

/** The end of a wait: the request may go on, and `ended` is told how; or this is its answer. */
export type CallVerdict =
  | { readonly kind: "go"; ended(ending?: Ending): void }
  | { readonly kind: "answer"; readonly text: string };

/** A request that is judged. */
export class HeldCall {
  readonly verdict: Promise<CallVerdict>;
  readonly #message: RequestMessage;
  readonly #waiting: Waiting;
  readonly #settle: (verdict: CallVerdict) => void;

  /** `sent`: the text that the server gets if it may go on. */
  constructor(session: McpSession, message: RequestMessage, sent: string) {
    const { id, method, params } = message;
    const { promise, resolve } = Promise.withResolvers<CallVerdict>();
    this.verdict = promise;
    this.#message = message;
    this.#settle = resolve;
    const isStateless = statelessVersion(params) !== undefined;
    this.#waiting = session.judge(
      { method, params, ...exactOf(sent) },
      {
        go: (ended) => resolve({ kind: "go", ended }),
        refuse: (refusal) =>
          resolve({ kind: "answer", text: refusalAnswer(id, method, refusal, { isStateless }) }),
      },
    );
  }

  get id(): RequestMessage["id"] {
    return this.#message.id;
  }

  /** The client does not want it any more. */
  leave(): void {
    this.#waiting.leave();
  }

  /** The client is told to come again; the question stays. */
  park(): void {
    const parked = this.#waiting.park();
    if (parked !== undefined) this.#settle({ kind: "answer", text: heldAnswer(this.#message, parked) });
  }

  /** The verdict, if it needs no time to speak of. */
  async early(): Promise<CallVerdict | undefined> {
    return within(this.verdict, AT_ONCE_MS);
  }

  /** Whether its client can be told on a stream that it waits. One of 2026 is rather told to come again. */
  hearsWords(accept: string): boolean {
    return statelessVersion(this.#message.params) === undefined && accept.includes("text/event-stream");
  }

  /** The verdict; after a while the advice to come again. */
  async settled(patience: RelayPatience): Promise<CallVerdict> {
    const timer = setInterval(() => this.park(), parkAfterMs(patience, this.#message.params));
    return this.verdict.finally(() => clearInterval(timer));
  }

  /**
   * Events for the time until the verdict, which it returns: word for a client that asked for it; for another one a
   * comment that keeps the connection, and after a while the advice to come again.
   */
  async *words({ progressMs, parkMs }: RelayPatience): AsyncGenerator<string, CallVerdict> {
    const token = progressTokenOf(this.#message.params);
    const late = token === undefined ? setInterval(() => this.park(), parkMs) : undefined;
    try {
      yield ": iddio waits for a person\n\n";
      for (let step = 1; ; step++) {
        const said = await within(this.verdict, progressMs);
        if (said !== undefined) return said;
        yield token === undefined ? ": waiting\n\n" : serialiseEvent({ data: waitingWord(token, step) });
      }
    } finally {
      clearInterval(late);
    }
  }
}

async function within<Value>(value: Promise<Value>, ms: number): Promise<Value | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  return Promise.race([value, promise]).finally(() => clearTimeout(timer));
}

/** The calls of all clients that wait, so that a message that comes later can take one back. */
export class WaitingCalls {
  readonly #calls = new Map<string, Set<HeldCall>>();

  /** Notes a call until it is settled. `scope` names the client's session, as far as it can be told. */
  add(scope: string, call: HeldCall): void {
    const key = keyOf(scope, call.id);
    const calls = this.#calls.get(key) ?? new Set();
    this.#calls.set(key, calls.add(call));
    void call.verdict.then(() => {
      calls.delete(call);
      if (calls.size === 0 && this.#calls.get(key) === calls) this.#calls.delete(key);
    });
  }

  /** Takes back the call that a client's notification names. False: none waits under this id, or more than one. */
  cancel(scope: string, params: JsonObject): boolean {
    const [call, ...others] = this.#calls.get(keyOf(scope, params.requestId)) ?? [];
    if (call === undefined || others.length > 0) return false;
    if (givesUpByClock(params)) call.park();
    else call.leave();
    return true;
  }
}

function keyOf(scope: string, id: unknown): string {
  return JSON.stringify([scope, id]);
}
