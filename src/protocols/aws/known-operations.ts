// AWS's operations as the policy tools and the table of operations have them: what a row says beside the facts of
// the API models. Knows no request.

import type { CatalogueRow } from "../catalogue.ts";
import type { KnownOperation } from "../known-operation.ts";
import { awsCatalogue } from "./catalogue.ts";
import { describeOperations } from "./description.ts";
import { awsTier } from "./tier.ts";

/** Every operation of every API, each with its own tier. */
export function awsOperations(): readonly KnownOperation[] {
  const apis = new Set(awsCatalogue().byCli.values());
  return [...apis].flatMap((api) => [...api.operations().values()].map((one) => describeOperations([one])));
}

/** The columns of a row that follow from the rules; the API must be in apis.tsv. */
export function awsColumns({
  service,
  operation,
  routes,
  more,
}: Omit<CatalogueRow, "tier" | "scope">): Pick<CatalogueRow, "tier" | "scope"> {
  const api = awsCatalogue().byCli.get(service);
  if (api === undefined) throw new Error(`apis.tsv has no '${service}'`);
  const [level = "-", action = ""] = more;
  const { tier } = awsTier({
    api,
    name: operation,
    action: action === "" ? operation : action,
    level: level as Parameters<typeof awsTier>[0]["level"],
    bindings: routes,
  });
  const isOfBucket = service === "s3api" && routes.some(({ path }) => path.startsWith("/{}"));
  return { tier, scope: isOfBucket ? "bucket" : "" };
}
