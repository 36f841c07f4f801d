// Between a client and a server that speak MCP in lines: what asks for nothing passes as it came,
// octet for octet; every other request waits for the daemon's word. Lists are shown without the
// items that wait for review. A message that two programs could read differently goes nowhere.

import { isPlumbing } from "../../../protocols/mcp/call.ts";
import { statelessVersion, waitingAnswer } from "../../../protocols/mcp/era.ts";
import {
  errorAnswer,
  INVALID_REQUEST,
  refusalAnswer,
  waitingRefusal,
} from "../../../protocols/mcp/refusal.ts";
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
import { spanAt } from "../../../wire/jsonrpc/spans.ts";
import { withoutSealedState } from "../judge/sealed-state.ts";
import type { AskedQuestion, McpLink } from "./daemon-link.ts";
import type { RelayPatience } from "./patience.ts";
import { shownResult } from "./shown-result.ts";

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
/** JSON-RPC: the one that answers has failed. */
const INTERNAL_ERROR = -32603;

/** One client and one server. */
export class StdioRelay {
  readonly #parts: RelayParts;
  readonly #ofClient = new Map<string, Open>();
  readonly #ofServer = new Map<string, Open>();

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
        toClient(errorAnswer(message.id ?? null, INVALID_REQUEST, `iddio: ${message.problem}`));
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

  /** A line of the server. */
  serverLine(line: Uint8Array): void {
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
        void this.#serverAnswer(message);
    }
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
    toClient(
      errorAnswer(open.id, INTERNAL_ERROR, `iddio: the server's answer cannot be passed on: ${problem}`),
    );
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
    const { requestId, reason } = params;
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
    if (typeof reason === "string" && /tim(?:ed?|e)[ -]?out/i.test(reason)) found.question?.park();
    else found.question?.leave();
  }

  #request(
    message: RequestMessage,
    open: Map<string, Open>,
    ways: { readonly forward: (text: string) => void; readonly answer: (text: string) => void },
  ): void {
    const { id, method, params, text } = message;
    if (open.has(keyOf(id)) || open.size >= OPEN_MAX) {
      ways.answer(errorAnswer(id, INVALID_REQUEST, "iddio: a request with this id has no answer yet"));
      return;
    }
    const entry: Open = { id, method, state: "sent", stop() {} };
    open.set(keyOf(id), entry);
    if (isPlumbing(method)) {
      ways.forward(text);
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
      { method, params, ...exactOf(text) },
      {
        go: () => {
          entry.stop();
          if (entry.state === "cancelled") {
            entry.question?.ended("the client cancelled it before it was sent");
            return;
          }
          entry.state = "sent";
          ways.forward(withoutSealedState(text, params));
        },
        refuse: (refusal) => refused(refusalAnswer(id, method, refusal, { isStateless })),
        parked: (waiting) =>
          refused(
            isStateless
              ? waitingAnswer(id, params, waiting)
              : refusalAnswer(id, method, waitingRefusal(method, params, waiting.approvalId), {
                  waits: true,
                }),
          ),
      },
    );
    if (open === this.#ofClient) this.#keepWaiting(entry, params, ways.answer);
  }

  /** While a client's request waits: word that it does, or the advice to come again. */
  #keepWaiting(entry: Open, params: JsonObject, toClient: (text: string) => void): void {
    const { patience } = this.#parts;
    const token = isObject(params._meta) ? params._meta.progressToken : undefined;
    if (!isId(token) || statelessVersion(params) !== undefined) {
      const timer = setInterval(() => entry.question?.park(), patience.parkMs);
      entry.stop = () => clearInterval(timer);
      return;
    }
    let progress = 0;
    const timer = setInterval(() => {
      // Small steps: the server's own count begins later and must be higher.
      progress += 0.001;
      const message = "iddio: waiting for a person to approve it";
      const said = {
        jsonrpc: "2.0",
        method: "notifications/progress",
        params: { progressToken: token, progress, message },
      };
      toClient(JSON.stringify(said));
    }, patience.progressMs);
    entry.stop = () => clearInterval(timer);
  }

  #answered(open: Map<string, Open>, message: ResponseMessage, forward: (text: string) => void): void {
    const found = message.id === undefined ? undefined : this.#close(open, message.id);
    // An answer that nobody waits for is no answer; an error without an id is about a message that could not be read.
    if (found === undefined && (message.id !== undefined || message.error === undefined)) return;
    found?.question?.ended(message.error === undefined ? undefined : errorText(message.error));
    forward(message.text);
  }

  async #serverAnswer(message: ResponseMessage): Promise<void> {
    const { link, toClient } = this.#parts;
    const open = message.id === undefined ? undefined : this.#ofClient.get(keyOf(message.id));
    if (open?.state !== "sent" || message.result === undefined)
      return this.#answered(this.#ofClient, message, toClient);
    const text = await shownResult(open.method, message, link);
    this.#answered(
      this.#ofClient,
      text === undefined
        ? {
            ...message,
            text: errorAnswer(
              open.id,
              INTERNAL_ERROR,
              "iddio: the daemon does not run, so the server's items cannot be shown",
            ),
          }
        : { ...message, text },
      toClient,
    );
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

/** The text of the parameters, where parsing it loses something that the server may see. */
export function exactOf(text: string): { readonly exact?: string } {
  const span = spanAt(text, ["params"]);
  if (span === undefined) return {};
  const params = text.slice(span.start, span.end);
  return mayLoseNumbers(params) ? { exact: params } : {};
}

function errorText(error: unknown): string {
  const message = isObject(error) && typeof error.message === "string" ? error.message : "an error";
  return `the server answered with an error: ${message.slice(0, 200)}`;
}
