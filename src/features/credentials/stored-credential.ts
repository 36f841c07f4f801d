// A credential as it is stored in state.db: where its value comes from, never the value. Owns what may be configured;
// what cannot work is refused when it is added, not when the first request is due.

import { isAbsolute } from "node:path";
import type { CredentialInput } from "../../api/credential-methods.ts";
import { UserError } from "../../model/user-error.ts";
import { isSecureUrl } from "../../text/secure-url.ts";
import { CREDENTIAL_KINDS, type CredentialKind, kindOf } from "./kinds.ts";
import { programProblem, type Source } from "./sources/source.ts";

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

/** One credential. */
export interface StoredCredential {
  readonly name: string;
  readonly kind: CredentialKind;
  /** Beside those of its kind: `host`, `host:port` or `.domain`. */
  readonly hosts: readonly string[];
  readonly origin: Source | { readonly from: "github-app"; readonly app: GithubApp };
}

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const HOST = /^\.?(?:[a-z0-9-]+\.)*[a-z0-9-]+(?::\d{1,5})?$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,100}$/;

/** Checks what was typed. Throws a `UserError` that says what to type instead. */
export function checkedCredential(input: CredentialInput): StoredCredential {
  const kind = CREDENTIAL_KINDS.find((each) => each === input.kind);
  if (kind === undefined)
    throw wrong(`there is no kind '${input.kind}'`, `one of: ${CREDENTIAL_KINDS.join(", ")}`);
  if (!NAME.test(input.name))
    throw wrong(`'${input.name}' cannot be a name`, "lower-case letters, digits and hyphens, at most 32");
  const hosts = (input.hosts ?? []).map((host) => host.toLowerCase());
  for (const host of hosts)
    if (!HOST.test(host) || !/\.|^localhost(?::|$)/.test(host.replace(/^\./, "")))
      throw wrong(
        `'${host}' is not a host`,
        "--host api.example.com, --host api.example.com:8443 or --host .example.com",
      );
  if (hosts.length + kindOf(kind).hosts.length === 0)
    throw wrong("a generic credential is for no host", "--host api.example.com");
  return { name: input.name, kind, hosts, origin: originOf(input, kind) };
}

function originOf(input: CredentialInput, kind: CredentialKind): StoredCredential["origin"] {
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
      throw wrong(`there is no source '${input.from}'`, "keychain, env, file, command or github-app");
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
