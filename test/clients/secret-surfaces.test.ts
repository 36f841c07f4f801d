// A secret's value and a token that iddio minted, on their way through the compiled program: a held
// change of a Secret with its effect and its way back, and a recorded session. Every surface that
// the program has is then looked through; a table says which.

import { expect, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { METHODS } from "../../src/api/methods.ts";
import { startHttpReceiver } from "../features/forward/receivers.ts";
import { startCluster } from "../support/cluster/cluster.ts";
import { RESOURCES } from "../support/cluster/object/resources.ts";
import { eventually } from "../support/eventually.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { consoleUrl } from "../support/pages/console-page.ts";
import { connectTls } from "../support/wire/proxy-client.ts";

const BEFORE = "canaryBEFORE0123456789";
const AFTER = "canaryAFTER0123456789";

/** Methods that give a saved object itself: what `iddio undo apply` puts back, told to a person alone. */
const GIVES_OBJECTS: ReadonlySet<string> = new Set(["undo_show"]);

test("a secret's value and a minted token are on no surface", async () => {
  await using receiver = startHttpReceiver();
  await using cluster = await startCluster();
  const server = `127.0.0.1:${cluster.port}`;
  await using gateway = await startGatewayProcess({
    policy: `kubectl:\n  inspect: ["${server}"]\n  default: escalate\n  groups: { rest: { tiers: [observe, modify, break-glass] } }\n  rules: { allow: { groups: [rest] } }\n`,
    settings: "log_level: debug\nundo_secrets: on\n",
  });
  const { control, home } = gateway;
  const make = (kind: string, name: string, more: object = {}) => {
    const resource = RESOURCES.find((each) => each.kind === kind);
    if (resource === undefined) throw new Error(`no kind ${kind}`);
    cluster.store.create(resource, {
      apiVersion: "v1",
      kind,
      metadata: { name, namespace: "payments" },
      ...more,
    });
  };
  make("ServiceAccount", "writer");
  make("Secret", "vault", { data: { password: Buffer.from(BEFORE).toString("base64") }, type: "Opaque" });
  const target = { host: "127.0.0.1", port: cluster.port };
  await control.call("upstreams_add", { ...target, ca_pem: cluster.caPem, source: "kubeconfig" });
  const kubeconfig = join(home, "..", `${home.split("/").at(-1)}.operator`);
  const users = [{ name: "operator", user: { token: cluster.token } }];
  await writeFile(kubeconfig, JSON.stringify({ users }), { mode: 0o600 });
  await using _ = { [Symbol.asyncDispose]: () => Bun.file(kubeconfig).delete() };
  await control.call("credentials_add", {
    ...{ name: "prod", kind: "kubernetes", from: "service-account", context: "stand-in" },
    ...{ cluster_host: target.host, cluster_port: target.port, service_account: "payments/writer" },
    ...{ kubeconfig, kubeconfig_user: "operator" },
  });
  await control.call("notify_add", { name: "hook", target: `${receiver.origin}/notify` });
  await control.call("forward_add", { name: "rows", target: `${receiver.origin}/forward`, from: "start" });
  const { placeholders } = await control.call("credentials_placeholders", {});

  const events: string[] = [];
  const stop = new AbortController();
  const following = (async () => {
    for await (const row of control.stream("events", { follow: true }, stop.signal))
      events.push(JSON.stringify(row));
  })().catch(() => undefined);
  const send = async (head: string, fields: string, body = "") => {
    using client = await connectTls(gateway.port, server, { ca: gateway.caPem });
    const bearer = `Authorization: Bearer ${placeholders[0]?.placeholder}\r\n`;
    client.send(`${head} HTTP/1.1\r\nHost: ${server}\r\n${bearer}${fields}\r\n${body}`);
    return await client.closed();
  };

  const change = JSON.stringify({ stringData: { password: AFTER } });
  const patched = send(
    "PATCH /api/v1/namespaces/payments/secrets/vault",
    `Connection: close\r\nContent-Type: application/merge-patch+json\r\nContent-Length: ${change.length}\r\n`,
    change,
  );
  const { id } = await gateway.held();
  const said: string[] = [];
  const run = async (...args: readonly string[]) => {
    const { stdout, stderr, code } = await gateway.run(args);
    // doctor finds that nothing is installed.
    expect({ args, stderr, code }).toEqual({ args, stderr, code: args[0] === "doctor" ? 1 : 0 });
    said.push(`iddio ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  };
  expect(await run("approval", "show", id)).toContain("'secrets get' is sensitive");
  const secret = new URL(await consoleUrl(gateway));
  const headers = { origin: secret.origin, "content-type": "application/json" };
  const opened = await fetch(`${secret.origin}/session`, {
    ...{ method: "POST", headers, body: JSON.stringify({ token: secret.hash.slice(1) }) },
  });
  const { secret: session } = (await opened.json()) as { readonly secret: string };
  /** Every method that reads, by the control socket and as the console's pages ask. */
  const readAll = async (ids: Readonly<Record<string, string>>) => {
    for (const [name, { effect, path, verb }] of Object.entries(METHODS)) {
      if (effect !== "read" || name === "events" || GIVES_OBJECTS.has(name)) continue;
      const of = Object.entries(ids).find(([prefix]) => name.startsWith(prefix))?.[1];
      const takesId = !/_(?:list|ended)$/.test(name);
      const input = {
        ...(of !== undefined && takesId ? { id: of } : {}),
        ...(name === "sessions_read" ? { offset: 0 } : {}),
        ...(name === "audit_read" ? { log: "audit", limit: 500 } : {}),
      };
      const direct = await control
        .call(name as "status", input as never)
        .catch((error: unknown) => String(error));
      said.push(`${name} ${JSON.stringify(direct)}`);
      const answer = await fetch(`${secret.origin}${path}`, {
        ...{ method: verb, headers: { ...headers, authorization: `Bearer ${session}` } },
        ...(verb === "GET" ? {} : { body: JSON.stringify(input) }),
      });
      said.push(`console ${name} ${await answer.text()}`);
    }
  };
  await readAll({ approvals_: id });
  expect(said.join("\n")).toContain('console approvals_effect {"effect":{"state":"none"');
  await run("approval", "allow", id);
  expect(await patched).toContain("HTTP/1.1 200");

  const upgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n";
  const exec = "GET /api/v1/namespaces/payments/pods/api/exec?command=echo&command=recorded&stdout=true";
  expect(await send(exec, upgrade)).toContain("HTTP/1.1 101");
  const recorded = await eventually(
    async () => (await control.call("sessions_list", {})).sessions[0],
    (each) => each?.state === "ended",
  );
  const kept = await eventually(
    async () => (await control.call("undo_list", {})).entries[0],
    (each) => each?.state === "kept",
  );
  const [sessionId, undoId] = [recorded?.id ?? "", kept?.id ?? ""];
  // The way back holds the value, so that nothing here is empty by chance.
  const { entry } = await control.call("undo_show", { id: undoId });
  expect(JSON.stringify(entry)).toContain(Buffer.from(BEFORE).toString("base64"));
  await readAll({ approvals_: id, undo_: undoId, sessions_: sessionId });
  for (const args of [
    ...["text", "asciicast-v2", "asciicast-v3"].map((format) => [
      "session",
      "export",
      sessionId,
      "--format",
      format,
    ]),
    ["session", "show", sessionId],
    ["session", "replay", sessionId, "--speed", "100"],
    ["undo", "list"],
    ["undo", "show", undoId],
    ["approval", "list", "--json"],
    ["credentials", "list"],
    ["audit", "show", "--json"],
    ["status", "--json"],
    ["doctor"],
  ])
    await run(...args);
  await eventually(
    async () => receiver.received.map(({ path, body }) => `${path} ${body}`).join("\n"),
    (all) => all.includes("/notify") && all.includes("secrets patch"),
  );
  stop.abort();
  await following;
  const files: string[] = [];
  for (const name of await readdir(home, { recursive: true }))
    files.push(`${name} ${await readFile(join(home, name), "latin1").catch(() => "")}`);
  const surfaces: Readonly<Record<string, readonly string[]>> = {
    "answers of the control API, of the console and of commands": said,
    events,
    "notifications and forwarded rows": receiver.received.map(({ body }) => body),
    "files: rows, log, database, recordings, ways back": files,
  };
  expect(cluster.tokens.all.length).toBeGreaterThan(0);
  const values = [BEFORE, AFTER].flatMap((value) => [value, Buffer.from(value).toString("base64")]);
  for (const [surface, texts] of Object.entries(surfaces)) {
    expect({ surface, isEmpty: texts.join("").length < 100 }).toEqual({ surface, isEmpty: false });
    for (const text of texts)
      for (const value of [...values, ...cluster.tokens.all, cluster.token]) {
        const at = text.indexOf(value);
        expect(
          at < 0 ? "" : `${surface}: ${text.slice(0, 60)} … ${text.slice(Math.max(0, at - 120), at + 30)}`,
        ).toBe("");
      }
  }
}, 110_000);
