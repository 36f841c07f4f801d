// The two eras of MCP. Until 2025-11-25 a client shakes hands and keeps a session; from 2026-07-28
// on each request says by itself who speaks which version, and over HTTP its headers repeat parts
// of the body. Pure.

import { isObject, type JsonObject, type MessageId } from "../../wire/jsonrpc/message.ts";
import { errorAnswer } from "./refusal.ts";

const VERSION = "io.modelcontextprotocol/protocolVersion";
/** The header and the body say different things. */
export const HEADER_MISMATCH = -32020;

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
  return decodedName(saidName) === name ? undefined : "Mcp-Name and the body name different things";
}

/** Names that no header can hold are sent as `=?base64?…?=`. */
function decodedName(value: string): string {
  const coded = /^=\?base64\?([A-Za-z0-9+/=]*)\?=$/i.exec(value)?.[1];
  if (coded === undefined) return value;
  return new TextDecoder().decode(Uint8Array.from(atob(coded), (sign) => sign.charCodeAt(0)));
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

/**
 * The answer of the stateless era to a call that still waits: the client sends it again with the state. A client that
 * can show its person an address is given that of the question.
 */
export function waitingAnswer(
  id: MessageId,
  params: JsonObject,
  { state, approvalId, url }: WaitingCall,
): string {
  const message = `iddio holds this call until you decide: ${approvalId}`;
  const shown =
    url !== undefined && showsAddresses(params)
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

function showsAddresses({ _meta: meta }: JsonObject): boolean {
  const capabilities = isObject(meta) ? meta["io.modelcontextprotocol/clientCapabilities"] : undefined;
  const elicitation = isObject(capabilities) ? capabilities.elicitation : undefined;
  return isObject(elicitation) && isObject(elicitation.url);
}
