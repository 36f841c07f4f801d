// Requests of terraform for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://providers.example/v1/providers/a/b/versions",
  "POST https://app.terraform.io/api/v2/runs",
];
