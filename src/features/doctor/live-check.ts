// `doctor --live`: sends every installed client to a name that only the daemon answers to, with the
// environment of this shell, and says how far each came: is it routed through iddio, does it trust
// its certificate, is its request classified, and does the policy inspect the hosts that it talks
// to in earnest.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ControlClient } from "../../api/client.ts";
import type { ProbeReport } from "../../api/daemon-reports.ts";
import { bypassed } from "../../cli/kit/no-proxy.ts";
import { findOnPath, lastWords, runTool } from "../../host/process/run-tool.ts";
import type { StatePaths } from "../../state/paths.ts";
import { kubeconfigProblem } from "./kubeconfig-problem.ts";
import { LIVE_CLIENTS, type TriedClient } from "./live-clients.ts";

/** How far one client came. */
export interface LiveResult {
  readonly client: string;
  /** Path of the program; absent when none is installed. */
  readonly program?: string;
  readonly verdict: "ok" | "warn" | "fail" | "skip";
  readonly routed?: boolean;
  readonly trusted?: boolean;
  /** The classification of its request. */
  readonly classified?: { readonly tier: string; readonly command: string };
  /** The last line that it printed, when it did not come through. */
  readonly said?: string;
  /** Whether the policy inspects the host that it talks to in earnest; absent where that is the user's affair. */
  readonly inspected?: boolean;
  /** A lower-case clause. */
  readonly detail: string;
  readonly fix?: string;
}

interface LiveContext {
  readonly daemon: ControlClient;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly paths: StatePaths;
}

const CLIENT_MS = 25_000;
/** Several at once; more would only compete for the processor. */
const AT_ONCE = 3;
const ROUTE_FIX = 'eval "$(iddio shell-init)"';

/** Tries every client. The daemon must be up. */
export async function liveCheck(context: LiveContext): Promise<readonly LiveResult[]> {
  const results: LiveResult[] = [];
  const left = [...LIVE_CLIENTS.entries()];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      results[next[0]] = await tryClient(context, next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

async function tryClient(context: LiveContext, client: TriedClient): Promise<LiveResult> {
  const { name } = client;
  const program = client.programs
    .map((each) => findOnPath(each, context.env))
    .find((each) => each !== undefined);
  if (program === undefined) return { client: name, verdict: "skip", detail: "not installed" };
  const kubeconfig = client.protocol === "kubectl" ? await kubeconfigProblem(context) : undefined;
  const host = kubeconfig?.server ?? client.standsFor;
  const { report, lastLine } = await probe(context, client, program, host);
  const [first] = report.requests;
  const came = {
    client: name,
    program,
    routed: report.routed,
    trusted: report.trusted,
    ...(first === undefined
      ? { said: lastLine }
      : { classified: { tier: first.tier, command: first.command } }),
  };
  if (!report.routed) return { ...came, verdict: "fail", detail: "not routed through iddio", fix: ROUTE_FIX };
  if (first === undefined)
    return {
      ...came,
      verdict: "fail",
      detail: `routed, but it does not trust iddio: ${report.problem ?? "it sent nothing"}`,
      fix: ROUTE_FIX,
    };
  if (kubeconfig?.problem !== undefined)
    return { ...came, verdict: "fail", detail: kubeconfig.problem, fix: kubeconfig.fix };
  return { ...came, ...(await inspection(context, client, host, `${first.tier}: ${first.command}`)) };
}

async function probe(
  { daemon, env }: LiveContext,
  client: TriedClient,
  program: string,
  host: string | undefined,
): Promise<{ readonly report: ProbeReport; readonly lastLine: string }> {
  const started = await daemon.call("probes_start", {
    protocol: client.protocol,
    // The port is no part of what classifiers look at.
    ...(host === undefined ? {} : { stands_for: host.replace(/:\d+$/, "") }),
  });
  const directory = await mkdtemp(join(tmpdir(), "iddio-live-"));
  try {
    const { args, env: more = {}, files = {} } = client.command(started.host, directory);
    await mkdir(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    const result = await runTool([program, ...args], {
      env: { ...env, ...more },
      cwd: directory,
      timeoutMs: CLIENT_MS,
    });
    return { report: await daemon.call("probes_end", { id: started.id }), lastLine: lastWords(result) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Says how the same request would be treated outside the test. */
async function inspection(
  { daemon, env }: LiveContext,
  client: TriedClient,
  host: string | undefined,
  seenAs: string,
): Promise<Pick<LiveResult, "verdict" | "detail" | "fix" | "inspected">> {
  const good = `routed, trusts iddio, classified as ${seenAs}`;
  if (host === undefined) return { verdict: "ok", detail: good };
  const [around] = bypassed(env.NO_PROXY || env.no_proxy || "", [host]);
  if (around !== undefined)
    return {
      verdict: "fail",
      detail: `NO_PROXY has '${around.noProxyEntry}', so requests to ${host} do not pass through iddio`,
      fix: `take '${around.noProxyEntry}' out of NO_PROXY`,
    };
  const { decision } = await daemon.call("decide", { method: "GET", host, path: "/" });
  const { pins } = await daemon.call("pins_list", {});
  const pin = pins.find((each) => each.host === host.replace(/:\d+$/, ""));
  if (pin !== undefined)
    return {
      inspected: false,
      verdict: "warn",
      detail: `routed and trusting, but ${host} is pinned: its requests there pass unread`,
      fix: `iddio unpin ${pin.host}`,
    };
  if (decision !== "splice") return { inspected: true, verdict: "ok", detail: good };
  return {
    inspected: false,
    verdict: "warn",
    detail: `routed and trusting, but the policy does not inspect ${host}: its requests there pass unread`,
    fix: `iddio inspect add ${client.protocol} "${client.inspect ?? host}"`,
  };
}
