// Cases whose label we hold to be wrong, each with the reason. They still count in every
// percentage; only the rule "no row below" leaves them out. Keep it short: a long list
// here means that the classifier is wrong, not the cases.

/** Case id to why its lowest acceptable tier is too high. */
export const DISPUTED: ReadonlyMap<string, string> = new Map([
  [
    "aws-16525",
    "the request is endpoint discovery (DescribeEndpoints), sent by the client before CancelQuery",
  ],
]);
