// Google's methods as the policy tools and the table of operations have them. Knows no request.

import { stricterTier, type Tier, type TierOrUnknown } from "../../model/tier.ts";
import type { CatalogueRow } from "../catalogue.ts";
import type { KnownOperation } from "../known-operation.ts";
import { googleTable } from "./methods.ts";
import { googleTier } from "./tier.ts";

/** Every published method. */
export function googleOperations(): readonly KnownOperation[] {
  return googleTable
    .rows()
    .map(({ operation, tier }) => ({ command: operation, aliases: [], tier: tier as Tier }));
}

/** The columns of a row that follow from the rules: of several routes the strictest tier. */
export function gcloudColumns({
  operation,
  routes,
}: Pick<CatalogueRow, "operation" | "routes">): Pick<CatalogueRow, "tier" | "scope"> {
  const parts = operation.split(".");
  const [api = "", ...words] = parts.slice(0, -1);
  const tiers = routes.map(
    ({ method }) => googleTier({ api, words, verb: parts.at(-1) ?? "", method, isPublished: true }).tier,
  );
  const tier = tiers.reduce<TierOrUnknown>(stricterTier, "observe");
  const isOfProject = routes.some(({ path }) => /\/projects\/\*/.test(path));
  return { tier, scope: isOfProject ? "project" : "" };
}
