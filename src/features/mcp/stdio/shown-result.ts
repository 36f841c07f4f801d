// Filters a server's answers to `initialize`, `server/discover` and the lists: items that wait for
// review or are denied are cut out of the text; every other octet stays as it was.

import { isObject, type ResponseMessage } from "../../../wire/jsonrpc/message.ts";
import { elementsOf, membersOf, spanAt, without } from "../../../wire/jsonrpc/spans.ts";

/** Decides which items may be shown. */
export interface Shower {
  learn(
    kind: "tools" | "prompts" | "resources",
    items: readonly unknown[],
    isLast: boolean,
  ): Promise<readonly boolean[] | undefined> | readonly boolean[] | undefined;
  introduce(said: { title?: string; version?: string; instructions?: string }): Promise<boolean> | boolean;
}

const LISTS: Readonly<
  Record<string, { readonly member: string; readonly kind: "tools" | "prompts" | "resources" }>
> = {
  "tools/list": { member: "tools", kind: "tools" },
  "prompts/list": { member: "prompts", kind: "prompts" },
  "resources/list": { member: "resources", kind: "resources" },
  "resources/templates/list": { member: "resourceTemplates", kind: "resources" },
};

/** The text of the answer for the client; undefined when that cannot be decided. */
export async function shownResult(
  method: string,
  { text, result }: ResponseMessage,
  shower: Shower,
): Promise<string | undefined> {
  if (!isObject(result)) return text;
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
