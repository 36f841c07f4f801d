// The name and address of the MCP server behind a request to an inspected host: its host, and its
// path where that is not a usual one. Rules name servers, so a path that a server may read as
// another one has that one's name.

import { createHash } from "node:crypto";
import type { RequestHead } from "../../../model/request.ts";
import { bracketed } from "../../../text/host-port.ts";
import { splitTarget } from "../../../wire/path.ts";

/** The server that a request is for; undefined for a path that is longer than any server's. */
export function serverAt({
  host,
  port,
  target,
}: Pick<RequestHead, "host" | "port" | "target">): { name: string; url: string } | undefined {
  const { path } = splitTarget(target);
  if (path.length > 1_000) return undefined;
  const plain = usualPath(path);
  const parts = [
    host.replace(/^[^a-z0-9]+/, "").replace(/[^a-z0-9._-]+/g, "-"),
    ...(port === 443 || port === 80 ? [] : [String(port)]),
    ...(plain === "" || plain === "/mcp" ? [] : [plain.replace(/[^a-z0-9._]+/g, "-").replace(/^-/, "")]),
  ];
  const whole = parts.join("-");
  const digest = createHash("sha256").update(`${host}:${port}${plain}`).digest("hex").slice(0, 8);
  const isPlain = /^[a-z0-9._/-]*$/.test(plain) && !plain.slice(1).includes("/");
  const name = whole.length <= 64 && isPlain ? whole : `${whole.slice(0, 55)}-${digest}`;
  // The address is the path as it was sent: one that is spelled otherwise is another server under the same name.
  return {
    name,
    url: `https://${bracketed(host)}${port === 443 ? "" : `:${port}`}${path.replace(/\/+$/, "")}`,
  };
}

/** One spelling of all that a server may take for the same path: escapes, case, empty and dot segments, parameters. */
function usualPath(path: string): string {
  let text = path;
  // Twice, because a server behind a proxy may unescape what was unescaped before.
  for (let turn = 0; turn < 2; turn++)
    text = text.replace(/%([0-9a-f]{2})/gi, (whole, code: string) => {
      const sign = String.fromCharCode(Number.parseInt(code, 16));
      return /[\x21-\x7e]/.test(sign) ? sign : whole;
    });
  const segments: string[] = [];
  for (const segment of text.replaceAll("\\", "/").split("/")) {
    const [bare = ""] = segment.split(";");
    if (bare === "..") segments.pop();
    else if (bare !== "" && bare !== ".") segments.push(bare.toLowerCase());
  }
  return segments.length === 0 ? "" : `/${segments.join("/")}`;
}
