// Recorded sessions with a real kubectl, through the compiled gateway, to the stand-in cluster:
// over WebSocket and over SPDY, with and without a terminal. What is replayed is what was seen,
// octet for octet.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SessionReport } from "../../src/api/session-report.ts";
import { findClient, runClient } from "../support/clients.ts";
import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { eventually } from "../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";

setDefaultTimeout(90_000);

const POLICY = `
kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    worst: { tiers: [break-glass] }
  rules:
    allow: { groups: [read, worst] }
`;

const found = findClient("kubectl");

for (const transport of found === undefined ? [] : (["WebSocket", "SPDY"] as const))
  describe(`a session over ${transport}`, () => {
    let cluster: Cluster;
    let gateway: GatewayProcess;
    let overlay: string;

    const kubectl = (args: readonly string[], input?: string | Uint8Array) =>
      runClient(found ?? "", args, {
        env: {
          HOME: gateway.home,
          KUBECONFIG: overlay,
          KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(transport === "WebSocket"),
        },
        ...(input === undefined ? {} : { input }),
      });
    const sessions = async () => (await gateway.control.call("sessions_list", {})).sessions;
    const ended = (fits: (session: SessionReport) => boolean) =>
      eventually(
        async () => (await sessions()).find(fits),
        (session) => session !== undefined && session.state !== "open",
      );
    const linesOf = async (id: string) => {
      const text = await readFile(join(gateway.home, "recordings", `${id}.jsonl`), "utf8");
      return text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    };
    const streamOf = async (id: string, name: string) =>
      Buffer.concat(
        (await linesOf(id))
          .filter((line) => Array.isArray(line) && line[1] === name)
          .map(([, , text]) => Buffer.from(text, "base64")),
      );

    beforeAll(async () => {
      cluster = await startCluster();
      gateway = await startGatewayProcess({ policy: POLICY });
      overlay = await gateway.overlay(kubeconfigText(cluster, "token"));
    });
    afterAll(async () => {
      await gateway?.[Symbol.asyncDispose]();
      await cluster?.[Symbol.asyncDispose]();
    });

    test("an exec without a terminal: argv, both outputs and the exit code", async () => {
      const script = "printf out; printf err >&2; exit 7";
      const { stdout, stderr, code } = await kubectl([
        "exec",
        "api",
        "-n",
        "payments",
        "--",
        "sh",
        "-c",
        script,
      ]);
      expect({ stdout, code }).toEqual({ stdout: "out", code: 7 });
      expect(stderr).toStartWith("err");
      const session = await ended(({ argv }) => argv.includes(script));
      expect(session).toMatchObject({
        kind: "exec",
        namespace: "payments",
        pod: "api",
        argv: ["sh", "-c", script],
        is_tty: false,
        exit_code: 7,
        state: "ended",
        octets: { stdout: 3, stderr: 3 },
      });
      const id = session?.id ?? "";
      expect((await streamOf(id, "stdout")).toString()).toBe("out");
      expect((await streamOf(id, "stderr")).toString()).toBe("err");
      expect(session?.sha256?.stdout).toBe(new Bun.CryptoHasher("sha256").update("out").digest("hex"));
      const rows = await gateway.rowsWhen((all) => all.some(({ op }) => op === "session"));
      expect(rows.find(({ op, fields }) => op === "mitm" && fields.recording === id)?.fields.status).toBe(
        101,
      );
      expect(
        rows.find(({ op, fields }) => op === "session" && fields.recording === id)?.fields,
      ).toMatchObject({
        exit_code: 7,
        request_id: session?.request_id,
      });
    });

    test("what is piped into an exec is kept, and comes out as it went in", async () => {
      const sent = crypto.getRandomValues(new Uint8Array(60_000));
      const { code } = await kubectl(
        ["exec", "-i", "api", "-n", "payments", "--", "sh", "-c", "cat > /dev/null; echo got"],
        sent,
      );
      expect(code).toBe(0);
      const session = await ended(({ argv }) => argv.at(-1)?.includes("echo got") === true);
      expect(Buffer.from(await streamOf(session?.id ?? "", "stdin")).equals(Buffer.from(sent))).toBe(true);
    });

    test("two megabytes of output are replayed octet for octet", async () => {
      const script = "head -c 2000000 /dev/urandom";
      const child = Bun.spawn([found ?? "", "exec", "api", "-n", "payments", "--", "sh", "-c", script], {
        env: {
          PATH: process.env.PATH ?? "",
          HOME: gateway.home,
          KUBECONFIG: overlay,
          KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(transport === "WebSocket"),
        },
        stdout: "pipe",
        stderr: "ignore",
      });
      const seen = Buffer.from(await new Response(child.stdout).arrayBuffer());
      expect(seen).toHaveLength(2_000_000);
      const session = await ended(({ argv }) => argv.includes(script));
      expect((await streamOf(session?.id ?? "", "stdout")).equals(seen)).toBe(true);
    });

    test("recordings are the owner's alone", async () => {
      const folder = join(gateway.home, "recordings");
      const [name = ""] = await readdir(folder);
      const { mode } = await Bun.file(join(folder, name)).stat();
      expect(mode & 0o777).toBe(0o600);
    });

    test("the commands show, replay and export it", async () => {
      const script = "printf 'one\\ntwo\\n'";
      await kubectl(["exec", "api", "-n", "payments", "--", "sh", "-c", script]);
      const { id = "" } = (await ended(({ argv }) => argv.includes(script))) ?? {};
      expect((await gateway.run(["session", "list"])).stdout).toContain(id);
      expect((await gateway.run(["session", "show", id])).stdout).toContain("state      ended, exit code 0");
      expect((await gateway.run(["session", "replay", id, "--speed", "0"])).stdout).toBe("one\ntwo\n");
      const cast = (await gateway.run(["session", "export", id, "--format", "asciicast-v2"])).stdout
        .trimEnd()
        .split("\n");
      expect(JSON.parse(cast[0] ?? "")).toMatchObject({ version: 2, width: 80, height: 24 });
      expect(
        cast
          .slice(1)
          .map((line) => JSON.parse(line)[2])
          .join(""),
      ).toBe("one\r\ntwo\r\n");
      expect((await gateway.run(["session", "export", id, "--format", "text"])).stdout).toBe("one\ntwo\n");
    });
  });
