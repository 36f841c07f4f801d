// The variables that an agent starts with: a list, not the person's environment. What loads code
// into programs or names a socket outside is never passed on; what programs need to trust the
// gateway's certificates is set.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../model/user-error.ts";
import { isPassable, type Profile } from "../profile.ts";
import { RUN_FOLDER } from "../run-hook.ts";
import { passedOn, type Variables } from "./passed-on.ts";

/** The inputs of the environment. */
export interface VariablesInput {
  readonly profile: Profile;
  /** The person's own PATH. */
  readonly path: string;
  readonly home: string;
  /** The person's own, where that is another one: programs installed there are found there. */
  readonly realHome?: string;
  readonly uid: number;
  /** Names from `--env`. */
  readonly names: readonly string[];
  readonly bundle: string;
  readonly kubeconfig: string;
  readonly run: string;
  /** The placeholders of credentials that iddio lends. */
  readonly placeholders?: readonly { readonly variables: readonly (readonly [string, string])[] }[];
}

const BUNDLE_VARIABLES = [
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "AWS_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "CURL_CA_BUNDLE",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "PIP_CERT",
  "CARGO_HTTP_CAINFO",
  "DENO_CERT",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
];

const GIT_SETTINGS = [
  // So that daily git does not try to write the read-only configuration of a repository.
  ["branch.autoSetupMerge", "false"],
  ["push.default", "current"],
  // No key of the person's is in a sandbox: each commit would fail.
  ["commit.gpgSign", "false"],
  ["tag.gpgSign", "false"],
  ["push.gpgSign", "false"],
] as const;

/** Has git give a lent token of GitHub, as `gh auth git-credential` would. */
const LENT_TO_GIT = [
  "credential.https://github.com.helper",
  `!f() { if [ "$1" = get ]; then printf 'username=x-access-token\\npassword=%s\\n' "$GH_TOKEN"; fi; }; f`,
] as const;

/** Settings of git as variables, which win over those in files. */
function gitVariables(settings: readonly (readonly [key: string, value: string])[]): Record<string, string> {
  return {
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

const SYSTEM_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The environment of the agent. Throws UserError for a name that must not be passed on. */
export function sandboxEnvironment({
  env,
  ...input
}: Omit<VariablesInput, "path"> & {
  readonly env: Readonly<Record<string, string | undefined>>;
}): Record<string, string> {
  return passedOn(env, sandboxVariables({ ...input, path: env.PATH ?? "" }));
}

/** The variables that are passed on by name, and those that are set. Throws UserError for a name that must not be passed on. */
export function sandboxVariables(input: VariablesInput): Variables {
  const { profile, home } = input;
  for (const name of input.names)
    if (!isPassable(name))
      throw new UserError(`'${name}' cannot be given to an agent by --env`, {
        hint: "it loads code into programs or names a socket outside of the sandbox",
        exitCode: 2,
      });
  const lent = Object.fromEntries((input.placeholders ?? []).flatMap(({ variables }) => variables));
  // Where a placeholder would do, a variable is passed on only if the person names it.
  for (const name of input.names) delete lent[name];
  const set = Object.fromEntries(
    Object.entries(profile.set).map(([name, value]) => [
      name,
      value.startsWith("~/") ? join(home, value.slice(2)) : value,
    ]),
  );
  const sets = {
    ...lent,
    ...gitVariables(lent.GH_TOKEN === undefined ? GIT_SETTINGS : [...GIT_SETTINGS, LENT_TO_GIT]),
    ...set,
    HOME: home,
    PATH: sandboxPath(input.path, input.realHome ?? home),
    XDG_RUNTIME_DIR: `/run/user/${input.uid}`,
    TMPDIR: "/tmp",
    IDDIO_RUN: input.run,
    ...Object.fromEntries(BUNDLE_VARIABLES.map((name) => [name, input.bundle])),
    ...(existsSync(input.kubeconfig) ? { KUBECONFIG: input.kubeconfig } : {}),
  };
  return { passes: [...new Set([...profile.environment, ...input.names])], sets };
}

/** The person's own path, without folders that the sandbox does not show, and with those of every system. */
export function sandboxPath(path: string, home: string): string {
  const own = path
    .split(":")
    .filter((each) => each.startsWith("/") && !each.includes(".."))
    .filter(
      (each) =>
        each.startsWith(`${home}/`) || /^\/(?:usr|bin|sbin|opt|nix|snap|home\/linuxbrew)(?:\/|$)/.test(each),
    );
  return [...new Set([RUN_FOLDER, ...own, ...SYSTEM_PATH])].join(":");
}
