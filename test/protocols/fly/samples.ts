// Requests of fly for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://api.machines.dev/v1/apps/a/machines",
  "POST https://api.fly.io/graphql",
];
