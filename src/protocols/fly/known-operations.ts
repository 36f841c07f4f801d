// Fly's operations as the policy tools have them. Fly publishes no list of its mutations.

import type { Tier } from "../../model/tier.ts";
import type { KnownOperation } from "../known-operation.ts";
import { flyNames, flyTable } from "./operations.ts";

/** Every published operation of the REST APIs. */
export function flyOperations(): readonly KnownOperation[] {
  return flyTable
    .rows()
    .map(({ operation, tier }) => ({ command: operation, aliases: flyNames(operation), tier: tier as Tier }));
}
