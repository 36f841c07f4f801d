// `npm run demo`: an agent, the compiled gateway and an embedded cluster. A read passes, a write
// waits and is approved, another is denied, an exec is refused; then the audit log. Takes seconds,
// leaves nothing behind, and exits 1 when anything goes otherwise than told.

import { type Cluster, startCluster } from "../support/cluster/cluster.ts";
import { kubeconfigText } from "../support/cluster/kubeconfig-text.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";
import { type Agent, type Deed, openAgent } from "./agent.ts";
import { chapter, command, fact, output, paints, say, verdict } from "./story.ts";

const POD = "/api/v1/namespaces/payments/pods";
const READ: Deed = { kubectl: ["get", "pods"], request: { method: "GET", path: POD } };
const WRITE: Deed = {
  kubectl: ["label", "pod", "api", "owner=agent"],
  request: { method: "PATCH", path: `${POD}/api`, body: { metadata: { labels: { owner: "agent" } } } },
};
const DELETE: Deed = {
  kubectl: ["delete", "secret", "db"],
  request: { method: "DELETE", path: "/api/v1/namespaces/payments/secrets/db" },
};
const EXEC: Deed = {
  kubectl: ["exec", "api", "--", "env"],
  request: { method: "POST", path: `${POD}/api/exec?command=env&stdout=true` },
};
const LIMIT_MS = 60_000;
/** kubectl's questions to every cluster before it does anything; left out of the audit below, and counted. */
const DISCOVERY = / \/(?:version|openapi\/v\d\S*|api(?:\/v1)?|apis(?:\/[^/ ?]+){0,2})(?:\?\S*)? *$/;

/** Everything that the demo has open. */
interface Stage {
  readonly cluster: Cluster;
  readonly gateway: GatewayProcess;
  readonly agent: Agent;
}

async function play(stack: AsyncDisposableStack): Promise<boolean> {
  say(paints.bold("iddio demo: an agent with real credentials, a gateway, a cluster"));
  say();
  const cluster = stack.use(await startCluster());
  const gateway = stack.use(await startGatewayProcess({ settings: "approval_timeout: 10s\n" }));
  const overlay = await gateway.overlay(kubeconfigText(cluster, "token"));
  const agent = await openAgent(overlay, gateway.home);
  fact("cluster", `an embedded Kubernetes API at ${cluster.url}, with a CA of its own`);
  fact("gateway", `iddio on ${gateway.listen}, its default policy, state in ${gateway.home}`);
  fact("agent", `${agent.name}, with the kubeconfig that "iddio kubeconfig" wrote`);
  const stage: Stage = { cluster, gateway, agent };
  const went = [
    await readPasses(stage),
    await writeIsApproved(stage),
    await deleteIsDenied(stage),
    await execIsRefused(stage),
  ];
  await showAudit(stage);
  return went.every(Boolean);
}

async function readPasses({ agent }: Stage): Promise<boolean> {
  chapter(1, "A read passes, without anybody being asked");
  command("agent", agent.show(READ));
  const { isDone, lines } = await agent.act(READ);
  output(lines);
  verdict(isDone, isDone ? "allowed: reads are the observe tier" : "the read did not pass");
  return isDone;
}

async function writeIsApproved({ agent, gateway, cluster }: Stage): Promise<boolean> {
  chapter(2, "A write waits for a person, who allows it");
  command("agent", agent.show(WRITE));
  const acting = agent.act(WRITE);
  const { id } = await showHeld(gateway);
  const waited = reached(cluster, "PATCH") === 0;
  command("you", `iddio approval allow ${id}`);
  output(await spoken(gateway, ["approval", "allow", id]));
  const { isDone, lines } = await acting;
  output(lines);
  const went = waited && isDone && reached(cluster, "PATCH") === 1;
  verdict(went, went ? "the cluster got it once, after the approval" : "the write did not go as told");
  return went;
}

async function deleteIsDenied({ agent, gateway, cluster }: Stage): Promise<boolean> {
  chapter(3, "A delete waits too, and is denied; the agent reads why");
  command("agent", agent.show(DELETE));
  const acting = agent.act(DELETE);
  const { id } = await showHeld(gateway);
  command("you", `iddio approval deny ${id} --reason "production needs it"`);
  output(await spoken(gateway, ["approval", "deny", id, "--reason", "production needs it"]));
  const { isDone, lines } = await acting;
  output(lines);
  const went = !isDone && reached(cluster, "DELETE") === 0;
  verdict(went, went ? "the cluster never saw it" : "the delete was not kept away");
  return went;
}

async function execIsRefused({ agent, cluster }: Stage): Promise<boolean> {
  chapter(4, "A shell in a pod is refused by policy; nobody is asked");
  command("agent", agent.show(EXEC));
  const { isDone, lines } = await agent.act(EXEC);
  output(lines);
  const went = !isDone && cluster.requests.matching({ target: /\/exec/ }).length === 0;
  verdict(went, went ? "the cluster never saw it" : "the exec was not kept away");
  return went;
}

async function showAudit({ gateway }: Stage): Promise<void> {
  chapter(5, "And all of it is on record");
  command("you", "iddio audit show");
  await gateway.rowsWhen((rows) => rows.some(({ fields }) => fields.outcome === "refused"));
  const { stdout } = await gateway.run(["audit", "show"]);
  const lines = stdout.trimEnd().split("\n");
  const shown = lines.filter((line) => !DISCOVERY.test(line));
  say();
  for (const line of shown) say(`   ${line}`);
  if (shown.length < lines.length)
    say(paints.faint(`   (${lines.length - shown.length} rows of kubectl's API discovery left out)`));
}

async function showHeld(gateway: GatewayProcess): Promise<{ readonly id: string }> {
  const { id, tier, command: name, labels } = await gateway.held();
  const where = Object.entries(labels).map(([label, value]) => `, ${label} ${value}`);
  output([paints.warn(`… held as ${id}: ${name}, tier ${tier}${where.join("")}`)]);
  return { id };
}

async function spoken(gateway: GatewayProcess, args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await gateway.run(args);
  return `${stdout}${stderr}`.trimEnd().split("\n");
}

function reached(cluster: Cluster, method: string): number {
  return cluster.requests.matching({ method }).length;
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
    `${went ? "Done" : paints.bad("Failed")} in ${seconds} s; gateway, cluster and their files are gone again.`,
  );
  return went ? 0 : 1;
}

process.exit(await main());
