// The JSON Schema of policy.yaml, for editors: completion and red lines while typing. Draft 7,
// which yaml-language-server reads best. It cannot know everything the parser checks (groups that
// exist, valid hosts); every file that it refuses the parser refuses too, but not the other way
// round.

import { ACTIONS } from "../../model/action.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import { TIERS } from "../../model/tier.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { BLOCK_KEYS, BRANCH_KEYS, GROUP_KEYS, SCOPE_ENTRY_KEYS, scopeKeywords } from "./block-keys.ts";
import { MCP_KEYS } from "./mcp-keys.ts";

/** A schema or a part of one. */
export type JsonSchema = { readonly [key: string]: unknown };

const TEXTS: JsonSchema = { type: "array", items: { $ref: "#/definitions/text" } };

/** The schema as a plain object, ready for JSON.stringify. */
export function policySchema(): JsonSchema {
  const blocks = PROTOCOLS.map((protocol) => [protocol, block(protocol)] as const);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "iddio policy.yaml",
    type: "object",
    additionalProperties: false,
    minProperties: 1,
    properties: Object.fromEntries(blocks),
    definitions: definitions(),
  };
}

function block(protocol: Protocol): JsonSchema {
  const scopes = scopeKeywords(protocol).map(({ keyword, label }) => [
    keyword,
    {
      $ref: "#/definitions/scopeList",
      description: `First match wins; compared with the request's ${label}.`,
    },
  ]);
  return {
    description: classifierFor(protocol).covers,
    type: "object",
    additionalProperties: false,
    minProperties: 1,
    properties: {
      inspect: { description: BLOCK_KEYS.inspect, ...TEXTS },
      default: { description: BLOCK_KEYS.default, enum: [...ACTIONS] },
      ...(protocol === "mcp" ? mcpKeys() : {}),
      groups: { $ref: "#/definitions/groups", description: BLOCK_KEYS.groups },
      ...Object.fromEntries(scopes),
      rules: { $ref: "#/definitions/rules", description: BLOCK_KEYS.rules },
    },
  };
}

function mcpKeys(): Readonly<Record<string, JsonSchema>> {
  return {
    trust_annotations: { description: MCP_KEYS.trust_annotations, ...TEXTS },
    // Editors read YAML 1.1's `on` as true.
    hide_denied: { description: MCP_KEYS.hide_denied, enum: ["on", "off", true, false] },
  };
}

function definitions(): JsonSchema {
  const branch = { $ref: "#/definitions/branch" };
  return {
    // YAML reads an unquoted 123 as a number; a namespace may be called that.
    text: { type: ["string", "number", "boolean"], minLength: 1 },
    groups: { type: "object", additionalProperties: { $ref: "#/definitions/group" } },
    group: {
      ...closed(GROUP_KEYS),
      properties: {
        tiers: { description: GROUP_KEYS.tiers, type: "array", items: { enum: [...TIERS] } },
        commands: { description: GROUP_KEYS.commands, ...TEXTS },
      },
    },
    branch: {
      ...closed(BRANCH_KEYS),
      properties: {
        groups: { description: BRANCH_KEYS.groups, ...TEXTS },
        commands: { description: BRANCH_KEYS.commands, ...TEXTS },
      },
    },
    rules: {
      type: "object",
      additionalProperties: false,
      minProperties: 1,
      properties: Object.fromEntries(ACTIONS.map((action) => [action, branch])),
    },
    scopeList: { type: "array", minItems: 1, items: { $ref: "#/definitions/scopeEntry" } },
    scopeEntry: {
      ...closed(SCOPE_ENTRY_KEYS),
      required: Object.keys(SCOPE_ENTRY_KEYS),
      properties: {
        names: { description: SCOPE_ENTRY_KEYS.names, ...TEXTS, minItems: 1 },
        rules: { $ref: "#/definitions/rules", description: SCOPE_ENTRY_KEYS.rules },
      },
    },
  };
}

// At least one of the keys, with something in it, and no other.
function closed(keys: Readonly<Record<string, string>>): JsonSchema {
  const anyOf = Object.keys(keys).map((key) => ({ required: [key], properties: { [key]: { minItems: 1 } } }));
  return { type: "object", additionalProperties: false, anyOf };
}
