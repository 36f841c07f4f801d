// Filters a remote server's answers for the client, whichever way it reaches the server: each
// message is read before it is passed on, lists leave out items that wait for review or are denied,
// and requests of the server pass only when they were let through. Octets that are no message are
// shown to nobody.

import { isPlumbing } from "../../../protocols/mcp/call.ts";
import { failureAnswer, refusalAnswer } from "../../../protocols/mcp/refusal.ts";
import { EventStreamReader, serialiseEvent } from "../../../wire/jsonrpc/event-stream.ts";
import {
  isObject,
  type Message,
  type MessageId,
  parseMessage,
  parseMessageText,
  type RequestMessage,
  SERVER_BOUNDS,
} from "../../../wire/jsonrpc/message.ts";
import type { McpSession } from "../judge/session.ts";
import { exactOf } from "../stdio/relay.ts";
import { shownResult } from "../stdio/shown-result.ts";

const EVENT_MAX = 64 * 1024 * 1024;

/** Whoever waits for an answer. */
export interface Listening {
  readonly session: McpSession;
  /** The request that is answered; undefined where a client only listens. */
  readonly asked: RequestMessage | undefined;
  /** Calls back when the client goes away. */
  onLeave(left: () => void): void;
  /** Tells the server that its own request was refused. */
  tellServer(body: string): void;
}

/** One whole answer as the client may see it; undefined for one that it may not see at all. */
export async function shownAnswer(
  bytes: Uint8Array,
  { session, asked }: Pick<Listening, "session" | "asked">,
): Promise<string | undefined> {
  const message = parseMessage(bytes, SERVER_BOUNDS);
  if (message.kind !== "response") return undefined;
  if (asked !== undefined && message.id !== asked.id && message.error === undefined) return undefined;
  const method = message.id === asked?.id ? asked?.method : methodOf(message.result);
  return method === undefined ? undefined : shownResult(method, message, session.shower);
}

/** The events of a stream as the client may see them. Returns whether the answer was among them. */
export async function* shownEvents(
  pieces: AsyncIterable<Uint8Array>,
  listening: Listening,
): AsyncGenerator<string, boolean> {
  const reader = new EventStreamReader(EVENT_MAX);
  let isAnswered = false;
  for await (const piece of pieces) {
    for (const event of reader.push(piece)) {
      if (event.data === "") {
        yield serialiseEvent(event);
        continue;
      }
      const message = parseMessageText(event.data, SERVER_BOUNDS);
      if (message.kind === "bad") {
        const { asked } = listening;
        if (asked === undefined || message.id !== asked.id) continue;
        isAnswered = true;
        yield serialiseEvent({ data: unshown(asked.id) });
        continue;
      }
      isAnswered ||= message.kind === "response" && message.id === listening.asked?.id;
      const text = await shownMessage(message, listening);
      if (text !== undefined) yield serialiseEvent({ ...event, data: text });
    }
    if (reader.problem !== undefined) return isAnswered;
  }
  return isAnswered;
}

async function shownMessage(message: Message, listening: Listening): Promise<string | undefined> {
  const { session, asked } = listening;
  if (message.kind === "notification")
    return message.method.startsWith("notifications/") ? message.text : undefined;
  if (message.kind === "response") {
    if (message.result === undefined) return message.text;
    if (asked !== undefined && message.id === asked.id)
      return (await shownResult(asked.method, message, session.shower)) ?? unshown(asked.id);
    // A stream may bring the answer to another request: one that was resumed, or that only listens.
    const method = methodOf(message.result);
    return method === undefined ? undefined : shownResult(method, message, session.shower);
  }
  if (isPlumbing(message.method)) return message.text;
  const { id, method, params, text } = message;
  const refusal = await session.asks({ method, params, ...exactOf(text) }, listening.onLeave);
  if (refusal === undefined) return text;
  listening.tellServer(refusalAnswer(id, method, refusal));
  return undefined;
}

/** A client whose answer cannot be shown is told so: it would wait for it for ever. */
function unshown(id: MessageId): string {
  return failureAnswer(id, "the server's answer cannot be read");
}

/** Members that only one kind of result has. */
const MEMBERS: Readonly<Record<string, string>> = {
  tools: "tools/list",
  prompts: "prompts/list",
  resources: "resources/list",
  resourceTemplates: "resources/templates/list",
  instructions: "initialize",
  serverInfo: "initialize",
};

/**
 * Guesses the method that a result answers by its members, because the question is not remembered. Undefined
 * for one that could be several.
 */
function methodOf(result: unknown): string | undefined {
  if (!isObject(result)) return "";
  const found = new Set(
    Object.entries(MEMBERS).flatMap(([member, method]) => (member in result ? [method] : [])),
  );
  return found.size > 1 ? undefined : ([...found][0] ?? "");
}
