// One law for every `--json`: a time is a number of milliseconds since 1970 under a name that ends
// in `_ms`, as in the audit log, and never a text that each reader would have to take apart. Held
// for the control API's table and for what every command of the compiled program prints.

import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { METHODS } from "../../src/api/methods.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { startGatewayProcess } from "../support/gateway.ts";
import { giveEmbeddedFolder } from "../support/server/embedded-folder.ts";
import { connectTls } from "../support/wire/proxy-client.ts";
import { startRawOrigin } from "../support/wire/raw-origin.ts";

const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?|$)/;
const TIME_WORD =
  /(?:^|_)(?:at|time|date|timestamp|expires|expiry|until|since|started|ended|created|added|not_before|not_after|last_check|next_check|uptime|duration)$/;
/** Milliseconds since 1970 in the years 2001 to 2100, and nothing else that is counted here. */
const isEpochMs = (value: number) => value > 1e12 && value < 4.2e12;

/** The places in one value that break the law, as paths. */
function offences(value: unknown, path = "$", name = ""): string[] {
  if (typeof value === "string") return ISO.test(value) ? [`${path} is the text '${value}'`] : [];
  if (typeof value === "number") {
    if (name.endsWith("_ms")) return Number.isFinite(value) ? [] : [`${path} is ${value}`];
    return isEpochMs(value) || TIME_WORD.test(name) ? [`${path} is a time without _ms`] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const isIndex = Array.isArray(value);
    if (!isIndex && key.endsWith("_ms") && typeof inner !== "number") return [`${path}.${key} is no number`];
    return offences(inner, isIndex ? `${path}[]` : `${path}.${key}`, isIndex ? name : key);
  });
}

test("the control API names every time with _ms, as a number", () => {
  const wrong: string[] = [];
  const walk = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    const { kind, about = "" } = schema as { kind?: string; about?: string };
    if (/ISO 8601|RFC 3339/.test(about)) wrong.push(`${path}: ${about}`);
    const name = path.split(".").at(-1) ?? "";
    if (kind === "number" && TIME_WORD.test(name)) wrong.push(`${path} lacks _ms`);
    if (typeof kind === "string" && name.endsWith("_ms") && kind !== "number")
      wrong.push(`${path} is ${kind}`);
    for (const [key, inner] of Object.entries(schema))
      walk(inner, typeof inner === "object" ? `${path}.${key}` : path);
  };
  for (const [name, method] of Object.entries(METHODS)) walk(method, name);
  expect(wrong).toEqual([]);
});

const POLICY = (port: number) => `
generic:
  inspect: ["localhost:${port}"]
  default: deny
  groups: { read: { tiers: [observe] }, write: { tiers: [modify] } }
  rules: { allow: { groups: [read] }, escalate: { groups: [write] } }
`;

/** The arguments of each command with `--json`; `{id}`, `{policy}` and `{port}` are filled in. */
const TYPED: Readonly<Record<string, string>> = {
  run: "run --check",
  "run stop": "run stop nobody",
  "hooks doctor": "hooks doctor claude",
  "policy explain": "policy explain -- GET https://localhost:{port}/x",
  "policy validate": "policy validate --policy {policy}",
  "policy replay": "policy replay {policy}",
  "policy test": "policy test --policy {policy}",
  "policy diff": "policy diff {policy} {policy}",
  "approval show": "approval show {id}",
  "approval watch": "approval watch",
  "approval allow": "approval allow {id} --for 1m",
  "approval deny": "approval deny {id}",
  "approval grants revoke": "approval grants revoke grant_00000000",
  "inspect add": "inspect add generic json.example",
  "inspect remove": "inspect remove generic json.example",
  pin: "pin json.example",
  unpin: "unpin json.example",
  "detector promote": "detector promote json.example",
  "upstream add": "upstream add json.example --ca {ca}",
  "upstream remove": "upstream remove json.example",
  "set-proxy-mode": "set-proxy-mode enforce",
  "observe start": "observe start --duration 1m",
  "observe clear": "observe clear --force",
  "classify http": "classify http GET https://localhost:{port}/x",
  "classify cli": "classify cli -- kubectl get pods",
  decide: "decide GET localhost:{port} /x",
  "settings set": "settings set log_level=info",
  "audit tail": "audit tail --lines 5",
  kubeconfig: "kubeconfig --kubeconfig {none}",
  "mcp install": "mcp install claude",
  "mcp uninstall": "mcp uninstall claude",
  "mcp review": "mcp review x",
  "mcp bind": "mcp bind x kubectl",
  "console revoke": "console revoke x",
  "credentials add": "credentials add github x true",
  "credentials add google": "credentials add google x true",
  "credentials add aws": "credentials add aws x true",
  "credentials add kubernetes": "credentials add kubernetes x",
  "credentials test": "credentials test x",
  "credentials revoke": "credentials revoke x",
  "credentials remove": "credentials remove x",
  "forward add": "forward add x https://127.0.0.1:9/none",
  "forward test": "forward test x",
  "forward rotate": "forward rotate x",
  "forward remove": "forward remove x",
  enroll: "enroll https://127.0.0.1:9 --token idet_acme_0123456789abcdef",
  "fleet sync": "fleet sync",
  "fleet leave": "fleet leave",
  "notify add": "notify add x https://127.0.0.1:9/none",
  "notify test": "notify test x",
  "notify rotate": "notify rotate x",
  "notify remove": "notify remove x",
};

/** These go on until they are stopped. */
const ENDLESS = new Set(["audit tail", "events", "approval watch"]);

function jsonValues(stdout: string): unknown[] {
  if (stdout.trim() === "") return [];
  try {
    return [JSON.parse(stdout)];
  } catch {
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  }
}

test("what every command prints with --json has its times as numbers under _ms", async () => {
  await using origin = await startRawOrigin();
  await using gateway = await startGatewayProcess({
    policy: POLICY(origin.port),
    settings: "update_feed: https://127.0.0.1:9/none\napproval_timeout: 10m\n",
  });
  await giveEmbeddedFolder(join(gateway.home, "server", "database"));
  await gateway.control.call("upstreams_add", {
    host: "localhost",
    port: origin.port,
    ca_pem: origin.caPem,
    source: "test",
  });
  using client = await connectTls(gateway.port, `localhost:${origin.port}`, { ca: gateway.caPem });
  const ask = (method: string) =>
    client.send(
      `${method} /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\nAuthorization: Bearer abc\r\nContent-Length: 0\r\n\r\n`,
    );
  ask("GET");
  await client.until("\r\n\r\n");
  ask("POST");
  const { id } = await gateway.held();
  const policy = join(gateway.home, "policy.yaml");
  const ca = join(gateway.home, "origin.pem");
  writeFileSync(ca, origin.caPem);
  chmodSync(ca, 0o600);
  const commands = COMMANDS.filter(({ flags }) => flags?.some(({ name }) => name === "json")).map(
    ({ name }) => name,
  );
  const wrong: string[] = [];
  let answered = 0;
  const judge = (name: string, stdout: string) => {
    const values = jsonValues(stdout);
    if (values.length > 0) answered += 1;
    for (const value of values) for (const offence of offences(value)) wrong.push(`${name}: ${offence}`);
  };
  // They are read beside the others.
  const endless: Promise<void>[] = [];
  for (const name of commands) {
    const typed = (TYPED[name] ?? name)
      .replaceAll("{id}", id)
      .replaceAll("{policy}", policy)
      .replaceAll("{ca}", ca)
      .replaceAll("{none}", join(gateway.home, "none"))
      .replaceAll("{port}", String(origin.port));
    const [before, behind] = typed.split(" -- ");
    const args = [
      ...(before ?? "").split(" "),
      "--json",
      ...(behind === undefined ? [] : ["--", ...behind.split(" ")]),
    ];
    if (ENDLESS.has(name))
      endless.push(
        gateway.run(args, { timeoutMs: 2_000 }).then(
          ({ stdout }) => judge(name, stdout),
          () => undefined,
        ),
      );
    else judge(name, (await gateway.run(args)).stdout);
  }
  await Promise.all(endless);
  expect(wrong).toEqual([]);
  // Some have nothing to say here (no terminal, no such run); most have.
  expect(answered).toBeGreaterThan(commands.length * 0.6);
}, 300_000);
