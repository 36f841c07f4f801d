// Requests of helm for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://charts.example/index.yaml",
  "DELETE https://charts.example/api/charts/a/1",
];
