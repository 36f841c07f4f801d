// Requests of github for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://api.github.com/repos/a/b/pulls",
  "DELETE https://api.github.com/repos/a/b",
  "POST https://api.github.com/graphql",
];
