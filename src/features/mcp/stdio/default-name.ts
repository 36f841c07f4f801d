// The name of a server whose command line has none: the name that a person would give it. Pure.

/** `npx -y @modelcontextprotocol/server-memory@1.2.3` is `memory`. */
export function defaultName(command: readonly string[]): string {
  const words = command.filter((word) => !word.startsWith("-"));
  const isLauncher =
    /(?:^|\/)(?:npx|bunx|pnpx|uvx|uv|pipx|node|nodejs|bun|deno|python[\d.]*|docker|podman)$/.test(
      words[0] ?? "",
    );
  const skipped = new Set(["run", "tool", "exec", "dlx", "x"]);
  const word =
    (isLauncher ? words.slice(1).find((each) => !skipped.has(each)) : words[0]) ?? words[0] ?? "server";
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(word)?.[1] ?? word;
  const name = inPackage
    .replace(/(?<=.)@[^/]*$/, "")
    .replace(/:[^/]*$/, "")
    .split("/")
    .filter((part) => part !== "")
    .at(-1)
    ?.toLowerCase()
    .replace(/\.(?:js|mjs|cjs|ts|py|exe|cmd)$/, "")
    .replace(/^(?:mcp-server-|server-|mcp-)/, "")
    .replace(/-mcp(?:-server)?$|-server$/, "")
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 64);
  return name === undefined || name === "" ? "server" : name;
}
