// The entries of the control API's table about MCP servers. `mcp_session` is what `iddio mcp run`
// speaks: rows in both directions, one question a row, so that a thousand calls share one
// connection.

import { method } from "../method.ts";
import { anything, flag, list, number, object, optional, text, type Value, words } from "../schema.ts";

const identity = object({
  kind: words(["stdio", "http"]),
  command: optional(text("program that is started, as typed")),
  args: optional(list(text())),
  env: optional(list(text(), "variables that load other code into the program, as `NAME=value`")),
  code_sha256: optional(text("of the code that runs, where it is known")),
  package: optional(text("npm package that the code belongs to, with its version")),
  unpinned: optional(text("why the code is not pinned")),
  url: optional(text()),
  issuer: optional(text("who vouches for the certificate")),
});

const refusal = object({
  outcome: text(),
  tier: text(),
  command: text(),
  rule: text(),
  reason: text(),
  retry: flag(),
  approval_id: optional(text()),
  to_allow: optional(text()),
});

/** A row of the client: `judge` and `learn` are answered, the others are not. */
export const mcpQuestion = object({
  ask: words(["judge", "learn", "introduce", "leave", "park", "ended"]),
  id: number("repeated by the answer; of `leave`, `park` and `ended`: of the question"),
  method: optional(text()),
  params: optional(anything()),
  exact: optional(text("text of the arguments, where parsing it loses digits")),
  kind: optional(words(["tools", "prompts", "resources"])),
  items: optional(list(anything(), "one page of a list")),
  is_last: optional(flag("no page comes after it")),
  title: optional(text()),
  version: optional(text()),
  instructions: optional(text()),
  failure: optional(text("why a call that was let through failed")),
});

/** A row of the daemon. */
export const mcpAnswer = object({
  id: number(),
  say: words(["go", "refuse", "held", "parked", "shown", "gone"]),
  refusal: optional(refusal),
  approval_id: optional(text()),
  state: optional(text("given back by a client of the 2026 protocol that asks again")),
  url: optional(text("where a person can decide about it")),
  shown: optional(list(flag(), "whether each item of the page may be shown")),
});

const item = object({
  kind: words(["tools", "prompts"]),
  name: text(),
  state: words(["pinned", "waits"]),
  why: optional(text("why it waits")),
  pinned: optional(text("canonical JSON")),
  pending: optional(text("canonical JSON")),
  tier: optional(text("without arguments, by the policy in force")),
  action: optional(text()),
  looks_like: optional(text("the tool of another server with a name that looks the same")),
});

const server = object({
  name: text(),
  identities: list(identity),
  pending_identity: optional(identity),
  instructions: optional(text()),
  pending_instructions: optional(text()),
  title: optional(text("its own name")),
  version: optional(text("protocol version spoken last")),
  era: optional(words(["2025", "2026"])),
  table: optional(text("the known tools that are bound to it")),
  reviewed: flag(),
  trusted: flag("the policy trusts its annotations"),
  url: optional(text("of a server behind `iddio mcp add`")),
  tools: number(),
  waits: number("items that wait for a person, its identity and instructions included"),
  first_ms: number(),
  last_ms: number(),
});

const named = object({ name: text() });
const NO_SUCH = { "not-found": "no server has this name" };

/** The methods about MCP servers. */
export const MCP_METHODS = {
  mcp_session: {
    ...method("change", "POST", "/v1/mcp/session", {
      about: "judges what passes between one client and one MCP server",
      input: object({ name: text(), identity, agent: optional(text()) }),
      output: mcpAnswer,
      narrows: {
        because: "it only ever holds, refuses and hides; without it every call would go through",
      },
    }),
    isStream: true,
    isForRuns: true,
    rows: mcpQuestion,
  },
  mcp_list: method("read", "GET", "/v1/mcp", {
    about: "the MCP servers that were seen",
    output: object({ servers: list(server) }),
  }),
  mcp_show: method("read", "POST", "/v1/mcp/show", {
    about: "one server with its items and those that wait for review",
    input: named,
    output: object({ server, items: list(item) }),
    errors: NO_SUCH,
  }),
  mcp_review: method("change", "POST", "/v1/mcp/review", {
    about: "accepts the waiting items of a server",
    input: object({
      name: text(),
      digest: text("of the shown items, as `mcp_digest` gives it: later ones are not accepted"),
      items: optional(list(text(), "`tools read_file`: only these; everything without it")),
    }),
    output: object({ accepted: number() }),
    errors: { ...NO_SUCH, "not-what-was-shown": "something has changed since" },
  }),
  mcp_digest: method("read", "POST", "/v1/mcp/digest", {
    about: "the digest of a server's waiting items at this moment",
    input: named,
    output: object({ digest: text() }),
    errors: NO_SUCH,
  }),
  mcp_bind: method("change", "POST", "/v1/mcp/bind", {
    about: "says that a server is one whose tools are known",
    input: object({
      name: text(),
      table: optional(text("none: its tools are judged by its own description again")),
    }),
    output: object({ server }),
    errors: {
      ...NO_SUCH,
      "no-table": "there is no such table",
      "not-pinned": "nobody knows which code the server runs",
    },
  }),
  mcp_add: method("change", "POST", "/v1/mcp/add", {
    about: "gives a remote server an address on this machine",
    input: object({
      name: text(),
      url: text(),
      headers: optional(list(object({ name: text(), value: text() }), "added to its requests")),
    }),
    output: object({
      server,
      local_url: text("where clients reach it; anyone who has it can use the server"),
    }),
  }),
  mcp_forget: method("change", "POST", "/v1/mcp/forget", {
    about: "forgets a server; its next items are first seen again",
    input: named,
    output: object({ removed: flag() }),
  }),
} as const;

/** A row of the client. */
export type McpQuestionRow = Value<typeof mcpQuestion>;
