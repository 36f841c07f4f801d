// Between a client and a server that speak MCP in lines: what asks for nothing passes as it came,
// octet for octet; every other request waits for the daemon's word. Lists are shown without the
// items that wait for review. A message that two programs could read differently goes nowhere.

import { isPlumbing } from "../../../protocols/mcp/call.ts";
import {
  givesUpByClock,
  heldAnswer,
  progressTokenOf,
  statelessVersion,
  waitingWord,
} from "../../../protocols/mcp/era.ts";
import { failureAnswer, refusalAnswer, unreadableAnswer } from "../../../protocols/mcp/refusal.ts";
import { mayLoseNumbers } from "../../../wire/jsonrpc/canonical-json.ts";
import {
  isId,
  isObject,
  type JsonObject,
  type MessageId,
  type NotificationMessage,
  parseLine,
  type RequestMessage,
  type ResponseMessage,
  SERVER_BOUNDS,
} from "../../../wire/jsonrpc/message.ts";
import { membersOf, spanAt, without } from "../../../wire/jsonrpc/spans.ts";
import { unsealedText } from "../judge/sealed-state.ts";
import type { AskedQuestion, McpLink } from "./daemon-link.ts";
import { parkAfterMs, type RelayPatience } from "./patience.ts";
import { asksTheClient, isShownAsItIs, shownResult } from "./shown-result.ts";

/** The parts that a relay works with. */
export interface RelayParts {
  readonly link: McpLink;
  readonly toClient: (text: string) => void;
  readonly toServer: (text: string) => void;
  /** A line for anyone who reads the program's stderr. */
  readonly note: (text: string) => void;
  readonly patience: RelayPatience;
}

/** A request that has no answer yet. */
interface Open {
  readonly id: MessageId;
  readonly method: string;
  /** Undefined for one that is not judged. */
  question?: AskedQuestion;
  state: "judged" | "sent" | "cancelled";
  stop(): void;
}

/** Requests of one side without an answer. */
const OPEN_MAX = 20_000;

/** One client and one server. */
export class StdioRelay {
  readonly #parts: RelayParts;
  readonly #ofClient = new Map<string, Open>();
  readonly #ofServer = new Map<string, Open>();
  /** Lines of the server that came while one is looked at. */
  #later: Uint8Array[] | undefined;
  #looking: Promise<void> | undefined;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** A line of the client. */
  clientLine(line: Uint8Array): void {
    const message = parseLine(line);
    const { toClient, toServer, note } = this.#parts;
    switch (message.kind) {
      case "bad":
        note(`a message of the client was refused: ${message.problem}`);
        toClient(unreadableAnswer(message.id ?? null, message.problem));
        break;
      case "notification":
        this.#clientNotification(message);
        break;
      case "response":
        this.#answered(this.#ofServer, message, toServer);
        break;
      default:
        this.#request(message, this.#ofClient, { forward: toServer, answer: toClient });
    }
  }

  /** A line of the server. The client hears them in their order: one that has to be looked at holds up the next. */
  serverLine(line: Uint8Array): void {
    if (this.#later !== undefined) {
      this.#later.push(line);
      return;
    }
    const looked = this.#serverLine(line);
    if (looked === undefined) return;
    this.#later = [];
    this.#looking = looked.finally(() => {
      const later = this.#later ?? [];
      this.#later = undefined;
      this.#looking = undefined;
      for (const each of later) this.serverLine(each);
    });
  }

  /** Resolves when the client was told everything that the server has said so far. */
  async told(): Promise<void> {
    while (this.#looking !== undefined) await this.#looking;
  }

  #serverLine(line: Uint8Array): Promise<void> | undefined {
    const message = parseLine(line, SERVER_BOUNDS);
    const { toClient, toServer } = this.#parts;
    switch (message.kind) {
      case "bad":
        this.#badServerLine(message.problem, message.id);
        break;
      case "notification":
        this.#serverNotification(message);
        break;
      case "request":
        this.#request(message, this.#ofServer, { forward: toClient, answer: toServer });
        break;
      default:
        return this.#serverAnswer(message);
    }
    return undefined;
  }

  /** The other side has gone: nothing waits any more. */
  close(): void {
    for (const open of [...this.#ofClient.values(), ...this.#ofServer.values()]) {
      open.stop();
      if (open.state === "judged") open.question?.leave();
    }
  }

  #badServerLine(problem: string, id: MessageId | undefined): void {
    const { toClient, note } = this.#parts;
    note(`a line of the server is no message and was left out: ${problem}`);
    const open = id === undefined ? undefined : this.#close(this.#ofClient, id);
    if (open === undefined) return;
    open.question?.ended("its answer cannot be read");
    toClient(failureAnswer(open.id, `the server's answer cannot be passed on: ${problem}`));
  }

  #serverNotification({ method, params, text }: NotificationMessage): void {
    const { toClient, note } = this.#parts;
    if (!method.startsWith("notifications/")) note(`the server's '${method.slice(0, 60)}' was left out`);
    else if (method === "notifications/cancelled") this.#cancel(this.#ofServer, params, toClient, text);
    else toClient(text);
  }

  #clientNotification({ method, params, text }: NotificationMessage): void {
    const { toServer, note } = this.#parts;
    // A request without an id is carried out by servers that do not mind.
    if (!method.startsWith("notifications/")) note(`a '${method.slice(0, 60)}' without an id was left out`);
    else if (method === "notifications/cancelled") this.#cancel(this.#ofClient, params, toServer, text);
    else toServer(text);
  }

  #cancel(open: Map<string, Open>, params: JsonObject, forward: (text: string) => void, text: string): void {
    const { requestId } = params;
    const found = isId(requestId) ? open.get(keyOf(requestId)) : undefined;
    // The other side has not seen it, or has answered it.
    if (found === undefined || found.state === "cancelled") return;
    if (found.state === "sent") {
      forward(text);
      return;
    }
    found.stop();
    found.state = "cancelled";
    open.delete(keyOf(found.id));
    // Who gives up only because of its clock will ask again.
    if (givesUpByClock(params)) found.question?.park();
    else found.question?.leave();
  }

  #request(
    message: RequestMessage,
    open: Map<string, Open>,
    ways: { readonly forward: (text: string) => void; readonly answer: (text: string) => void },
  ): void {
    const { id, method, params, text } = message;
    if (open.has(keyOf(id)) || open.size >= OPEN_MAX) {
      ways.answer(unreadableAnswer(id, "a request with this id has no answer yet"));
      return;
    }
    const entry: Open = { id, method, state: "sent", stop() {} };
    open.set(keyOf(id), entry);
    const sent = unsealedText(text, params);
    if (isPlumbing(method)) {
      ways.forward(sent);
      return;
    }
    entry.state = "judged";
    const isStateless = statelessVersion(params) !== undefined;
    const refused = (answer: string) => {
      entry.stop();
      if (entry.state === "cancelled") return;
      open.delete(keyOf(id));
      ways.answer(answer);
    };
    entry.question = this.#parts.link.judge(
      { method, params, ...exactOf(sent) },
      {
        go: () => {
          entry.stop();
          if (entry.state === "cancelled") {
            entry.question?.ended("the client cancelled it before it was sent");
            return;
          }
          entry.state = "sent";
          ways.forward(sent);
        },
        refuse: (refusal) => refused(refusalAnswer(id, method, refusal, { isStateless })),
        parked: (waiting) => refused(heldAnswer(message, waiting)),
      },
    );
    if (open === this.#ofClient) this.#keepWaiting(entry, params, ways.answer);
  }

  /** While a client's request waits: word that it does, or the advice to come again. */
  #keepWaiting(entry: Open, params: JsonObject, toClient: (text: string) => void): void {
    const { patience } = this.#parts;
    const token = progressTokenOf(params);
    let step = 0;
    const timer =
      token === undefined
        ? setInterval(() => entry.question?.park(), parkAfterMs(patience, params))
        : setInterval(() => toClient(waitingWord(token, ++step)), patience.progressMs);
    entry.stop = () => clearInterval(timer);
  }

  #answered(open: Map<string, Open>, message: ResponseMessage, forward: (text: string) => void): void {
    const found = message.id === undefined ? undefined : this.#close(open, message.id);
    // An answer that nobody waits for is no answer; an error without an id is about a message that could not be read.
    if (found === undefined && (message.id !== undefined || message.error === undefined)) return;
    // First the client, which waits, then the record.
    forward(message.text);
    found?.question?.ended(message.error === undefined ? undefined : errorText(message.error));
  }

  #serverAnswer(message: ResponseMessage): Promise<void> | undefined {
    const { toClient } = this.#parts;
    const open = message.id === undefined ? undefined : this.#ofClient.get(keyOf(message.id));
    if (open?.state !== "sent" || isShownAsItIs(open.method, message))
      return void this.#answered(this.#ofClient, message, toClient);
    const shown = this.#show(open, message);
    // A person may have to be asked; nothing else of the server waits for that.
    return asksTheClient(message) ? undefined : shown;
  }

  async #show({ id, method }: Open, message: ResponseMessage): Promise<void> {
    const { link, toClient } = this.#parts;
    const text =
      (await shownResult(method, message, link)) ??
      failureAnswer(
        id,
        "what the server offers cannot be shown: it cannot be read, or the daemon does not run",
      );
    this.#answered(this.#ofClient, { ...message, text }, toClient);
  }

  #close(open: Map<string, Open>, id: MessageId): Open | undefined {
    const found = open.get(keyOf(id));
    // A request that is still judged was not sent, so nobody can have answered it.
    if (found?.state !== "sent") return undefined;
    open.delete(keyOf(id));
    return found;
  }
}

function keyOf(id: MessageId): string {
  return JSON.stringify(id);
}

/** The text of the parameters but for `_meta`, where parsing it loses something that the server may see. */
export function exactOf(text: string): { readonly exact?: string } {
  const span = mayLoseNumbers(text) ? spanAt(text, ["params"]) : undefined;
  if (span === undefined) return {};
  const params = text.slice(span.start, span.end);
  const members = membersOf(params, { start: 0, end: params.length });
  const exact = without(
    params,
    members.map(({ whole }) => whole),
    (index) => members[index]?.name === "_meta",
  );
  return mayLoseNumbers(exact) ? { exact } : {};
}

function errorText(error: unknown): string {
  const message = isObject(error) && typeof error.message === "string" ? error.message : "an error";
  return `the server answered with an error: ${message.slice(0, 200)}`;
}
