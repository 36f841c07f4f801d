// `iddio kubeconfig`: makes clusters with a CA of their own reachable through the gateway. The
// daemon is told first whom to trust, then what to inspect; the overlay comes last, so that nobody
// can use it before it works. Doing it again changes nothing.

import { resolve } from "node:path";
import type { ControlClient } from "../../api/client.ts";
import type { Kubeconfig } from "../../host/kubeconfig/kubeconfig.ts";
import type { ServerTrust } from "../../host/kubeconfig/overlay.ts";
import { hostPort } from "../../text/host-port.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";
import { reachable } from "../kit/proxy-address.ts";

/** Registers every cluster of the operator's kubeconfig and writes the overlay. */
export const kubeconfigCommand: Command = {
  name: "kubeconfig",
  summary: "Write a kubeconfig that reaches your clusters through iddio",
  flags: [
    { name: "context", value: "name", summary: "Only this context" },
    {
      name: "output",
      value: "file",
      completes: "file",
      summary: "Where to write it (default: kubeconfig in the state directory)",
    },
    JSON_FLAG,
  ],
  details: [
    "Reads KUBECONFIG or ~/.kube/config. Each cluster's CA and client certificate",
    "become trust of the gateway; the new file holds neither certificate nor key,",
    "and a placeholder for contexts that have a credential (iddio credentials).",
  ],
  examples: ["iddio kubeconfig", "iddio kubeconfig --context staging --output staging.yaml"],
  async run({ flags, output, daemon, paths, env }) {
    const { readKubeconfig } = await import("../../host/kubeconfig/kubeconfig.ts");
    const { renderOverlay, serverTrusts } = await import("../../host/kubeconfig/overlay.ts");
    const { refuseForeignTarget } = await import("../../host/kubeconfig/overlay-target.ts");
    const { writeFileAtomic } = await import("../../state/files.ts");
    const { proxy_listen } = await daemon.call("status", {});
    const kubeconfig = await readKubeconfig(env, { context: flags.text("context") });
    const file = resolve(flags.text("output") ?? paths.kubeconfig);
    await refuseForeignTarget(file, kubeconfig);
    const token = await tokenOf([file, paths.kubeconfig]);
    for (const trust of serverTrusts(kubeconfig)) await register(daemon, trust, token);
    const servers = [];
    for (const server of serversOf(kubeconfig))
      servers.push({ ...server, inspect: await inspect(daemon, server) });
    const caPem = await Bun.file(paths.caCertificate).text();
    const { placeholders } = await daemon.call("credentials_placeholders", {});
    const lent = new Map(
      placeholders.flatMap(({ context, placeholder, keeps_certificate: keepsCertificate = false }) =>
        context === undefined ? [] : [[context, { placeholder, keepsCertificate }] as const],
      ),
    );
    const overlay = { proxyListen: reachable(proxy_listen), token, bundlePath: paths.bundle, caPem, lent };
    await writeFileAtomic(file, renderOverlay(kubeconfig, overlay), 0o600);
    if (flags.has("json")) return void output.json({ output: file, servers, unusable: kubeconfig.unusable });
    output.table(
      ["SERVER", "CLIENT CERTIFICATE", "INSPECT"],
      servers.map(({ server, client_certificate, inspect }) => [
        server,
        client_certificate ? "held" : "-",
        inspect,
      ]),
    );
    for (const { name, reason } of kubeconfig.unusable) output.note(`left out context '${name}': ${reason}`);
    output.note(`wrote ${file}`);
    output.note(`use it: export KUBECONFIG='${file}'`);
  },
};

interface Server {
  /** host:port, as an inspect entry. */
  readonly server: string;
  readonly scheme: "https" | "http";
  readonly client_certificate: boolean;
}

/** The token of overlays that are there already: the gateway knows one for each server, so they would stop working. */
async function tokenOf(overlays: readonly string[]): Promise<string> {
  const { overlayToken } = await import("../../host/kubeconfig/overlay.ts");
  for (const path of overlays) {
    const old = Bun.file(path);
    const token = (await old.exists()) ? overlayToken(await old.text()) : undefined;
    if (token !== undefined) return token;
  }
  return Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url");
}

async function register(daemon: ControlClient, trust: ServerTrust, token: string): Promise<void> {
  const { host, port, caPem, serverName, identity, pathPrefixes, proxyUrl } = trust;
  const isPlain = caPem === "" && serverName === undefined && identity === undefined;
  if (isPlain && pathPrefixes.length === 0 && proxyUrl === "") return;
  await daemon.call("upstreams_add", {
    host,
    port,
    ca_pem: caPem,
    ...(serverName === undefined ? {} : { server_name: serverName }),
    ...(identity === undefined ? {} : { certificate_path: identity.certificatePath, proxy_token: token }),
    ...(identity?.keyPath === undefined ? {} : { key_path: identity.keyPath }),
    ...(identity?.kubeconfigUser === undefined ? {} : { kubeconfig_user: identity.kubeconfigUser }),
    ...(pathPrefixes.length === 0 ? {} : { path_prefixes: [...pathPrefixes] }),
    ...(proxyUrl === "" ? {} : { proxy_url: proxyUrl }),
    source: "kubeconfig",
  });
}

function serversOf({ contexts }: Kubeconfig): Server[] {
  const servers = new Map<string, Server>();
  for (const { host, port, isTls, identity } of contexts) {
    const server = hostPort(host, port);
    const hasIdentity = identity !== undefined || servers.get(server)?.client_certificate === true;
    servers.set(server, { server, scheme: isTls ? "https" : "http", client_certificate: hasIdentity });
  }
  return [...servers.values()];
}

/** The kubectl entry that covers the server, added when none does. */
async function inspect(daemon: ControlClient, { server, scheme }: Server): Promise<string> {
  const route = await daemon.call("classify", { method: "GET", url: `${scheme}://${server}/version` });
  if (route.protocol === "kubectl" && route.entry !== undefined) return route.entry;
  await daemon.call("inspect_add", { protocol: "kubectl", entry: server });
  return server;
}
