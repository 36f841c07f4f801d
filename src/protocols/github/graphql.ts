// GitHub's GraphQL API: the root fields of what runs, each to a tier. A query or subscription
// reads; a mutation is tiered by its name, whose verbs and nouns GitHub keeps to. A mutation that
// is not published is unknown, though what its name says still counts. Knows nothing of HTTP.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest } from "../../model/request.ts";
import type { Tier } from "../../model/tier.ts";
import type { GraphqlField, GraphqlOperation } from "../graphql/document.ts";
import { readGraphql } from "../graphql/request.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";
import {
  type GraphqlScopes,
  type QueryReach,
  reachOf,
  scopesOfMutation,
  scopesOfQuery,
} from "./graphql-scopes.ts";
import { isPublishedMutation } from "./operations.ts";

/** Of the mutations' names the first rule that matches counts. */
const MUTATIONS: readonly (readonly [pattern: RegExp, tier: Tier, reason: string])[] = [
  [/^regenerate/, "break-glass", "issues a credential"],
  [/^(?:delete|remove|purge|destroy|revoke|cancel\w*Invitation|abort)/, "sensitive", "deletes or takes away"],
  [
    /^(?:grant|invite)|Role$|IdentityProvider|Collaborator|Administrator|^accept\w*Invitation/,
    "break-glass",
    "grants access",
  ],
  [
    /^(?:add|create)Enterprise(?:Organization|Member|SupportEntitlement)|IpAllowList/,
    "break-glass",
    "grants access",
  ],
  [
    /^accessUserNamespaceRepository|TwoFactor|DefaultRepositoryPermission|DeployKey/,
    "break-glass",
    "changes what guards access",
  ],
  [
    /^updateEnterpriseMembersCan|^updateTeamsRepository|^transferEnterprise/,
    "break-glass",
    "changes who may do what",
  ],
  [/^transfer|^update\w*AllowPrivateRepositoryForking/, "sensitive", "moves what belongs to somebody"],
];

/** Fields that hand out what opens something, at whatever depth they are asked for. */
const CREDENTIALS: ReadonlySet<string> = new Set(["tempCloneToken", "recoveryCodes", "accessToken"]);

const NOWHERE: GraphqlScopes = { labels: {}, unnamed: [] };

/** Classifies a request to the GraphQL endpoint. */
export function classifyGraphql(request: HttpRequest, method: string): Classification {
  if (method !== "POST" && method !== "GET" && method !== "HEAD")
    return unknownClassification("github", `GraphQL takes no ${method}`);
  const reading = readGraphql(request);
  if (reading.kind === "none")
    return method === "POST"
      ? unknownClassification("github", "a GraphQL request without a document")
      : answer("query __schema", "observe", "a GET without a document describes the schema", NOWHERE);
  const operations = reading.kind === "ok" ? reading.operations : reading.possible;
  const parts = distinct(operations.flatMap(classifyOperation));
  const [first, ...others] = parts;
  if (reading.kind === "unknown") {
    const unknown = unknownClassification("github", reading.reason);
    return strictestOf(
      unknown,
      ...parts.filter((part) => part.tier !== "observe" && part.tier !== "unknown"),
    );
  }
  return first === undefined
    ? unknownClassification("github", "an operation without fields")
    : strictestOf(first, ...others);
}

/** The tier of a mutation by its name, published or not. */
export function tierOfMutation(name: string): { readonly tier: Tier; readonly reason: string } {
  const rule = MUTATIONS.find(([pattern]) => pattern.test(name));
  return rule === undefined
    ? { tier: "modify", reason: `the mutation ${name} writes` }
    : { tier: rule[1], reason: `the mutation ${name} ${rule[2]}` };
}

function classifyOperation(operation: GraphqlOperation): readonly Classification[] {
  if (operation.kind === "mutation") return operation.fields.map(classifyMutation);
  const reach = reachOf(operation);
  const credential = [...CREDENTIALS].find((name) => operation.reached.has(name));
  return operation.fields.map((field) => classifyRead(operation.kind, field, credential, reach));
}

function classifyMutation(field: GraphqlField): Classification {
  const scopes = scopesOfMutation(field);
  if (field.name === "__typename") return answer("mutation __typename", "observe", "names a type", scopes);
  const named = tierOfMutation(field.name);
  const { tier, reason } = named.tier === "modify" ? (deletionAmong(field) ?? named) : named;
  const plain = answer(`mutation ${field.name}`, tier, reason, scopes);
  return isPublishedMutation(field.name)
    ? plain
    : doubtful(plain, `${field.name.slice(0, 80)} is not a published mutation`);
}

/** `updateRefs` moves many branches at once; one that is moved to nowhere is deleted. */
function deletionAmong({
  name,
  arguments: given,
}: GraphqlField): ReturnType<typeof tierOfMutation> | undefined {
  if (name !== "updateRefs") return undefined;
  const input = given.get("input");
  const updates = isRecord(input) ? input.refUpdates : undefined;
  const isPlain =
    Array.isArray(updates) &&
    updates.every((one) => isRecord(one) && typeof one.afterOid === "string" && !/^0*$/.test(one.afterOid));
  return isPlain ? undefined : { tier: "sensitive", reason: `the mutation ${name} may delete a branch` };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function classifyRead(
  kind: GraphqlOperation["kind"],
  field: GraphqlField,
  credential: string | undefined,
  reach: QueryReach,
): Classification {
  const command = `${kind} ${field.name}`;
  const scopes = scopesOfQuery(field, reach);
  return credential === undefined
    ? answer(command, "observe", `a GraphQL ${kind} only reads`, scopes)
    : answer(command, "sensitive", `the field ${credential} is a credential`, scopes);
}

function answer(
  command: string,
  tier: Tier,
  reason: string,
  { labels, unnamed }: GraphqlScopes,
): Classification {
  const aliases = [command.slice(command.indexOf(" ") + 1)];
  return withUnnamed({ protocol: "github", tier, command, aliases, labels, reason }, unnamed);
}

function distinct(parts: readonly Classification[]): readonly Classification[] {
  const seen = new Map<string, Classification>();
  for (const part of parts) {
    const key = `${part.command} ${part.tier} ${part.labels.repo ?? ""} ${part.labels.org ?? ""} ${part.unnamedScopes ?? ""}`;
    if (!seen.has(key)) seen.set(key, part);
  }
  return [...seen.values()];
}
