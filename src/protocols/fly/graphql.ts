// Fly's GraphQL API: the root fields of what runs, each to a tier. Queries read, unless they ask
// for a credential; a mutation is tiered by the words of its name. Fly publishes no stable list of
// mutations, but the verbs with which their names begin have not changed, so a mutation with
// another verb is unknown. Knows nothing of HTTP.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest } from "../../model/request.ts";
import type { Tier } from "../../model/tier.ts";
import type { GraphqlOperation } from "../graphql/document.ts";
import { readGraphql } from "../graphql/request.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";
import { type FlyScopes, leadsOf, scopesOfField } from "./graphql-scopes.ts";

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

/**
 * Fields that hand out what opens something, at whatever depth they are asked for: by the word that their names end
 * in; an add-on's environment and its links carry passwords.
 */
const CREDENTIAL =
  /(?:token|tokenHeader|password|privateKey|secretKey|accessKey|instrumentsKey|connectionString|recoveryCodes?)$|^(?:ssoLink|environment|publicUrl|secret|apiKey|macaroon)$/i;

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
  const leads = leadsOf(operation);
  const credential = [...operation.reached].find((name) => CREDENTIAL.test(name));
  return operation.fields.map((field) => {
    const scopes = scopesOfField(field, leads);
    return operation.kind === "mutation"
      ? classifyMutation(field.name, scopes)
      : classifyRead(`${operation.kind} ${field.name}`, credential, scopes);
  });
}

function classifyMutation(name: string, scopes: FlyScopes): Classification {
  if (name === "__typename") return answer("mutation __typename", "observe", "names a type", scopes);
  const { tier, reason } = tierOfFlyMutation(name);
  const plain = answer(`mutation ${name}`, tier, reason, scopes);
  return VERBS.test(name) ? plain : doubtful(plain, `${name.slice(0, 80)} begins with no verb that Fly uses`);
}

function classifyRead(command: string, credential: string | undefined, scopes: FlyScopes): Classification {
  const kind = command.slice(0, command.indexOf(" "));
  return credential === undefined
    ? answer(command, "observe", `a GraphQL ${kind} only reads`, scopes)
    : answer(command, "sensitive", `the field ${credential} is a credential`, scopes);
}

function answer(command: string, tier: Tier, reason: string, { labels, unnamed }: FlyScopes): Classification {
  const aliases = [command.slice(command.indexOf(" ") + 1)];
  return withUnnamed({ protocol: "fly", tier, command, aliases, labels, reason }, unnamed);
}

function distinct(parts: readonly Classification[]): readonly Classification[] {
  const seen = new Map<string, Classification>();
  for (const part of parts) {
    const key = `${part.command} ${part.tier} ${part.labels.app ?? ""} ${part.labels.org ?? ""} ${part.unnamedScopes ?? ""}`;
    if (!seen.has(key)) seen.set(key, part);
  }
  return [...seen.values()];
}
