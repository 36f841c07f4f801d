// Requests of cloudflare for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "GET https://api.cloudflare.com/client/v4/zones",
  "DELETE https://api.cloudflare.com/client/v4/zones/z/dns_records/r",
];
