// What a request to a host of the policy's `mcp` block is handed to. The feature that knows MCP is above this room; the
// daemon puts the two together.

import type { ClientRequest } from "./http/http-carrier.ts";

/** Serves requests to MCP servers. */
export interface McpCarrier {
  /**
   * Serves one to its end. `asHttp` judges a request by what it is in HTTP, without knowing its server; it may be given
   * the request with another `forward`. Throws what forwarding throws.
   */
  serve(request: ClientRequest, asHttp: (request: ClientRequest) => Promise<void>): Promise<void>;
}
