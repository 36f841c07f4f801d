// `iddio credentials add`: says where the value of a credential comes from. The daemon checks it and gets the value once;
// of a cluster this command reads which server the kubeconfig's context leads to, and who the operator is there.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import type { Flags } from "../../cli/kit/flags.ts";
import { UserError } from "../../model/user-error.ts";

const MAX_VALUE_BYTES = 16 * 1024;

/** Adds a credential. */
export const credentialsAddCommand: Command = {
  name: "credentials add",
  summary: "Hold a token for agents, which get a placeholder",
  args: [
    { name: "kind", choices: ["github", "cloudflare", "fly", "google", "aws", "kubernetes", "generic"] },
    { name: "name" },
    { name: "command", isOptional: true, isRest: true },
  ],
  flags: [
    {
      name: "from",
      value: "source",
      choices: ["keychain", "env", "file", "command", "github-app", "google-key"],
      summary: "Where the value comes from (default keychain)",
    },
    {
      name: "host",
      value: "host",
      isRepeatable: true,
      summary: "Further host that it is for: name, name:port or .domain",
    },
    { name: "variable", value: "name", summary: "Variable of the daemon's environment, with --from env" },
    { name: "path", value: "file", completes: "file", summary: "File of the value, or of the app's key" },
    { name: "app", value: "id", summary: "Id of the GitHub App" },
    { name: "installation", value: "id", summary: "Id of the app's installation" },
    {
      name: "repository",
      value: "name",
      isRepeatable: true,
      summary: "Repository that the app's tokens are narrowed to",
    },
    {
      name: "permission",
      value: "name=access",
      isRepeatable: true,
      summary: "Permission that the app's tokens are narrowed to",
    },
    {
      name: "api",
      value: "url",
      summary: "API of a GitHub Enterprise Server, of Google's credentials or of STS",
    },
    {
      name: "context",
      value: "name",
      summary: "Context of your kubeconfig (default: the credential's name)",
    },
    {
      name: "service-account",
      value: "namespace/name",
      summary: "Account of the cluster whose tokens requests get",
    },
    {
      name: "tier",
      value: "tier=namespace/name",
      isRepeatable: true,
      summary: "Another account for requests of this tier",
    },
    { name: "audience", value: "name", isRepeatable: true, summary: "Whom the cluster's tokens are for" },
    { name: "ttl", value: "duration", kind: "duration", summary: "How long a minted token lasts" },
    {
      name: "impersonate",
      value: "user",
      summary: "Act as this user of the cluster, or service account of Google",
    },
    {
      name: "impersonate-group",
      value: "name",
      isRepeatable: true,
      summary: "And as a member of this group",
    },
    { name: "scope", value: "url", isRepeatable: true, summary: "Scope of Google's tokens" },
    { name: "profile", value: "name", summary: "Profile of AWS's credentials file (default default)" },
    { name: "role", value: "arn", summary: "Role of AWS that keys are minted for" },
    { name: "external-id", value: "id", summary: "External id that the role asks for" },
    { name: "region", value: "name", summary: "Region whose STS mints them (default us-east-1)" },
    {
      name: "session",
      value: "what",
      choices: ["action", "role"],
      summary: "What they may do: the request's action (default) or all of the role",
    },
    JSON_FLAG,
  ],
  details: [
    "The value is put into requests to the hosts of its kind, over verified TLS, when",
    "they hold the placeholder that `iddio credentials env` prints. With --from",
    "keychain the value is read from standard input and stored there. With --from",
    "command it is what a program prints; only root may be able to change that one.",
    "A cluster's tokens are minted by your own identity in the kubeconfig, and the",
    "overlay that `iddio kubeconfig` then writes holds a placeholder.",
  ],
  examples: [
    "iddio credentials add github work --from keychain",
    "iddio credentials add cloudflare dns --from file --path /home/ana/.cf-token",
    "iddio credentials add github work --from command /usr/bin/pass show github",
    "iddio credentials add kubernetes prod --service-account agents/writer --tier observe=agents/reader",
  ],
  async run({ args, flags, output, daemon, env }) {
    const [kind = "", name = "", ...argv] = args;
    const cluster = kind === "kubernetes" ? await clusterOf(flags, name, env) : undefined;
    const from = cluster?.from ?? flags.text("from") ?? "keychain";
    const optional = <K extends string>(key: K, value: string | undefined) =>
      (value === undefined ? {} : { [key]: value }) as { [_ in K]?: string };
    const permissions = Object.fromEntries(flags.texts("permission").map(permissionOf));
    const { credential } = await daemon.call("credentials_add", {
      kind,
      name,
      from,
      hosts: flags.texts("host"),
      ...optional("variable", flags.text("variable")),
      ...optional("path", flags.text("path")),
      ...optional("app_id", flags.text("app")),
      ...optional("installation_id", flags.text("installation")),
      ...optional("api", flags.text("api")),
      ...optional("impersonate", flags.text("impersonate")),
      ...optional("profile", flags.text("profile")),
      ...optional("role", flags.text("role")),
      ...optional("external_id", flags.text("external-id")),
      ...optional("region", flags.text("region")),
      ...optional("session", flags.text("session")),
      ...cluster,
      ...ttlOf(flags),
      audiences: flags.texts("audience"),
      impersonate_groups: flags.texts("impersonate-group"),
      scopes: flags.texts("scope"),
      ...(from === "command" ? { argv } : {}),
      ...(from === "keychain" ? { value: await valueFromInput() } : {}),
      repositories: flags.texts("repository"),
      permissions,
    });
    if (flags.has("json")) return void output.json(credential);
    output.line(`${credential.name} is lent to requests to ${credential.hosts.join(", ")}`);
    output.note(
      cluster === undefined
        ? "what an agent gets in its place: iddio credentials env"
        : "put the placeholder into the overlay kubeconfig: iddio kubeconfig",
    );
  },
};

function ttlOf(flags: Flags): { readonly ttl_s?: number } {
  const ms = flags.durationMs("ttl");
  return ms === undefined ? {} : { ttl_s: Math.round(ms / 1000) };
}

/** Where the context leads, and as whom the operator gets there. */
async function clusterOf(
  flags: Flags,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ClusterInput> {
  const { readKubeconfig } = await import("../../host/kubeconfig/kubeconfig.ts");
  const wanted = flags.text("context") ?? name;
  const { contexts } = await readKubeconfig(env, { context: wanted });
  const [context] = contexts;
  if (context === undefined || !context.isTls)
    throw new UserError(`context '${wanted}' does not lead to a cluster over TLS`, {
      hint: "see: kubectl config get-contexts",
    });
  const { host, port, pathPrefix, identity, user } = context;
  if (identity === undefined && user === undefined)
    throw new UserError(`context '${wanted}' names no user who could mint tokens`, {
      hint: "see: kubectl config get-contexts",
    });
  const account = flags.text("service-account");
  return {
    from: flags.has("impersonate") ? "impersonation" : "service-account",
    context: wanted,
    cluster_host: host,
    cluster_port: port,
    path_prefix: pathPrefix,
    ...(identity === undefined && user !== undefined
      ? { kubeconfig: user.file, kubeconfig_user: user.name }
      : {}),
    ...(account === undefined ? {} : { service_account: account }),
    tiers: Object.fromEntries(flags.texts("tier").map(tierOf)),
  };
}

interface ClusterInput {
  readonly from: "impersonation" | "service-account";
  readonly context: string;
  readonly cluster_host: string;
  readonly cluster_port: number;
  readonly path_prefix: string;
  readonly kubeconfig?: string;
  readonly kubeconfig_user?: string;
  readonly service_account?: string;
  readonly tiers: Readonly<Record<string, string>>;
}

function tierOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UserError(`expected tier=namespace/name, got '${text}'`, {
    exitCode: 2,
    hint: "--tier observe=agents/reader",
  });
}

function permissionOf(text: string): readonly [string, string] {
  const match = /^([a-z_]+)=(read|write|admin)$/.exec(text);
  if (match?.[1] !== undefined && match[2] !== undefined) return [match[1], match[2]];
  throw new UserError(`expected name=read or name=write, got '${text}'`, {
    exitCode: 2,
    hint: "--permission contents=read",
  });
}

/** One line; a value on the command line would be public. */
async function valueFromInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write("value (one line, shown as you type): ");
  let text = "";
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > MAX_VALUE_BYTES || text.includes("\n")) break;
  }
  const value = text.split("\n")[0] ?? "";
  if (value !== "") return value;
  throw new UserError("no value on standard input", {
    exitCode: 2,
    hint: "iddio credentials add github work --from keychain < file-with-the-token",
  });
}
