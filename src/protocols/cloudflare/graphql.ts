// Cloudflare's GraphQL API, which is analytics: it only reads. A mutation would be something new,
// and is unknown. Knows nothing of REST, nor which requests are GraphQL: that is cloudflare.ts's.

import type { Classification } from "../../model/classification.ts";
import type { HttpRequest } from "../../model/request.ts";
import type { GraphqlOperation } from "../graphql/document.ts";
import { readGraphql } from "../graphql/request.ts";
import { strictestOf } from "../strictest.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withUnnamed } from "../unnamed-scopes.ts";

/** Classifies a request to `/client/v4/graphql`. */
export function classifyCloudflareGraphql(request: HttpRequest, method: string): Classification {
  if (method !== "POST" && method !== "GET" && method !== "HEAD")
    return unknownClassification("cloudflare", `GraphQL takes no ${method}`);
  const reading = readGraphql(request);
  if (reading.kind === "none")
    return unknownClassification("cloudflare", "a GraphQL request without a document");
  const operations = reading.kind === "ok" ? reading.operations : reading.possible;
  const parts = operations.flatMap(classifyOperation);
  if (reading.kind === "unknown") {
    const unknown = unknownClassification("cloudflare", reading.reason);
    return strictestOf(unknown, ...parts.filter((part) => part.tier !== "observe"));
  }
  const [first, ...others] = parts;
  return first === undefined
    ? unknownClassification("cloudflare", "an operation without fields")
    : strictestOf(first, ...others);
}

function classifyOperation({ kind, fields }: GraphqlOperation): readonly Classification[] {
  const names = [...new Set(fields.map((field) => field.name))];
  return names.map((name) => {
    const command = `graphql.${name}`;
    if (kind !== "mutation") return answer(command, "observe", `a GraphQL ${kind} only reads`);
    return doubtful(
      answer(command, "modify", `the mutation ${name} writes`),
      `${name} is not a published mutation`,
    );
  });
}

function answer(command: string, tier: "observe" | "modify", reason: string): Classification {
  // Accounts and zones are named in filters, deep in the document, if at all.
  return withUnnamed({ protocol: "cloudflare", tier, command, aliases: [], labels: {}, reason }, [
    "account",
    "zone",
  ]);
}
