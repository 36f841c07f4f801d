// AWS's operations as the policy tools and the table of operations have them: the columns of a row
// beside the facts of the API models. Knows no request.

import type { Tier } from "../../model/tier.ts";
import type { CatalogueRow } from "../catalogue.ts";
import type { KnownOperation } from "../known-operation.ts";
import { awsCatalogue, awsTable, cliOperationName } from "./catalogue.ts";
import { awsTier } from "./tier.ts";

const NO_BUCKET = { bucket: ["none"] } as const;

/** Every operation of every API, each with its own tier, without the work of describing it. */
export function awsOperations(): readonly KnownOperation[] {
  const { byCli } = awsCatalogue();
  return awsTable.rows().map(({ service, operation, tier, more }) => {
    const iam = byCli.get(service)?.iam ?? service;
    const action = more[1] === undefined || more[1] === "" ? operation : more[1];
    const aliases = [`${iam}:${operation}`];
    if (action !== operation) aliases.push(`${iam}:${action}`);
    if (iam !== service) aliases.push(`${service}:${operation}`);
    return {
      command: `${service} ${cliOperationName(operation)}`,
      aliases,
      tier: tier as Tier,
      // Only S3's own requests are in a bucket, whatever others say of one in their bodies.
      ...(/^s3/.test(service) ? {} : { reach: NO_BUCKET }),
    };
  });
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
