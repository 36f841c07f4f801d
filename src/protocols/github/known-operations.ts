// GitHub's operations and mutations as the policy tools and the table of operations have them.
// Knows no request.

import { stricterTier, type Tier, type TierOrUnknown } from "../../model/tier.ts";
import type { CatalogueRow } from "../catalogue.ts";
import type { KnownOperation } from "../known-operation.ts";
import { tierOfMutation } from "./graphql.ts";
import { githubTable, type PublishedVerb } from "./operations.ts";
import { githubTier } from "./tier.ts";

const MUTATION = /^mutation /;

/** Every published operation and mutation. */
export function githubOperations(): readonly KnownOperation[] {
  return githubTable.rows().map(({ operation, tier }) => ({
    command: operation,
    aliases: MUTATION.test(operation) ? [operation.replace(MUTATION, "")] : [],
    tier: tier as Tier,
  }));
}

/** The columns of a row that follow from the rules: of several routes the strictest tier. */
export function githubColumns({
  operation,
  routes,
}: Pick<CatalogueRow, "operation" | "routes">): Pick<CatalogueRow, "tier" | "scope"> {
  if (MUTATION.test(operation))
    return { tier: tierOfMutation(operation.replace(MUTATION, "")).tier, scope: "" };
  const tier = routes
    .map(({ method }) => githubTier(method as PublishedVerb, operation).tier)
    .reduce<TierOrUnknown>(stricterTier, "observe");
  const names = routes.map(({ path }) => path);
  const isOf = (sign: string) => names.some((path) => path.includes(sign));
  return { tier, scope: isOf("{repo}") ? "repo" : isOf("{org}") ? "org" : "" };
}
