// The files that a call names: what only reads is as risky as what it reads, and no path lowers a
// tier.

import { expect, test } from "bun:test";
import type { Classification } from "../../../src/model/classification.ts";
import type { TierOrUnknown } from "../../../src/model/tier.ts";
import { raisedByPaths } from "../../../src/protocols/mcp-servers/path-argument.ts";

const own = (tier: TierOrUnknown): Classification => ({
  protocol: "mcp",
  tier,
  reason: "said",
  command: "s/t",
  aliases: [],
  labels: {},
});
const tierOf = (from: TierOrUnknown, args: object) =>
  raisedByPaths(own(from), { server: "s", method: "tools/call", params: { name: "t", arguments: args } })
    .tier;

const rows: readonly { readonly from: TierOrUnknown; readonly args: object; readonly is: TierOrUnknown }[] = [
  { from: "observe", args: { path: "/home/u/.ssh/id_ed25519" }, is: "sensitive" },
  { from: "observe", args: { path: "/home/u/src/../.aws/credentials" }, is: "sensitive" },
  { from: "observe", args: { path: "~/.kube/config" }, is: "sensitive" },
  { from: "observe", args: { paths: ["README.md", "app/.env"] }, is: "sensitive" },
  { from: "observe", args: { filePath: "%2Fetc%2Fshadow" }, is: "sensitive" },
  { from: "observe", args: { uri: "file:///root/.netrc" }, is: "sensitive" },
  { from: "observe", args: { options: { source_file: "/etc/shadow" } }, is: "sensitive" },
  { from: "observe", args: { path: "/home/u/src/main.ts" }, is: "observe" },
  { from: "observe", args: { query: "/etc/shadow and passwords" }, is: "observe" },
  { from: "observe", args: { url: "https://example.com/.env" }, is: "observe" },
  { from: "observe", args: { path: "a\nb/.env" }, is: "observe" },
  { from: "modify", args: { path: "src/main.ts", content: "read ~/.ssh/id_rsa" }, is: "modify" },
  { from: "modify", args: { path: "/home/u/.ssh/authorized_keys" }, is: "break-glass" },
  { from: "sensitive", args: { path: "/etc/sudoers.d/x" }, is: "break-glass" },
  { from: "modify", args: { destination: "/home/u/.bashrc" }, is: "sensitive" },
  { from: "unknown", args: { path: "/etc/shadow" }, is: "unknown" },
  { from: "break-glass", args: { path: "README.md" }, is: "break-glass" },
];
for (const { from, args, is } of rows)
  test(`${from} with ${JSON.stringify(args)} is ${is}`, () => expect(tierOf(from, args)).toBe(is));

test("a resource is as risky as the file that it names", () => {
  const read = (uri: string) =>
    raisedByPaths(own("observe"), { server: "s", method: "resources/read", params: { uri } }).tier;
  expect(read("file:///home/u/.ssh/id_rsa")).toBe("sensitive");
  expect(read("file:///home/u/notes.md")).toBe("observe");
});
