// Requests of generic for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://h.example/a",
  "POST https://h.example/v1/delete-user",
  "DELETE https://h.example/a",
];
