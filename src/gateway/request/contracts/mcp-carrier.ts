// The contract between the HTTP front and the feature that serves requests to hosts of the policy's
// `mcp` block. The feature is above this room; the daemon puts the two together.

import type { ClientRequest } from "../http/http-carrier.ts";

/** Serves requests to MCP servers. */
export interface McpCarrier {
  /**
   * Serves one to its end. `asHttp` judges a request as plain HTTP, without knowing its server; it may be
   * given the request with another `forward`. Throws what forwarding throws.
   */
  serve(request: ClientRequest, asHttp: (request: ClientRequest) => Promise<void>): Promise<void>;
}
