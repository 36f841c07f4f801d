// MCP over HTTP as a classifier sees it, without pins: the method of the message in a POST,
// everything else by its use in the transport. The gateway's MCP part knows more about a tool and
// judges in its stead; where it does not, every tool is unknown.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest, RequestHead } from "../../model/request.ts";
import { isObject, parseMessage } from "../../wire/jsonrpc/message.ts";
import { splitTarget } from "../../wire/path.ts";
import type { Classifier } from "../classifier.ts";
import { unknownClassification } from "../unknown.ts";
import { classifyCall } from "./classify-call.ts";

/** The classifier of the policy's `mcp` block. */
export const mcpClassifier: Classifier = {
  protocol: "mcp",
  covers:
    "Tools of MCP servers: those that `iddio mcp run` starts, those of `iddio mcp add`, and the hosts listed here.",
  scopes: [
    { keyword: "servers", label: "server" },
    { keyword: "tools", label: "tool" },
  ],
  programs: [],
  needsBody: (head) => head.method === "POST",
  classify,
  classifyArgv: (argv) => unknownClassification("mcp", `'${argv[0] ?? ""}' has no command line of MCP`),
};

/** Where clients log in (RFC 8414, 9728, 7591): reads, and the answers are for the client alone. */
const LOGIN = /^\/(?:\.well-known\/[\w./-]+|(?:[\w-]+\/)*(?:authorize|token|register|revoke))$/;

function classify(request: HttpRequest): Classification {
  const { method, host } = request;
  const known = (tier: Classification["tier"], command: string, reason: string): Classification => ({
    protocol: "mcp",
    tier,
    command: `${host}/${command}`,
    aliases: [],
    labels: { server: host },
    reason,
  });
  if (isLogin(request)) return known("observe", "http:login", "the path of a login");
  if (method === "GET" || method === "HEAD" || method === "OPTIONS")
    return known("observe", "http:listen", "it listens for messages of the server");
  if (method === "DELETE") return known("observe", "http:end", "it ends a session");
  if (method !== "POST")
    return known("unknown", `http:${method}`, `the method ${method} has no meaning in MCP`);
  const { body } = request;
  if (body.kind !== "whole")
    return known("unknown", "http:POST", body.kind === "unread" ? body.why : "it carries no message");
  const message = parseMessage(body.bytes);
  if (message.kind === "bad")
    return known("unknown", "http:POST", `it is no message of MCP: ${message.problem}`);
  if (message.kind !== "request")
    return known("observe", `http:${message.kind}`, `it carries a ${message.kind}`);
  const { method: name, params } = message;
  return classifyCall({ server: host, method: name, params }, { isTrusted: false });
}

/** Whether a request is part of a login, and not a message. */
export function isLogin({
  method,
  target,
  body,
}: HttpRequest | (RequestHead & { readonly body?: never })): boolean {
  if (!LOGIN.test(splitTarget(target).path)) return false;
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return true;
  return method === "POST" && body?.kind === "whole" && !isLikeMessage(body.bytes);
}

/** Whether somebody may take a body for a message of MCP, or for several, or for one that was not read here. */
function isLikeMessage(bytes: Uint8Array): boolean {
  if (parseMessage(bytes).kind !== "bad") return true;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // A form is no JSON, and nobody reads what looks like an object as one.
    return /^[\s\ufeff]*[[{]/.test(new TextDecoder().decode(bytes));
  }
  const isJsonRpc = (name: string) => ["jsonrpc", "method"].includes(name.toUpperCase().toLowerCase());
  return Array.isArray(value) || (isObject(value) && Object.keys(value).some(isJsonRpc));
}
