// The two eras of MCP. Until 2025-11-25 a client shakes hands and keeps a session; from 2026-07-28
// on each request says by itself who speaks which version, and over HTTP its headers repeat parts
// of the body. Pure.

import { isId, isObject, type JsonObject, type MessageId } from "../../wire/jsonrpc/message.ts";
import { errorAnswer, refusalAnswer, waitingRefusal } from "./refusal.ts";

const VERSION = "io.modelcontextprotocol/protocolVersion";
/** The beginning of the states that iddio gives to clients. */
export const STATE_PREFIX = "iddio.";
/** The header and the body say different things. */
const HEADER_MISMATCH = -32020;

/** The version that a request of the stateless era names; undefined in the older one. */
export function statelessVersion(params: JsonObject): string | undefined {
  const version = isObject(params._meta) ? params._meta[VERSION] : undefined;
  return typeof version === "string" ? version : undefined;
}

/** The value that a header must repeat from the body; undefined where the body has nothing to repeat. */
function namedIn(method: string, params: JsonObject): string | undefined {
  const name = method === "resources/read" || method === "resources/subscribe" ? params.uri : params.name;
  return (method === "tools/call" || method === "prompts/get" || method.startsWith("resources/")) &&
    typeof name === "string"
    ? name
    : undefined;
}

/** Why headers and body do not agree, in a clause; undefined when they do. */
export function headerProblem(
  header: (name: string) => string | null,
  method: string,
  params: JsonObject,
): string | undefined {
  const version = statelessVersion(params);
  const said = header("mcp-protocol-version");
  if (version !== undefined && said !== version)
    return "MCP-Protocol-Version and the body name different versions";
  if (version === undefined && said !== null && said >= "2026") return "the body names no protocol version";
  const [saidMethod, saidName] = [header("mcp-method"), header("mcp-name")];
  if (saidMethod !== null ? saidMethod !== method : version !== undefined)
    return saidMethod === null ? "Mcp-Method is missing" : "Mcp-Method and the body name different methods";
  const name = namedIn(method, params);
  if (saidName === null)
    return version !== undefined && name !== undefined ? "Mcp-Name is missing" : undefined;
  const decoded = decodedHeader(saidName);
  return decoded !== undefined && decoded === name
    ? undefined
    : "Mcp-Name and the body name different things";
}

/** The text of a header; texts that no header can hold are sent as `=?base64?…?=`. Undefined for one that says nothing. */
export function decodedHeader(value: string): string | undefined {
  const coded = /^=\?base64\?(.*)\?=$/i.exec(value)?.[1];
  if (coded === undefined) return value;
  try {
    const bytes = Uint8Array.from(atob(coded), (sign) => sign.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // It names nothing, so it agrees with nothing.
    return undefined;
  }
}

/** The answer to a request whose headers disagree. */
export function mismatchAnswer(id: MessageId | null, problem: string): string {
  return errorAnswer(id, HEADER_MISMATCH, `iddio: ${problem}`);
}

/** A call that waits, and where a person can decide about it. */
export interface WaitingCall {
  readonly state: string;
  readonly approvalId: string;
  readonly url?: string;
}

/** The answer to a request that still waits, as its era demands. */
export function heldAnswer({ id, method, params }: WaitingRequest, waiting: WaitingCall): string {
  if (statelessVersion(params) !== undefined) return waitingAnswer(id, params, waiting);
  return refusalAnswer(id, method, waitingRefusal(method, params, waiting.approvalId), { waits: true });
}

/** The parts of a request that its answers depend on. */
export interface WaitingRequest {
  readonly id: MessageId;
  readonly method: string;
  readonly params: JsonObject;
}

/** The token of a client that wants to hear how its request goes on, and whose era has one. */
export function progressTokenOf(params: JsonObject): MessageId | undefined {
  const token = isObject(params._meta) ? params._meta.progressToken : undefined;
  return isId(token) && statelessVersion(params) === undefined ? token : undefined;
}

/** Word for a client that its request waits; the `step`th one. */
export function waitingWord(progressToken: MessageId, step: number): string {
  // Small steps: the server's own count begins later and must be higher.
  const progress = step / 1_000;
  const message = "iddio: waiting for a person to approve it";
  const params = { progressToken, progress, message };
  return JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params });
}

/** Whether a client that cancels gives up only because of its clock: then it will ask again. */
export function givesUpByClock({ reason }: JsonObject): boolean {
  return typeof reason === "string" && /tim(?:ed?|e)[ -]?out/i.test(reason);
}

/**
 * The answer of the stateless era to a call that still waits: the client sends it again with the state. A client that
 * can show its person an address is given that of the question.
 */
function waitingAnswer(id: MessageId, params: JsonObject, { state, approvalId, url }: WaitingCall): string {
  const message = `iddio holds this call until you decide: ${approvalId}`;
  const shown =
    url !== undefined && wantsAddress(params)
      ? {
          inputRequests: {
            [approvalId]: {
              method: "elicitation/create",
              params: { mode: "url", message, elicitationId: approvalId, url },
            },
          },
        }
      : {};
  const result = { resultType: "input_required", ...shown, requestState: state };
  return JSON.stringify({ jsonrpc: "2.0", id, result });
}

/** Whether a client can show its person where to decide, and has not been told where yet: nobody is shown a page twice. */
export function wantsAddress(params: JsonObject): boolean {
  const { _meta: meta, requestState } = params;
  if (typeof requestState === "string" && requestState.startsWith(STATE_PREFIX)) return false;
  const capabilities = isObject(meta) ? meta["io.modelcontextprotocol/clientCapabilities"] : undefined;
  const elicitation = isObject(capabilities) ? capabilities.elicitation : undefined;
  return statelessVersion(params) !== undefined && isObject(elicitation) && isObject(elicitation.url);
}
