// doctor: MCP servers of which something waits for a person, and servers whose code is whatever
// there is when it runs. Both are hidden or held all the same; this is where somebody finds out why
// a tool is missing.

import type { CheckContext, Finding } from "../../cli/kit/check.ts";
import type { StatePaths } from "../../state/paths.ts";

/** The daemon's facts about one server. */
export interface McpServerFacts {
  readonly name: string;
  readonly waits: number;
  readonly identities: readonly { readonly unpinned?: string | undefined }[];
}

/** Looks at the servers that were seen. */
export async function checkMcp({ daemon, paths }: CheckContext): Promise<Finding> {
  const { ControlClient } = await import("../../api/client.ts");
  const answer =
    daemon && (await new ControlClient(paths.socket).call("mcp_list", {}).catch(() => undefined));
  return mcpFinding(answer?.servers, paths);
}

/** The finding about servers; a skip where no daemon answers. */
export function mcpFinding(
  servers: readonly McpServerFacts[] | undefined,
  paths: Pick<StatePaths, "database">,
): Finding {
  const about = { check: "mcp", lookedAt: paths.database };
  if (servers === undefined) return { ...about, verdict: "skip", detail: "no daemon to ask" };
  if (servers.length === 0) return { ...about, verdict: "ok", detail: "no MCP server was seen" };
  const waiting = servers.filter(({ waits }) => waits > 0);
  const [first] = waiting;
  if (first !== undefined)
    return {
      ...about,
      verdict: "warn",
      detail: `hidden until it is reviewed: something of ${waiting.map(({ name }) => name).join(", ")}`,
      fix: `iddio mcp review ${first.name}`,
    };
  const unpinned = servers.filter(({ identities }) => identities.at(-1)?.unpinned !== undefined);
  const note =
    unpinned.length === 0 ? "" : `; code not pinned: ${unpinned.map(({ name }) => name).join(", ")}`;
  return { ...about, verdict: "ok", detail: `${servers.length} seen, nothing waits${note}` };
}
