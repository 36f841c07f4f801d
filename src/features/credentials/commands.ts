// `iddio credentials`: tokens that iddio holds, so that an agent needs none. The daemon keeps where each value comes from
// and puts it into requests that hold its placeholder; these commands only talk to it.

import type { CredentialReport } from "../../api/credential-methods.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../../cli/kit/command.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";

const NAME = { name: "name" } as const;
const MAX_VALUE_BYTES = 16 * 1024;

/** Adds a credential. */
export const credentialsAddCommand: Command = {
  name: "credentials add",
  summary: "Hold a token for agents, which get a placeholder",
  args: [
    { name: "kind", choices: ["github", "cloudflare", "fly", "generic"] },
    NAME,
    { name: "command", isOptional: true, isRest: true },
  ],
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
    "they hold the placeholder that `iddio credentials env` prints. With --from",
    "keychain the value is read from standard input and stored there. With --from",
    "command it is what a program prints; only root may be able to change that one.",
  ],
  examples: [
    "iddio credentials add github work --from keychain",
    "iddio credentials add cloudflare dns --from file --path /home/ana/.cf-token",
    "iddio credentials add github work --from command /usr/bin/pass show github",
  ],
  async run({ args, flags, output, daemon }) {
    const [kind = "", name = "", ...argv] = args;
    const from = flags.text("from") ?? "keychain";
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
      ...(from === "command" ? { argv } : {}),
      ...(from === "keychain" ? { value: await valueFromInput() } : {}),
      repositories: flags.texts("repository"),
      permissions,
    });
    if (flags.has("json")) return void output.json(credential);
    output.line(`${credential.name} is lent to requests to ${credential.hosts.join(", ")}`);
    output.note("what an agent gets in its place: iddio credentials env");
  },
};

/** Prints them. */
export const credentialsListCommand: Command = {
  name: "credentials list",
  summary: "List the tokens that iddio holds, without their values",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const { credentials } = await daemon.call("credentials_list", {});
    if (flags.has("json")) return void output.json(credentials);
    if (credentials.length === 0) return void output.note("iddio holds no credential: iddio credentials add");
    await output.loadPaints();
    output.table(["NAME", "KIND", "FROM", "HOSTS", "USED", "EXPIRES", "STATE"], credentials.map(cells));
  },
};

/** Prints placeholders as a shell would set them. */
export const credentialsEnvCommand: Command = {
  name: "credentials env",
  summary: "Print what an agent gets in place of the tokens",
  flags: [JSON_FLAG],
  details: [
    "A placeholder is worth nothing but through iddio, for your own user. For a shell:",
    '  eval "$(iddio credentials env)"',
  ],
  async run({ flags, output, daemon }) {
    const { placeholders } = await daemon.call("credentials_placeholders", {});
    if (flags.has("json")) return void output.json(placeholders);
    for (const { name, variables, placeholder } of placeholders) {
      const [variable] = variables;
      if (variable === undefined) output.line(`# ${name}: ${placeholder}`);
      else output.line(`export ${variable}='${placeholder}'`);
    }
  },
};

const named = (
  name: string,
  summary: string,
  run: (context: CommandContext, name: string) => Promise<void>,
): Command => ({
  name,
  summary,
  args: [NAME],
  flags: [JSON_FLAG],
  run: (context) => run(context, context.args[0] ?? ""),
});

/** Gets the value once. */
export const credentialsTestCommand = named(
  "credentials test",
  "Get a token's value once, to see whether that works",
  async ({ flags, output, daemon }, name) => {
    const { credential } = await daemon.call("credentials_test", { name });
    if (flags.has("json")) return void output.json(credential);
    const until = credential.expires_ms === undefined ? "" : `, until ${localTime(credential.expires_ms)}`;
    output.line(
      `${credential.name}: its value can be had from ${escapeForTerminal(credential.from)}${until}`,
    );
  },
);

/** Ends the token in use. */
export const credentialsRevokeCommand = named(
  "credentials revoke",
  "End the token that is in use",
  async ({ flags, output, daemon }, name) => {
    const { credential, note } = await daemon.call("credentials_revoke", { name });
    if (flags.has("json")) return void output.json({ credential, ...(note === undefined ? {} : { note }) });
    output.line(`${credential.name}: ${note ?? "the token has ended; the next request gets another"}`);
  },
);

/** Forgets a credential. */
export const credentialsRemoveCommand = named(
  "credentials remove",
  "Lend a token no more",
  async ({ flags, output, daemon }, name) => {
    const { credential } = await daemon.call("credentials_remove", { name });
    if (flags.has("json")) return void output.json(credential);
    output.line(`${credential.name} is lent no more`);
  },
);

function cells(credential: CredentialReport): string[] {
  const { name, kind, from, hosts, used_ms, expires_ms, problem } = credential;
  const [first = "", ...others] = hosts;
  return [
    name,
    kind,
    from,
    others.length === 0 ? first : `${first} and ${others.length} more`,
    used_ms === undefined ? "-" : localTime(used_ms),
    expires_ms === undefined ? "-" : localTime(expires_ms),
    problem ?? "ok",
  ];
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
