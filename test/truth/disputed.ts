// Cases whose label we hold to be wrong, each with the reason. They still count in every
// percentage; only the rule "no row below" leaves them out. Keep it short: a long list
// here means that the classifier is wrong, not the cases.

/** Case id to why its acceptable tiers are too high or too low. */
export const DISPUTED: ReadonlyMap<string, string> = new Map([
  [
    "aws-16525",
    "the request is endpoint discovery (DescribeEndpoints), sent by the client before CancelQuery",
  ],
  ["cloudflare-00363", "override codes switch a device's protection off: a credential is returned"],
  ["cloudflare-00585", "the list of TSIGs returns their shared secrets"],
  ["cloudflare-01440", "delete_by_ids deletes vectors"],
]);
