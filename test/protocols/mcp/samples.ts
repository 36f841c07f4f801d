// Requests of mcp for the laws that every classifier keeps (../contract.test.ts).

/** Real-looking requests. */
export const REQUESTS: readonly string[] = [
  "POST https://mcp.example/mcp",
  "GET https://mcp.example/mcp",
  "DELETE https://mcp.example/mcp",
  "GET https://mcp.example/.well-known/oauth-protected-resource",
];
