// MCP and `iddio run`: a server that is started in a sandbox, and the wrapper as an agent in a run
// starts it. The daemon judges both, and the run is what is recorded.

import { expect, setDefaultTimeout, test } from "bun:test";
import { noSandbox, startSandbox } from "../../support/sandbox/sandbox.ts";
import { PROJECT_ROOT } from "../../support/source-files.ts";

setDefaultTimeout(300_000);

const POLICY = `mcp:
  default: deny
  groups:
    free: {commands: ["own/look", "own/initialize"]}
  rules:
    allow: {groups: [free]}
`;

/** A server without anything beside it: it tells what it sees. */
const SERVER = `import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    method = asked["method"]
    if method == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "own", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": n, "description": n, "inputSchema": {"type": "object"}} for n in ("look", "touch_it")]}
    else:
        seen = {"secret": os.path.exists(os.path.expanduser("~/.ssh/id_ed25519")), "run": os.path.exists("/run/iddio/api")}
        result = {"content": [{"type": "text", "text": json.dumps(seen)}]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
`;

const MESSAGES = [
  {
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
  },
  { method: "notifications/initialized" },
  { id: 2, method: "tools/list", params: {} },
  { id: 3, method: "tools/call", params: { name: "look", arguments: {} } },
  { id: 4, method: "tools/call", params: { name: "touch_it", arguments: {} } },
]
  .map((each) => JSON.stringify({ jsonrpc: "2.0", ...each }))
  .join("\\n");

/** Sends one message after the other, each when the answer to the one before is here. */
const CLIENT = `import json, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for line in """${MESSAGES}""".split("\\n"):
    child.stdin.write(line.encode() + b"\\n")
    child.stdin.flush()
    if "id" in json.loads(line):
        print(child.stdout.readline().decode(), end="", flush=True)
child.stdin.close()
sys.exit(child.wait())
`;

if (PROJECT_ROOT !== "" && noSandbox() === undefined)
  for (const [name, client, isRun] of [
    [
      "a server in a sandbox",
      ["mcp", "run", "--sandbox", "--name", "own", "--", "python3", "server.py"],
      false,
    ],
    ["a wrapper in a run", ["mcp", "run", "--name", "own", "--", "python3", "server.py"], true],
    [
      "a sandbox asked for in a run",
      ["mcp", "run", "--sandbox", "--name", "own", "--", "python3", "server.py"],
      true,
    ],
  ] as const)
    test(`${name} sees no secrets, and its calls are judged`, async () => {
      await using sandbox = await startSandbox({ policy: POLICY });
      await sandbox.write(`${sandbox.project}/server.py`, SERVER);
      await sandbox.write(`${sandbox.project}/client.py`, CLIENT);
      await sandbox.outside(["mkdir", "-p", `${sandbox.home}/.ssh`]);
      await sandbox.write(`${sandbox.home}/.ssh/id_ed25519`, "secret");
      const { code, stdout, stderr } = isRun
        ? await sandbox.inside(`python3 client.py iddio ${client.join(" ")}`, { timeoutMs: 200_000 })
        : await sandbox.outside(["python3", "client.py", sandbox.binary, ...client], { timeoutMs: 200_000 });
      const answers = stdout
        .trim()
        .split("\n")
        .filter((line) => line.startsWith("{"));
      expect([code, answers.length, stderr]).toEqual([0, 4, expect.any(String)]);
      const [, list = "", look = "", touch = ""] = answers;
      // A tool that the policy denies in every case is not listed.
      expect(list).toContain('"look"');
      expect(list).not.toContain("touch_it");
      expect(look).toContain('{\\"secret\\": false, \\"run\\": true}');
      expect(touch).toContain("by policy");
      const rows = await sandbox.rowsWhen((all) =>
        all.some(({ fields }) => fields.command === "own/touch_it"),
      );
      const of = rows.find(({ op, fields }) => op === "mcp" && fields.command === "own/look")?.fields
        .client as { run?: string } | undefined;
      expect(of?.run !== undefined).toBe(isRun);
    });
