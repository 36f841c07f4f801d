// `iddio credentials add`: says where the value of a credential comes from. The daemon checks it
// and gets the value once; of a cluster this command reads which server the kubeconfig's context
// leads to, and who the operator is there.

import type { CredentialInput } from "../../api/methods/credentials.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../../cli/kit/command.ts";
import type { Flags } from "../../cli/kit/flags.ts";
import { UserError } from "../../model/user-error.ts";

const NAME = { name: "name" } as const;
const COMMAND = { name: "command", isOptional: true, isRest: true } as const;

/** Adds a token that is put into fields. */
export const credentialsAddCommand: Command = {
  name: "credentials add",
  summary: "Hold a token for agents, which get a placeholder",
  args: [{ name: "kind", choices: ["github", "cloudflare", "fly", "generic"] }, NAME, COMMAND],
  flags: [
    {
      name: "from",
      value: "source",
      choices: ["keychain", "env", "file", "command", "github-app"],
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
    { name: "api", value: "url", summary: "API of a GitHub Enterprise Server" },
    JSON_FLAG,
  ],
  details: [
    "The value is put into requests to the hosts of its kind, over verified TLS, when",
    "they hold the placeholder that `iddio credentials env` prints.",
  ],
  examples: ["iddio credentials add github work --from command /usr/bin/pass show github"],
  run: (context) => {
    const [kind = "", name = "", ...argv] = context.args;
    return add(context, { kind, name, ...sourceOf(context.flags, argv), ...githubOf(context.flags) });
  },
};

/** Adds access tokens of Google. */
export const credentialsAddGoogleCommand: Command = {
  name: "credentials add google",
  summary: "Hold or mint access tokens of Google",
  args: [NAME, COMMAND],
  flags: [
    {
      name: "from",
      value: "source",
      choices: ["keychain", "env", "file", "command", "google-key", "metadata"],
      summary: "Where the value comes from (default keychain)",
    },
    {
      name: "host",
      value: "host",
      isRepeatable: true,
      summary: "Further host that it is for: name, name:port or .domain",
    },
    { name: "variable", value: "name", summary: "Variable of the daemon's environment, with --from env" },
    {
      name: "path",
      value: "file",
      completes: "file",
      summary: "File of the value, or of the service account's key",
    },
    { name: "impersonate", value: "account", summary: "Service account that tokens are made for" },
    { name: "scope", value: "url", isRepeatable: true, summary: "Scope of Google's tokens" },
    { name: "ttl", value: "duration", kind: "duration", summary: "How long such a token lasts" },
    { name: "api", value: "url", summary: "API that makes them, if not Google's own" },
    JSON_FLAG,
  ],
  examples: [
    "iddio credentials add google acme --from env --variable GOOGLE_TOKEN",
    "iddio credentials add google acme --from google-key --path /home/ana/key.json",
  ],
  run: (context) => {
    const { flags } = context;
    const [name = "", ...argv] = context.args;
    return add(context, {
      ...{ kind: "google", name, ...sourceOf(flags, argv), ...ttlOf(flags), scopes: flags.texts("scope") },
      ...optional("impersonate", flags.text("impersonate")),
      ...optional("api", flags.text("api")),
    });
  },
};

/** Adds keys by which requests of AWS are signed again. */
export const credentialsAddAwsCommand: Command = {
  name: "credentials add aws",
  summary: "Hold keys of AWS, by which requests are signed again",
  args: [NAME, COMMAND],
  flags: [
    {
      name: "from",
      value: "source",
      choices: ["keychain", "env", "file", "command"],
      summary: "Where the value comes from (default keychain)",
    },
    {
      name: "host",
      value: "host",
      isRepeatable: true,
      summary: "Further host that it is for: name, name:port or .domain",
    },
    { name: "variable", value: "name", summary: "Variable of the daemon's environment, with --from env" },
    { name: "api", value: "url", summary: "URL of STS, if not AWS's own" },
    { name: "path", value: "file", completes: "file", summary: "File of the keys" },
    { name: "profile", value: "name", summary: "Profile of AWS's credentials file (default default)" },
    { name: "role", value: "arn", summary: "Role of AWS that keys are minted for" },
    { name: "external-id", value: "id", summary: "External id that the role asks for" },
    { name: "region", value: "id", summary: "Region whose STS mints them (default us-east-1)" },
    { name: "ttl", value: "time", kind: "duration", summary: "How long keys of the role last" },
    {
      name: "session",
      value: "what",
      choices: ["action", "role"],
      summary: "The rights of the keys: the request's action (default) or all of the role",
    },
    {
      name: "eks",
      value: "name",
      isRepeatable: true,
      summary: "Cluster of EKS that kubectl reaches with them",
    },
    JSON_FLAG,
  ],
  details: [
    "The source gives a credentials file, the output of a credential process, or",
    "ACCESSKEY:SECRET[:TOKEN].",
  ],
  examples: ["iddio credentials add aws prod --from file --path /home/ana/.aws/credentials"],
  run: (context) => {
    const { flags } = context;
    const [name = "", ...argv] = context.args;
    return add(context, {
      ...{ kind: "aws", name, ...sourceOf(flags, argv), ...ttlOf(flags) },
      eks_clusters: flags.texts("eks"),
      ...optional("profile", flags.text("profile")),
      ...optional("role", flags.text("role")),
      ...optional("external_id", flags.text("external-id")),
      ...optional("region", flags.text("region")),
      ...optional("session", flags.text("session")),
      ...optional("api", flags.text("api")),
    });
  },
};

/** Adds tokens of a cluster, or impersonation. */
export const credentialsAddKubernetesCommand: Command = {
  name: "credentials add kubernetes",
  summary: "Mint tokens of a cluster, or impersonate",
  args: [NAME],
  flags: [
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
    {
      name: "ttl",
      value: "duration",
      kind: "duration",
      summary: "How long a minted token lasts (default 10m)",
    },
    { name: "impersonate", value: "user", summary: "Act as this user of the cluster instead" },
    {
      name: "impersonate-group",
      value: "name",
      isRepeatable: true,
      summary: "And as a member of this group",
    },
    JSON_FLAG,
  ],
  details: [
    "Tokens are minted by your own identity in the kubeconfig, and the overlay that",
    "`iddio kubeconfig` then writes holds a placeholder.",
  ],
  examples: ["iddio credentials add kubernetes prod --service-account agents/writer"],
  async run(context) {
    const { args, flags, env, output } = context;
    const [name = ""] = args;
    await add(context, {
      ...{ kind: "kubernetes", name, ...(await clusterOf(flags, name, env)), ...ttlOf(flags) },
      ...{ audiences: flags.texts("audience"), impersonate_groups: flags.texts("impersonate-group") },
      ...optional("impersonate", flags.text("impersonate")),
    });
    if (!flags.has("json")) output.note("put the placeholder into the overlay kubeconfig: iddio kubeconfig");
  },
};

async function add({ flags, output, daemon }: CommandContext, input: CredentialInput): Promise<void> {
  const value = input.from === "keychain" ? { value: await valueFromInput() } : {};
  const { credential } = await daemon.call("credentials_add", { ...input, ...value });
  if (flags.has("json")) return void output.json(credential);
  const { hosts, kind, name } = credential;
  const where = kind === "aws" ? ["the endpoints of AWS's services", ...hosts] : hosts;
  output.line(`${name} is lent to requests to ${where.join(", ")}`);
  if (kind !== "kubernetes") output.note("the placeholder that an agent gets: iddio credentials env");
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [_ in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [_ in K]?: string };
}

/** Where the value comes from. */
function sourceOf(flags: Flags, argv: readonly string[]) {
  const from = flags.text("from") ?? "keychain";
  return {
    from,
    hosts: flags.texts("host"),
    ...optional("variable", flags.text("variable")),
    ...optional("path", flags.text("path")),
    ...(from === "command" ? { argv } : {}),
  };
}

function githubOf(flags: Flags) {
  return {
    ...optional("app_id", flags.text("app")),
    ...optional("installation_id", flags.text("installation")),
    ...optional("api", flags.text("api")),
    repositories: flags.texts("repository"),
    permissions: Object.fromEntries(flags.texts("permission").map(permissionOf)),
  };
}

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

async function valueFromInput(): Promise<string> {
  const { secretsFromInput } = await import("../../cli/kit/terminal/secret-input.ts");
  const hint = "iddio credentials add github work --from keychain < file-with-the-token";
  return (await secretsFromInput("value", 1, hint))[0] ?? "";
}
