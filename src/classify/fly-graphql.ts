// Fly's GraphQL API: the root fields of what runs, each to a tier. Queries read, unless they ask for a credential; a
// mutation is tiered by the words of its name. Fly publishes no stable list of mutations, but the verbs with which
// their names begin have not changed, so a mutation with another verb is unknown. Knows nothing of HTTP.

import type { Classification } from "../model/classification.ts";
import type { HttpRequest } from "../model/request.ts";
import type { Tier } from "../model/tier.ts";
import { readGraphql } from "./graphql.ts";
import type { GraphqlField, GraphqlOperation } from "./graphql-document.ts";
import { strictestOf } from "./strictest.ts";
import { doubtful, unknownClassification } from "./unknown.ts";

/** Of the rules that match a mutation's name the first counts. */
const MUTATIONS: readonly (readonly [pattern: RegExp, tier: Tier, reason: string])[] = [
  [/OneTimePassword$|RecoveryCodes$/, "break-glass", "changes what guards a login"],
  [/^(?:delete|remove|destroy|unset|detach|release|revoke)/, "sensitive", "deletes or takes away"],
  [/Tokens?(?:$|[A-Z])|SshKey|^issueCertificate/, "break-glass", "issues a credential"],
  [/^(?!validate).*WireGuardPeer/, "break-glass", "opens a private network"],
  [/^grant|Invitation$|Membership$|ClusterUser$|^confirmCliSession/, "break-glass", "grants access"],
  [/Secrets?$|Password|^importCertificate|ThirdPartyConfiguration/, "sensitive", "changes a credential"],
  [/^kill|ReplaySource|CrossNetworkReplays/, "sensitive", "cuts or opens connections"],
];

const VERBS =
  /^(?:add|allocate|attach|build|cancel|change|check|configure|confirm|create|delete|deploy|destroy|detach|disable|discharge|dummy|enable|ensure|establish|export|extend|finish|fork|generate|grant|import|issue|kill|launch|lock|log|migrate|move|nomad|pause|prepare|redeem|register|release|remove|request|reset|resolve|restart|restore|resume|revoke|save|scale|send|set|start|stop|sync|unlock|unset|update|validate|verify)(?=[A-Z]|$)/;

/** Fields that hand out what opens something, at whatever depth they are asked for. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  "accessToken",
  "instrumentsKey",
  "password",
  "privateKey",
  "token",
  "tokenHeader",
]);

/** Classifies a request to the GraphQL endpoint. */
export function classifyFlyGraphql(request: HttpRequest, method: string): Classification {
  if (method !== "POST" && method !== "GET" && method !== "HEAD")
    return unknownClassification("fly", `GraphQL takes no ${method}`);
  const reading = readGraphql(request);
  if (reading.kind === "none") return unknownClassification("fly", "a GraphQL request without a document");
  const operations = reading.kind === "ok" ? reading.operations : reading.possible;
  const parts = distinct(operations.flatMap(classifyOperation));
  if (reading.kind === "unknown") {
    const unknown = unknownClassification("fly", reading.reason);
    return strictestOf(
      unknown,
      ...parts.filter((part) => part.tier !== "observe" && part.tier !== "unknown"),
    );
  }
  const [first, ...others] = parts;
  return first === undefined
    ? unknownClassification("fly", "an operation without fields")
    : strictestOf(first, ...others);
}

/** The tier of a mutation by the words of its name. */
export function tierOfFlyMutation(name: string): { readonly tier: Tier; readonly reason: string } {
  const rule = MUTATIONS.find(([pattern]) => pattern.test(name));
  return rule === undefined
    ? { tier: "modify", reason: `the mutation ${name} writes` }
    : { tier: rule[1], reason: `the mutation ${name} ${rule[2]}` };
}

function classifyOperation(operation: GraphqlOperation): readonly Classification[] {
  return operation.fields.map((field) =>
    operation.kind === "mutation" ? classifyMutation(field) : classifyRead(operation, field),
  );
}

function classifyMutation(field: GraphqlField): Classification {
  const labels = labelsOf(field);
  if (field.name === "__typename") return answer("mutation __typename", "observe", "names a type", labels);
  const { tier, reason } = tierOfFlyMutation(field.name);
  const plain = answer(`mutation ${field.name}`, tier, reason, labels);
  return VERBS.test(field.name)
    ? plain
    : doubtful(plain, `${field.name.slice(0, 80)} begins with no verb that Fly uses`);
}

function classifyRead(operation: GraphqlOperation, field: GraphqlField): Classification {
  const credential = [...CREDENTIALS].find((name) => operation.reached.has(name));
  const command = `${operation.kind} ${field.name}`;
  return credential === undefined
    ? answer(command, "observe", `a GraphQL ${operation.kind} only reads`, labelsOf(field))
    : answer(command, "sensitive", `the field ${credential} is a credential`, labelsOf(field));
}

function answer(
  command: string,
  tier: Tier,
  reason: string,
  labels: Readonly<Record<string, string>>,
): Classification {
  const aliases = [command.slice(command.indexOf(" ") + 1)];
  return { protocol: "fly", tier, command, aliases, labels, reason };
}

/** Apps are named by their name wherever an `appId` is asked for; organizations by a slug, or by an opaque id. */
function labelsOf({ name, arguments: given }: GraphqlField): Readonly<Record<string, string>> {
  const input = given.get("input");
  const texts = (...names: readonly string[]): readonly string[] =>
    names.flatMap((one) => [given.get(one), memberOf(input, one)]).filter(isText);
  const apps = name === "app" ? texts("name", "id", "internalId") : texts("appId", "appName");
  const orgs =
    name === "organization" ? texts("slug") : texts("orgSlug", "organizationSlug", "organization_slug");
  const labels: Record<string, string> = {};
  const [app] = apps;
  const [org] = orgs;
  // Two names for one thing would let the label be chosen.
  if (app !== undefined && apps.every((one) => one === app)) labels.app = app;
  if (org !== undefined && orgs.every((one) => one === org)) labels.org = org;
  return labels;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function distinct(parts: readonly Classification[]): readonly Classification[] {
  const seen = new Map<string, Classification>();
  for (const part of parts) {
    const key = `${part.command} ${part.tier} ${part.labels.app ?? ""} ${part.labels.org ?? ""}`;
    if (!seen.has(key)) seen.set(key, part);
  }
  return [...seen.values()];
}
