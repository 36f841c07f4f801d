// Cloudflare's operations as the policy tools and the table of operations have them: commands,
// tiers and the scopes that paths name. Knows no request.

import { stricterTier, type Tier, type TierOrUnknown } from "../../model/tier.ts";
import type { CatalogueRow } from "../catalogue.ts";
import type { KnownOperation } from "../known-operation.ts";
import { cloudflareTable } from "./operations.ts";
import { tierOfCloudflareOperation } from "./tier.ts";

/** Every published operation. */
export function cloudflareOperations(): readonly KnownOperation[] {
  return cloudflareTable
    .rows()
    .map(({ operation, tier }) => ({ command: operation, aliases: [], tier: tier as Tier }));
}

/** The columns of a row that follow from the rules: of several routes the strictest tier. */
export function cloudflareColumns({
  operation,
  routes,
}: Pick<CatalogueRow, "operation" | "routes">): Pick<CatalogueRow, "tier" | "scope"> {
  const tier = routes
    .map(({ method, path }) => {
      const words = path.split("/").filter((word) => word !== "" && !/^[*{]/.test(word));
      return tierOfCloudflareOperation(method, { id: operation, words, account: undefined, zone: undefined })
        .tier;
    })
    .reduce<TierOrUnknown>(stricterTier, "observe");
  const scopes = [
    ["account", /^\/(?:accounts\/\*|\{accounts)/],
    ["zone", /^\/(?:zones\/\*|\{accounts)/],
  ] as const;
  return {
    tier,
    scope: scopes
      .filter(([, path]) => routes.some((one) => path.test(one.path)))
      .map(([name]) => name)
      .join(","),
  };
}
