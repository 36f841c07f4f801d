// `iddio shell-init`: gathers the snippet's inputs; the snippet itself is text/shell-init.ts. Runs
// at every shell start, so nothing is loaded that a running daemon makes unnecessary.

import { UserError } from "../../model/user-error.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { renderShellInit, renderShellUnset, SHELLS } from "../../text/shell-init.ts";
import type { Command, CommandContext } from "../kit/command.ts";
import type { Flags } from "../kit/flags.ts";
import { DEFAULT_LISTEN, proxyAddress } from "../kit/proxy-address.ts";

/** Prints the snippet; for bash unless given, which zsh and sh read too. */
export const shellInitCommand: Command = {
  name: "shell-init",
  summary: "Print the shell snippet that routes CLIs through the gateway",
  args: [{ name: "shell", isOptional: true, choices: SHELLS }],
  flags: [
    { name: "listen-addr", value: "addr", summary: "Address of the proxy, if not the daemon's own" },
    { name: "unset", summary: "Print the snippet that takes the shell off the gateway again" },
  ],
  details: [
    'bash, zsh:  eval "$(iddio shell-init)"',
    "fish:       iddio shell-init fish | source",
    'and off:    eval "$(iddio shell-init --unset)"',
  ],
  async run(context) {
    const { args, env, output, paths } = context;
    const shell = SHELLS.find((name) => name === args[0]) ?? "bash";
    if (context.flags.has("unset")) return output.write(renderShellUnset(shell, paths));
    await warnOfBypass(context);
    const { lastingProgram } = await import("../../host/process/lasting-program.ts");
    output.write(
      renderShellInit(shell, {
        program: lastingProgram(env),
        ...(env.IDDIO_HOME ? { home: paths.root } : {}),
        proxyUrl: `http://${givenAddress(context.flags) ?? (await proxyAddress(context))}`,
        bundle: paths.bundle,
        kubeconfig: paths.kubeconfig,
      }),
    );
  },
};

/** Hosts in NO_PROXY go around the gateway: anyone who listed them may not have had iddio in mind. */
async function warnOfBypass({ env, daemon, output }: CommandContext): Promise<void> {
  const noProxy = env.NO_PROXY ?? env.no_proxy ?? "";
  if (noProxy === "") return;
  const { bypassed } = await import("../kit/no-proxy.ts");
  const { protocols } = await daemon.call("inspect_summary", {}).catch(() => ({ protocols: [] }));
  for (const { noProxyEntry, inspectEntry } of bypassed(
    noProxy,
    protocols.flatMap(({ entries }) => entries),
  )) {
    output.note(
      `iddio: NO_PROXY has '${escapeForTerminal(noProxyEntry)}', so requests to '${escapeForTerminal(inspectEntry)}' do not pass through iddio`,
    );
  }
}

function givenAddress(flags: Flags): string | undefined {
  const given = flags.text("listen-addr");
  if (given === undefined || /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/.test(given)) return given;
  throw new UserError(`'${given}' is not an address with a port`, {
    hint: `type: --listen-addr ${DEFAULT_LISTEN}`,
    exitCode: 2,
  });
}
