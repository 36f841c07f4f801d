// `iddio credentials`: tokens that iddio holds, so that an agent needs none. The daemon keeps where
// each value comes from and puts it into requests that hold its placeholder; these commands only
// talk to it.

import type { CredentialReport } from "../../api/methods/credentials.ts";
import { type Command, type CommandContext, JSON_FLAG } from "../../cli/kit/command.ts";
import { localTime } from "../../cli/kit/local-time.ts";
import { escapeForTerminal } from "../../text/escape.ts";

const NAME = { name: "name" } as const;

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
  summary: "Print the placeholders that agents get in place of tokens",
  flags: [JSON_FLAG],
  details: [
    "A placeholder is worth nothing but through iddio, for your own user. For a shell:",
    '  eval "$(iddio credentials env)"',
  ],
  async run({ flags, output, daemon }) {
    const { placeholders } = await daemon.call("credentials_placeholders", {});
    if (flags.has("json")) return void output.json(placeholders);
    for (const { name, placeholder, context, environment } of placeholders) {
      const [first, ...others] = Object.entries(environment);
      if (context !== undefined) output.line(`# ${name}: in the overlay of \`iddio kubeconfig\``);
      else if (first === undefined) output.line(`# ${name}: ${placeholder}`);
      else
        for (const [variable, value] of isSame(first, others) ? [first] : [first, ...others])
          output.line(`export ${variable}='${value}'`);
    }
  },
};

/** Tools that read several variables for one value need one of them. */
function isSame(
  [, value]: readonly [string, string],
  others: readonly (readonly [string, string])[],
): boolean {
  return others.every(([, other]) => other === value);
}

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
