// `npm run demo:fleet`: a control plane on its embedded database, an identity provider, two
// gateways with a cluster. A policy is rolled out, an approval is given centrally, an audit search
// finds both machines. Ends by itself, leaves nothing behind, and exits 1 when anything goes
// otherwise than told.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import defaultPolicy from "../../src/policy/default.yaml" with { type: "text" };
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";
import { logIn } from "../support/server/browser-login.ts";
import { IdentityProvider } from "../support/stand-ins/identity-provider.ts";
import { openAgent } from "./agent.ts";
import { chapter, command, fact, output, paints, say, verdict } from "./story.ts";

const LIMIT_MS = 300_000;
/** The last stages of compiling the database cost more than they save within a minute. */
const COMPILED_BRIEFLY = { BUN_JSC_useOMGJIT: "0", BUN_JSC_useFTLJIT: "0" };
const WRITE = {
  kubectl: ["label", "pod", "api", "owner=agent"],
  request: {
    method: "PATCH",
    path: "/api/v1/namespaces/payments/pods/api",
    body: { metadata: { labels: { owner: "agent" } } },
  },
};
const READ = {
  kubectl: ["get", "pods"],
  request: { method: "GET", path: "/api/v1/namespaces/payments/pods" },
};

// biome-ignore lint/suspicious/noExplicitAny: the demo knows what it asks for.
type Json = any;

/** Somebody with a session of the control plane. */
interface Person {
  readonly name: string;
  call(
    method: string,
    path: string,
    input?: object,
  ): Promise<{ readonly status: number; readonly body: Json }>;
}

interface Plane {
  readonly url: string;
  readonly provider: IdentityProvider;
}

async function startServer(stack: AsyncDisposableStack, folder: string): Promise<Plane> {
  const binary = builtBinary();
  const provider = stack.use(new IdentityProvider());
  const env = { HOME: folder, IDDIO_HOME: folder, ...COMPILED_BRIEFLY };
  const roles = ["admin=ops", "approver=oncall", "author=security"].flatMap((role) => ["--role", role]);
  const args = [
    "server",
    "tenant",
    "set",
    "default",
    "--issuer",
    provider.issuer,
    "--client-id",
    provider.clientId,
  ];
  const set = await runClient(binary, [...args, "--client-secret", ...roles], {
    env,
    input: provider.clientSecret,
  });
  if (set.code !== 0) throw new Error(set.stderr);
  const child = Bun.spawn([binary, "server", "--listen", "127.0.0.1:0"], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  stack.defer(async () => {
    child.kill("SIGTERM");
    await child.exited;
  });
  const url = await addressOf(child.stderr);
  return { url, provider };
}

/** A cluster, two gateways, and an agent at each. */
async function startMachines(stack: AsyncDisposableStack) {
  const cluster = stack.use(await startCluster());
  const machines = await Promise.all([0, 1].map(async () => stack.use(await startGatewayProcess())));
  const agents = await Promise.all(
    machines.map(async (each) => openAgent(await each.overlay(kubeconfigText(cluster, "token")), each.home)),
  );
  return { machines, agents };
}

/** The address that the server says it listens on; the rest of what it says is read and let go. */
async function addressOf(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stderr
    .pipeThrough(new TextDecoderStream() as never)
    .getReader() as ReadableStreamDefaultReader<string>;
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the server ended: ${text}`);
    text += value;
    const url = /listens on (http\S+);/.exec(text)?.[1];
    if (url === undefined) continue;
    void (async () => {
      while (!(await reader.read()).done);
    })();
    return url;
  }
}

async function person({ url, provider }: Plane, name: string, group: string): Promise<Person> {
  provider.account = { sub: name.toLowerCase(), name, groups: [group] };
  const { cookie, text } = await logIn({ url, host: new URL(url).host });
  if (cookie === "") throw new Error(`${name} could not log in: ${text}`);
  return {
    name,
    async call(method, path, input) {
      const response = await fetch(`${url}/api/v1/${path}`, {
        method,
        headers: { cookie, origin: url, "content-type": "application/json" },
        ...(input === undefined ? {} : { body: JSON.stringify(input) }),
      });
      return { status: response.status, body: await response.json() };
    },
  };
}

/** Asks ten times a second until the answer is good: the embedded database answers one question at a time. */
async function eventually<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`it did not come to pass; last seen: ${JSON.stringify(answer)}`);
    await Bun.sleep(100);
  }
}

async function spoken(gateway: GatewayProcess, args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await gateway.run(args);
  return `${stdout}${stderr}`.trimEnd().split("\n");
}

async function play(stack: AsyncDisposableStack): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "iddio-fleet-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  say(paints.bold("iddio demo: two gateways, a control plane, people who are not at that desk"));
  say();
  say(paints.faint("(a database is made for the first time: that takes most of the time)"));
  // The first database is made on one core; everything else is started meanwhile.
  const [plane, { machines, agents }] = await Promise.all([startServer(stack, folder), startMachines(stack)]);
  const [first, second] = machines as [GatewayProcess, GatewayProcess];
  fact("server", `iddio server on ${plane.url}, its embedded database in ${folder}`);
  fact("provider", `OpenID Connect at ${plane.provider.issuer}`);
  fact("machines", machines.map(({ listen }) => listen).join(" and "));

  chapter(1, "People log in; their groups give them roles");
  const olga = await person(plane, "Olga", "ops");
  const ada = await person(plane, "Ada", "oncall");
  const anton = await person(plane, "Anton", "security");
  for (const each of [olga, ada, anton])
    fact(each.name, (await each.call("GET", "me")).body.roles.join(", "));

  chapter(2, "Two machines are enrolled, for Olga");
  const me = (await olga.call("GET", "me")).body.id as string;
  for (const [index, machine] of machines.entries()) {
    const { body } = await olga.call("POST", "enroll-tokens", { owner: me });
    command("Olga", `iddio enroll ${plane.url} --token idet_… --name machine-${index + 1}`);
    output(
      await spoken(machine, ["enroll", plane.url, "--token", body.token, "--name", `machine-${index + 1}`]),
    );
  }
  const enrolled = await eventually(
    async () => (await olga.call("GET", "devices")).body.items.length as number,
    (count) => count === 2,
  );
  verdict(enrolled === 2, "both are in the fleet");

  chapter(3, "A policy is rolled out; what widens is published by another than its author");
  const proposed = await anton.call("POST", "revisions", {
    policy: defaultPolicy,
    note: "changes are allowed by people on call",
    central_tiers: ["modify", "sensitive", "break-glass"],
  });
  const { revision } = proposed.body as { revision: number };
  output(proposed.body.widening.map((line: string) => `widens: ${line}`));
  const alone = await anton.call("POST", `revisions/${revision}/publish`, {});
  output([`Anton publishes: ${alone.body.title}`]);
  const published = await olga.call("POST", `revisions/${revision}/publish`, {});
  output([`Olga publishes: revision ${revision} is ${published.body.state}`]);
  const taken = await eventually(
    async () => (await olga.call("GET", `revisions/${revision}`)).body.revision.devices as number,
    (count) => count === 2,
  );
  output(await spoken(first, ["fleet", "status"]));
  const isRolled = alone.status === 403 && taken === 2;
  verdict(isRolled, isRolled ? "both machines have it" : "it did not reach both machines");

  chapter(4, "An agent on machine-1 wants to change something; Ada, elsewhere, allows it");
  command("agent", agents[0]?.show(WRITE) ?? "");
  const acting = agents[0]?.act(WRITE);
  const waiting = await eventually(
    async () => (await ada.call("GET", "approvals")).body.items,
    (items) => items.length === 1,
  );
  const [{ device, held }] = waiting;
  output([`on ${device.name}: ${held.command}, tier ${held.tier}: ${held.evidence[0].text}`]);
  const path = `approvals/${device.id}/${held.nonce}/decide`;
  const answer = { verb: "allow", digest: held.digest, reason: "as planned" };
  const own = await olga.call("POST", path, answer);
  output([`Olga allows: ${own.body.title}`]);
  const startedMs = performance.now();
  const allowed = await ada.call("POST", path, answer);
  output([`Ada allows: the request is ${allowed.body.state}`]);
  const ended = await acting;
  const tookMs = Math.round(performance.now() - startedMs);
  output(ended?.lines ?? []);
  const isApproved = own.status === 403 && ended?.isDone === true;
  verdict(isApproved, isApproved ? `it went on ${tookMs} ms after her answer` : "it did not go on");

  chapter(5, "The audit search finds what both machines did");
  await agents[1]?.act(READ);
  await spoken(second, ["fleet", "sync"]);
  await spoken(first, ["fleet", "sync"]);
  const found = await eventually(
    async () => (await olga.call("GET", "audit?text=payments&limit=200")).body.items,
    (items) => new Set(items.map((row: { device: { name: string } }) => row.device.name)).size === 2,
  );
  for (const row of found.slice(0, 6))
    output([
      `${row.device.name} ${row.row.fields.outcome ?? row.row.op}: ${row.row.fields.method} ${row.row.fields.path}`,
    ]);
  verdict(found.length > 0, `${found.length} rows name the namespace`);
  return enrolled === 2 && isRolled && isApproved && found.length > 0;
}

async function main(): Promise<number> {
  const startedMs = performance.now();
  const stack = new AsyncDisposableStack();
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
    setTimeout(() => reject(new Error(`not done after ${LIMIT_MS / 1000} s`)), LIMIT_MS).unref();
  });
  let went = false;
  try {
    went = await Promise.race([play(stack), interrupted]);
  } catch (error) {
    say(paints.bad(`\nthe demo failed: ${error instanceof Error ? error.message : String(error)}`));
  } finally {
    await stack.disposeAsync();
  }
  say();
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  say(
    `${went ? "Done" : paints.bad("Failed")} in ${seconds} s; server, gateways and their files are gone again.`,
  );
  return went ? 0 : 1;
}

process.exit(await main());
