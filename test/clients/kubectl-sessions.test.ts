// Recorded sessions with a real kubectl, through the compiled gateway, to the stand-in cluster:
// over WebSocket and over SPDY, with and without a terminal. What is replayed is what was seen,
// octet for octet.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SessionReport } from "../../src/api/session-report.ts";
import { findClient, runClient, startClient } from "../support/clients.ts";
import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { eventually } from "../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";
import { startPty } from "../support/pages/pty.ts";

setDefaultTimeout(120_000);

const POLICY = `
kubectl:
  inspect: ["*.eks.amazonaws.com"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    worst: { tiers: [break-glass] }
  namespaces:
    - names: [sandbox]
      rules: { allow: { groups: [read] }, escalate: { groups: [worst] } }
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
          .map(([, , what]) => Buffer.from(typeof what === "string" ? what : "", "base64")),
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

    test("cp into a container and out of it: the archive that went over is kept", async () => {
      const payload = Buffer.from(crypto.getRandomValues(new Uint8Array(50_000)));
      const [there, back] = [join(gateway.home, "there.bin"), join(gateway.home, "back.bin")];
      await Bun.write(there, payload);
      expect((await kubectl(["cp", "-n", "payments", there, "api:/data.bin"])).code).toBe(0);
      expect((await kubectl(["cp", "-n", "payments", "api:/data.bin", back])).code).toBe(0);
      expect(payload.equals(await readFile(back))).toBe(true);
      const into = await ended(({ argv }) => argv[0] === "tar" && argv.includes("-xmf"));
      const out = await ended(({ argv }) => argv[0] === "tar" && argv.includes("cf"));
      for (const [session, stream] of [
        [into, "stdin"],
        [out, "stdout"],
      ] as const)
        expect((await streamOf(session?.id ?? "", stream)).includes(payload)).toBe(true);
    });

    test("cp is one question: its first step tells of the second, which goes with it, and nothing else does", async () => {
      const payload = crypto.getRandomValues(new Uint8Array(5_000));
      const there = join(gateway.home, "one-question.bin");
      await Bun.write(there, payload);
      const copied = kubectl(["cp", "-n", "sandbox", there, "tools:/one.bin"]);
      const asked = await gateway.held(({ next }) => next !== undefined);
      expect(asked).toMatchObject({
        tier: "break-glass",
        next: "unpack an archive into '/one.bin' or '/' of the pod tools (kubectl cp)",
      });
      const shown = await gateway.run(["approval", "show", asked.id]);
      expect(shown.stdout).toMatch(/^goes on to +unpack an archive into/m);
      const told = () => gateway.run(["approval", "allow", asked.id, "--rest-of-command"]);
      // The system tells a moment later which process asks.
      const { stdout } = await eventually(told, ({ code }) => code === 0);
      expect(stdout).toContain("then it may unpack an archive into '/one.bin' or '/'");
      expect((await copied).code).toBe(0);
      const rows = await gateway.rowsWhen(
        (all) =>
          all.filter(({ fields }) => fields.status === 101 && fields.approval_id === asked.id).length === 2,
      );
      expect(
        rows
          .filter(({ op, fields }) => op === "mitm" && fields.approval_id === asked.id)
          .map(({ fields }) => [fields.command, fields.outcome]),
      ).toEqual([
        ["exec", "approved"],
        ["cp", "granted"],
      ]);
      const same = kubectl(["cp", "-n", "sandbox", there, "tools:/one.bin"]);
      await gateway.deny("another process", ({ command }) => command === "exec");
      // kubectl goes on all the same; nobody is asked again for what they refused.
      const { code, stderr } = await same;
      expect(code).not.toBe(0);
      expect(stderr).toContain("another process");
    });

    test("an exec with a terminal: its sizes, what was shown, and of what was typed the length", async () => {
      await using shell = startPty(
        [found ?? "", "exec", "-it", "api", "-n", "payments", "--", "sh", "-c", "read line; echo got $line"],
        {
          env: {
            PATH: process.env.PATH ?? "",
            HOME: gateway.home,
            KUBECONFIG: overlay,
            KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(transport === "WebSocket"),
          },
          columns: 91,
          rows: 33,
          isBare: true,
        },
      );
      await eventually(sessions, (all) => all.some(({ is_tty, state }) => is_tty && state === "open"));
      // The container has no terminal of its own here that would make a new line of a return.
      shell.type("typed-secret\n");
      await shell.exited;
      const session = await ended(({ is_tty }) => is_tty);
      const id = session?.id ?? "";
      expect((await streamOf(id, "stdout")).toString()).toContain("got typed-secret");
      const lines = await linesOf(id);
      expect(lines.some((line) => Array.isArray(line) && line[1] === "resize" && line[2] === "91x33")).toBe(
        true,
      );
      expect((await streamOf(id, "stdin")).toString()).not.toContain("typed-secret");
      expect(session?.octets?.stdin).toBeGreaterThanOrEqual("typed-secret\n".length);
    });

    test("attach: followed while it lasts, and ended by its person", async () => {
      await using attached = startClient(found ?? "", ["attach", "-n", "payments", "api"], {
        env: {
          HOME: gateway.home,
          KUBECONFIG: overlay,
          KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(transport === "WebSocket"),
        },
      });
      const [open] = await eventually(
        async () => (await sessions()).filter(({ kind, state }) => kind === "attach" && state === "open"),
        (all) => all.length > 0,
      );
      const id = open?.id ?? "";
      await using follow = gateway.start(["session", "follow", id]);
      await eventually(
        async () => {
          cluster.pods.log("payments", "api", "seen live");
          return follow.stdout;
        },
        (text) => text.includes("seen live"),
      );
      expect((await gateway.run(["session", "end", id])).code).toBe(0);
      const session = await ended((each) => each.id === id);
      expect(session?.state).toBe("ended");
      await eventually(
        async () => attached.stdout,
        (text) => text.includes("seen live"),
      );
    });

    test("debug: what is typed into the container that it adds is kept like any other's", async () => {
      const debug = ["debug", "-i", "-n", "payments", "api", "--image=busybox", "--container=look", "-q"];
      const { code, stdout } = await kubectl(debug, "uname\n");
      expect(code).toBe(0);
      const session = await ended(({ kind, container }) => kind === "attach" && container === "look");
      expect((await streamOf(session?.id ?? "", "stdin")).toString()).toBe("uname\n");
      expect((await streamOf(session?.id ?? "", "stdout")).toString()).toBe(stdout);
    });

    test("a forwarded port leaves its connections' ports, times and octets, and none of the content", async () => {
      await using forward = startClient(found ?? "", ["port-forward", "-n", "payments", "pod/api", ":8080"], {
        env: {
          HOME: gateway.home,
          KUBECONFIG: overlay,
          KUBECTL_PORT_FORWARD_WEBSOCKETS: String(transport === "WebSocket"),
        },
      });
      await forward.until("Forwarding from 127.0.0.1:");
      const port = /127\.0\.0\.1:(\d+)/.exec(forward.stdout)?.[1] ?? "";
      for (let round = 0; round < 2; round += 1)
        expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain("port 8080");
      await forward[Symbol.asyncDispose]();
      const session = await ended(({ kind }) => kind === "port-forward");
      const text = await readFile(join(gateway.home, "recordings", `${session?.id}.jsonl`), "utf8");
      expect(text).toContain("8080");
      expect(text).not.toContain(Buffer.from("port 8080").toString("base64").slice(0, 10));
      expect(Object.values(session?.octets ?? {}).reduce((sum, each) => sum + each, 0)).toBeGreaterThan(50);
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

    test("after kill -9 in the middle a recording is read up to its last whole line", async () => {
      await using running = startClient(
        found ?? "",
        ["exec", "api", "-n", "payments", "--", "sh", "-c", "echo before; sleep 60"],
        { env: { HOME: gateway.home, KUBECONFIG: overlay } },
      );
      const open = await eventually(
        async () =>
          (await sessions()).find(({ argv, state }) => argv.at(-1)?.includes("sleep 60") && state === "open"),
        (session) => session !== undefined,
      );
      await running.until("before");
      const id = open?.id ?? "";
      await eventually(
        async () => (await streamOf(id, "stdout")).toString(),
        (text) => text.includes("before"),
      );
      await gateway.kill("SIGKILL");
      await using _again = gateway.start(["gateway"]);
      const session = await eventually(
        async () => (await sessions().catch(() => [])).find((each) => each.id === id),
        (each) => each !== undefined,
      );
      expect(session?.state).toBe("truncated");
      expect((await gateway.run(["session", "replay", id, "--speed", "0"])).stdout).toStartWith("before\n");
    });
  });
