// A credential as it is stored in state.db: where its value comes from, never the value. Owns the
// possible configurations; one that cannot work is refused when it is added, not when the first
// request is due.

import { isAbsolute } from "node:path";
import type { CredentialInput } from "../../api/methods/credentials.ts";
import { isTier, type Tier } from "../../model/tier.ts";
import { UserError } from "../../model/user-error.ts";
import { hostPort } from "../../text/host-port.ts";
import { isSecureUrl } from "../../text/secure-url.ts";
import { CREDENTIAL_KINDS, type CredentialKind, kindOf } from "./kinds.ts";
import { programProblem, type Source } from "./sources/source.ts";

/** A cluster that is registered with the gateway. */
export interface ClusterPlace {
  readonly host: string;
  readonly port: number;
  /** The path prefix of the cluster on its server; "" for most. */
  readonly prefix: string;
  /** The kubeconfig's context that leads there. */
  readonly context: string;
}

/** How the operator proves himself to a cluster: by the registered client certificate, or as a user of a kubeconfig. */
export type Operator =
  | { readonly kind: "certificate" }
  | { readonly kind: "kubeconfig"; readonly file: string; readonly user: string; readonly plugin: string };

/** Tokens of service accounts, minted with TokenRequest. */
export interface ServiceAccountOrigin {
  readonly from: "service-account";
  readonly cluster: ClusterPlace;
  readonly operator: Operator;
  /** `namespace/name` for each tier; `default` for those that are not named. */
  readonly accounts: Readonly<Partial<Record<Tier | "default", string>>>;
  readonly ttlS: number;
  readonly audiences: readonly string[];
}

/** The operator's own identity, acting as somebody else. */
export interface ImpersonationOrigin {
  readonly from: "impersonation";
  readonly cluster: ClusterPlace;
  readonly operator: Operator;
  readonly user: string;
  readonly groups: readonly string[];
}

/** Access tokens of a Google service account. */
export interface GoogleOrigin {
  readonly from: "google";
  /** The key file of a service account, the machine's own account, or where another access token comes from. */
  readonly base: Source | { readonly from: "key"; readonly path: string } | { readonly from: "metadata" };
  /** The account that a token is made for with `generateAccessToken`; "" for the base's own. */
  readonly account: string;
  readonly scopes: readonly string[];
  readonly ttlS: number;
  /** Of the service that makes tokens, without a slash at its end. */
  readonly api: string;
}

/** A token that is minted as an installation of a GitHub App. */
export interface GithubApp {
  readonly appId: string;
  readonly installationId: string;
  /** PEM, RSA. */
  readonly keyPath: string;
  /** Narrowed to these; all of the installation's when empty. */
  readonly repositories: readonly string[];
  /** `contents` to `read`; all of the installation's when empty. */
  readonly permissions: Readonly<Record<string, string>>;
  /** Base of the API, without a slash at its end. */
  readonly api: string;
}

/** A role of AWS that keys are minted for. */
export interface AwsRole {
  readonly arn: string;
  /** "" for none. */
  readonly externalId: string;
  readonly region: string;
  /** URL of STS. */
  readonly sts: string;
  readonly ttlS: number;
  /** `action`: the keys may do only the request's action; `role`: everything that the role may do. */
  readonly session: "action" | "role";
}

/** Keys of AWS, by which requests are signed again. */
export interface AwsOrigin {
  readonly from: "aws";
  readonly base: Source;
  /** Of the credentials file. */
  readonly profile: string;
  readonly role?: AwsRole;
  /** Twelve digits; "" where the keys do not say. */
  readonly account: string;
  /** Clusters of EKS whose tokens may be signed with them. */
  readonly clusters?: readonly string[];
}

/** One credential. */
export interface StoredCredential {
  readonly name: string;
  readonly kind: CredentialKind;
  /** Beside those of its kind: `host`, `host:port` or `.domain`. */
  readonly hosts: readonly string[];
  readonly origin: Origin;
}

/** Where its value comes from. */
export type Origin =
  | Source
  | { readonly from: "github-app"; readonly app: GithubApp }
  | ServiceAccountOrigin
  | ImpersonationOrigin
  | GoogleOrigin
  | AwsOrigin;

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const HOST = /^\.?(?:[a-z0-9-]+\.)*[a-z0-9-]+(?::\d{1,5})?$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,100}$/;

/** Checks the typed configuration. Throws a `UserError` that says what to type instead. */
export function checkedCredential(input: CredentialInput): StoredCredential {
  const kind = CREDENTIAL_KINDS.find((each) => each === input.kind);
  if (kind === undefined)
    throw wrong(`there is no kind '${input.kind}'`, `one of: ${CREDENTIAL_KINDS.join(", ")}`);
  if (!NAME.test(input.name))
    throw wrong(`'${input.name}' cannot be a name`, "lower-case letters, digits and hyphens, at most 32");
  if (kind === "kubernetes") return clusterCredential(input);
  const hosts = (input.hosts ?? []).map((host) => host.toLowerCase());
  for (const host of hosts)
    if (!HOST.test(host) || !/\.|^localhost(?::|$)/.test(host.replace(/^\./, "")))
      throw wrong(
        `'${host}' is not a host`,
        "--host api.example.com, --host api.example.com:8443 or --host .example.com",
      );
  if (hosts.length + kindOf(kind).hosts.length === 0 && kind !== "aws")
    throw wrong("a generic credential is for no host", "--host api.example.com");
  return { name: input.name, kind, hosts, origin: originOf(input, kind) };
}

const ACCOUNT = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
/** The API server takes no less, and a day is no short life. */
const TTL_S = { least: 600, most: 86_400 };

function clusterCredential(input: CredentialInput): StoredCredential {
  const {
    name,
    cluster_host: host = "",
    cluster_port: port = 0,
    path_prefix: prefix = "",
    context = "",
  } = input;
  if (host === "" || port < 1 || port > 65_535 || context === "")
    throw wrong("the cluster is not named", "iddio credentials add kubernetes NAME --context CONTEXT …");
  if ((input.hosts ?? []).length > 0)
    throw wrong("a credential of a cluster is for that cluster alone", "leave out --host");
  const cluster = { host, port, prefix, context };
  const { kubeconfig: file = "", kubeconfig_user: user = "" } = input;
  const operator: Operator =
    file === "" ? { kind: "certificate" } : { kind: "kubeconfig", file, user, plugin: "" };
  const hosts = [hostPort(host, port)];
  if (input.from === "impersonation") {
    const as = input.impersonate ?? "";
    const groups = input.impersonate_groups ?? [];
    if (![as, ...groups].every((each) => /^[\x21-\x7e](?:[\x20-\x7e]{0,250}[\x21-\x7e])?$/.test(each)))
      throw wrong("nobody to impersonate is named", "--impersonate agent --impersonate-group readers");
    return {
      name,
      kind: "kubernetes",
      hosts,
      origin: { from: "impersonation", cluster, operator, user: as, groups },
    };
  }
  const { ttl_s: ttlS = TTL_S.least, audiences = [] } = input;
  if (!Number.isInteger(ttlS) || ttlS < TTL_S.least || ttlS > TTL_S.most)
    throw wrong("a token must last between 10m and 24h", "--ttl 10m");
  const accounts = accountsOf(input);
  return {
    name,
    kind: "kubernetes",
    hosts,
    origin: { from: "service-account", cluster, operator, accounts, ttlS, audiences },
  };
}

function accountsOf({ service_account, tiers = {} }: CredentialInput): ServiceAccountOrigin["accounts"] {
  const named = Object.entries(tiers);
  for (const [tier] of named)
    if (!isTier(tier)) throw wrong(`there is no tier '${tier}'`, "--tier observe=namespace/name");
  const accounts = {
    ...Object.fromEntries(named),
    ...(service_account === undefined ? {} : { default: service_account }),
  };
  const all = Object.values(accounts);
  if (all.length === 0) throw wrong("no service account is named", "--service-account namespace/name");
  const bad = all.find((each) => !ACCOUNT.test(each));
  if (bad !== undefined) throw wrong(`'${bad}' is not a service account`, "--service-account namespace/name");
  return accounts;
}

/** gcloud asks for this scope. */
const GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform";

function googleOrigin(input: CredentialInput, base: GoogleOrigin["base"]): GoogleOrigin {
  const {
    impersonate: account = "",
    scopes = [],
    ttl_s: ttlS = 3600,
    api = "https://iamcredentials.googleapis.com",
  } = input;
  if (account !== "" && !/^[a-z0-9][a-z0-9.-]*@[a-z0-9.-]+$/.test(account))
    throw wrong(
      `'${account}' is not the address of a service account`,
      "--impersonate agent@project.iam.gserviceaccount.com",
    );
  if (!Number.isInteger(ttlS) || ttlS < 60 || ttlS > 43_200)
    throw wrong("a token must last between 1m and 12h", "--ttl 10m");
  const url = api.replace(/\/+$/, "");
  if (!isSecureUrl(url)) throw wrong(`'${url}' is neither https nor on this machine`, "--api https://…");
  if (scopes.some((scope) => !isSecureUrl(scope)))
    throw wrong("a scope is not a URL", `--scope ${GOOGLE_SCOPE}`);
  return {
    from: "google",
    base,
    account,
    scopes: scopes.length === 0 ? [GOOGLE_SCOPE] : scopes,
    ttlS,
    api: url,
  };
}

function awsOrigin(input: CredentialInput, base: Source): AwsOrigin {
  const { profile = "default", role: arn = "", eks_clusters: clusters = [] } = input;
  const bad = clusters.find((each) => !/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(each));
  if (bad !== undefined) throw wrong(`'${bad}' is not the name of a cluster`, "--eks shop");
  const plain = { from: "aws", base, profile, account: "", clusters } as const;
  if (arn === "") return plain;
  const account = /^arn:aws[a-z-]*:iam::(\d{12}):role\/[\w+=,.@/-]{1,512}$/.exec(arn)?.[1];
  if (account === undefined)
    throw wrong(`'${arn}' is not the name of a role`, "--role arn:aws:iam::111122223333:role/agent");
  const { region = "us-east-1", ttl_s: ttlS = 900, external_id: externalId = "", session = "action" } = input;
  if (!/^[a-z]{2,5}(?:-[a-z]+)+-\d$/.test(region))
    throw wrong(`'${region}' is not a region`, "--region eu-west-1");
  if (!Number.isInteger(ttlS) || ttlS < 900 || ttlS > 43_200)
    throw wrong("a session must last between 15m and 12h", "--ttl 15m");
  if (session !== "action" && session !== "role")
    throw wrong(`there is no session '${session}'`, "action or role");
  if (!/^[\w+=,.@:/-]{0,1224}$/.test(externalId))
    throw wrong("the external id cannot be sent", "--external-id …");
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const sts = (input.api ?? `https://sts.${region}.${domain}`).replace(/\/*$/, "/");
  if (!isSecureUrl(sts)) throw wrong(`'${sts}' is neither https nor on this machine`, "--api https://…");
  return { ...plain, account, role: { arn, externalId, region, sts, ttlS, session } };
}

function originOf(input: CredentialInput, kind: CredentialKind): Origin {
  if (kind === "google" && input.from === "google-key") {
    if (!isAbsolute(input.path ?? ""))
      throw wrong("the key is not named by its full path", "--path /…/key.json");
    return googleOrigin(input, { from: "key", path: input.path ?? "" });
  }
  if (kind === "google" && input.from === "metadata") return googleOrigin(input, { from: "metadata" });
  const source = sourceOf(input, kind);
  if (kind === "aws" && source.from !== "github-app") return awsOrigin(input, source);
  return kind === "google" && input.impersonate !== undefined && source.from !== "github-app"
    ? googleOrigin(input, source)
    : source;
}

function sourceOf(
  input: CredentialInput,
  kind: CredentialKind,
): Source | { readonly from: "github-app"; readonly app: GithubApp } {
  switch (input.from) {
    case "env":
      if (!VARIABLE.test(input.variable ?? ""))
        throw wrong("no variable is named", "--from env --variable GH_TOKEN");
      return { from: "env", variable: input.variable ?? "" };
    case "file":
      if (!isAbsolute(input.path ?? ""))
        throw wrong("no file is named by its full path", "--from file --path /…");
      return { from: "file", path: input.path ?? "" };
    case "command": {
      const argv = input.argv ?? [];
      const problem = programProblem(argv[0] ?? "");
      if (problem !== undefined)
        throw wrong(
          `the command is not used: ${problem}`,
          "a program of the system by its full path, or --from file",
        );
      return { from: "command", argv };
    }
    case "keychain":
      return { from: "keychain" };
    case "github-app":
      if (kind !== "github")
        throw wrong("only github has apps", "credentials add github … --from github-app");
      return { from: "github-app", app: appOf(input) };
    default:
      throw wrong(
        `there is no source '${input.from}'`,
        "keychain, env, file, command, github-app, google-key or metadata",
      );
  }
}

function appOf(input: CredentialInput): GithubApp {
  const { app_id: appId = "", installation_id: installationId = "", path = "", api } = input;
  if (!/^(?:\d+|Iv[A-Za-z0-9.]+)$/.test(appId) || !/^\d+$/.test(installationId))
    throw wrong("the app or its installation is not named", "--app ID --installation ID --path /…/key.pem");
  if (!isAbsolute(path)) throw wrong("the key of the app is not named by its full path", "--path /…/key.pem");
  const base = (api ?? "https://api.github.com").replace(/\/+$/, "");
  if (!isSecureUrl(base))
    throw wrong(`'${base}' is neither https nor on this machine`, "--api https://…/api/v3");
  return {
    appId,
    installationId,
    keyPath: path,
    repositories: input.repositories ?? [],
    permissions: input.permissions ?? {},
    api: base,
  };
}

function wrong(message: string, hint: string): UserError {
  return new UserError(message, { hint, exitCode: 2 });
}
