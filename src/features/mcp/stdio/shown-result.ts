// Filters a server's answers to `initialize`, `server/discover` and the lists: items that wait for
// review or are denied are cut out of the text; every other octet stays as it was.

import { isPlumbing } from "../../../protocols/mcp/call.ts";
import { failureAnswer, refusalAnswer } from "../../../protocols/mcp/refusal.ts";
import type { Refusal } from "../../../protocols/refused.ts";
import { isObject, type JsonObject, lookalike, type ResponseMessage } from "../../../wire/jsonrpc/message.ts";
import { elementsOf, membersOf, spanAt, without } from "../../../wire/jsonrpc/spans.ts";

/** Decides which items may be shown. */
export interface Shower {
  learn(
    kind: "tools" | "prompts" | "resources",
    items: readonly unknown[],
    isLast: boolean,
  ): Promise<readonly boolean[] | undefined> | readonly boolean[] | undefined;
  introduce(said: { title?: string; version?: string; instructions?: string }): Promise<boolean> | boolean;
  /** Judges what the server asks of the client; undefined when it may. */
  asks(request: { readonly method: string; readonly params: JsonObject }): Promise<Refusal | undefined>;
}

const LISTS: Readonly<
  Record<string, { readonly member: string; readonly kind: "tools" | "prompts" | "resources" }>
> = {
  "tools/list": { member: "tools", kind: "tools" },
  "prompts/list": { member: "prompts", kind: "prompts" },
  "resources/list": { member: "resources", kind: "resources" },
  "resources/templates/list": { member: "resourceTemplates", kind: "resources" },
};

/** Members of a result that are looked at. */
const LOOKED_AT = [
  "tools",
  "prompts",
  "resources",
  "resourceTemplates",
  "nextCursor",
  "instructions",
  "inputRequests",
  "requestState",
  "resultType",
  "content",
];

/** Whether an answer passes as it is: nothing of it is pinned, and it asks for nothing. */
export function isShownAsItIs(method: string, { result }: ResponseMessage): boolean {
  if (!isObject(result)) return true;
  const isDescription = method === "initialize" || method === "server/discover" || method in LISTS;
  const isPlain = !asksTheClient({ result }) && lookalike(result, LOOKED_AT) === undefined;
  return !isDescription && isPlain && linksOf(result).length === 0;
}

/** Whether a person may have to be asked about an answer, because it asks something of the client. */
export function asksTheClient({ result }: Pick<ResponseMessage, "result">): boolean {
  return isObject(result) && "inputRequests" in result;
}

/** The text of the answer for the client; undefined when nobody can say what may be shown. */
export async function shownResult(
  method: string,
  message: ResponseMessage,
  shower: Shower,
): Promise<string | undefined> {
  const { text, result } = message;
  if (!isObject(result)) return text;
  // Some clients do not mind the case of a name, and would read what was not looked at.
  if (lookalike(result, LOOKED_AT) !== undefined) return undefined;
  if ("inputRequests" in result) return shownQuestions(method, message, result.inputRequests, shower);
  if (method === "initialize" || method === "server/discover") {
    const { instructions, serverInfo, protocolVersion } = result;
    const isShown = await shower.introduce({
      ...(typeof instructions === "string" ? { instructions } : {}),
      ...(isObject(serverInfo) && typeof serverInfo.name === "string" ? { title: serverInfo.name } : {}),
      ...(typeof protocolVersion === "string" ? { version: protocolVersion } : {}),
    });
    return isShown || instructions === undefined ? text : withoutMember(text, ["result"], "instructions");
  }
  const list = LISTS[method];
  if (list === undefined) {
    const links = linksOf(result);
    if (links.length > 0) await shower.learn("resources", links, false);
    return text;
  }
  const items = result[list.member];
  if (items === undefined) return text;
  // A list that is none would be shown unread.
  if (!Array.isArray(items)) return withoutMember(text, ["result"], list.member);
  const shown = await shower.learn(list.kind, items, result.nextCursor === undefined);
  if (shown === undefined || shown.length !== items.length) return undefined;
  if (shown.every((each) => each)) return text;
  const span = spanAt(text, ["result", list.member]);
  return span === undefined
    ? undefined
    : without(text, elementsOf(text, span), (index) => shown[index] !== true);
}

function withoutMember(text: string, path: readonly string[], name: string): string | undefined {
  const span = spanAt(text, path);
  if (span === undefined) return undefined;
  const members = membersOf(text, span);
  return without(
    text,
    members.map(({ whole }) => whole),
    (index) => members[index]?.name === name,
  );
}

/** Resources that a result names: the server itself has then listed them. */
function linksOf({ content }: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (!Array.isArray(content)) return [];
  return content
    .filter((each) => isObject(each) && (each.type === "resource_link" || each.type === "resource"))
    .map((each) => (isObject(each) && isObject(each.resource) ? each.resource : each));
}

/** A server of 2026 asks the client in its answer; each question is judged like a request of its own. */
async function shownQuestions(
  method: string,
  { id, text }: ResponseMessage,
  questions: unknown,
  shower: Shower,
): Promise<string | undefined> {
  const unread = () => failureAnswer(id ?? null, "what the server asks of the client cannot be read");
  if (id === undefined || !isObject(questions)) return unread();
  for (const question of Object.values(questions)) {
    if (!isObject(question) || typeof question.method !== "string") return unread();
    if (isPlumbing(question.method)) continue;
    const params = isObject(question.params) ? question.params : {};
    const refusal = await shower.asks({ method: question.method, params });
    if (refusal !== undefined) return refusalAnswer(id, method, refusal, { isStateless: true });
  }
  return text;
}
