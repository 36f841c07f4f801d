// Lets AppArmor allow the sandbox where it keeps programs without a profile from making user
// namespaces (Ubuntu 23.10 and newer). One small profile for bubblewrap at the place where it is
// installed; everything else of AppArmor stays as it is. Done by sudo, after the person has seen
// the file.

import type { CommandContext } from "../../cli/kit/command.ts";
import { findBubblewrap, isRestrictedByAppArmor } from "../../host/sandbox/bubblewrap.ts";
import { UserError } from "../../model/user-error.ts";

const PROFILE_PATH = "/etc/apparmor.d/iddio-bwrap";
const SUDO = "/usr/bin/sudo";
const PARSER = "/usr/sbin/apparmor_parser";

/** The profile that lets one program make user namespaces. */
export function appArmorProfile(program: string): string {
  return `# Written by 'iddio run --setup': bubblewrap makes user namespaces, everything else stays as it was.
abi <abi/4.0>,
include <tunables/global>

profile iddio-bwrap ${program} flags=(unconfined) {
  userns,

  include if exists <local/iddio-bwrap>
}
`;
}

/** Writes and loads the profile; nothing where it is not needed. */
export async function setUpAppArmor({ output }: Pick<CommandContext, "output">): Promise<number> {
  const path = findBubblewrap();
  if (!isRestrictedByAppArmor()) {
    output.line("nothing to set up: AppArmor does not restrict user namespaces here");
    return 0;
  }
  const text = appArmorProfile(path);
  output.note(`writing ${PROFILE_PATH} with sudo:\n${text}`);
  await asRoot(["/usr/bin/tee", PROFILE_PATH], text);
  await asRoot([PARSER, "--replace", PROFILE_PATH], "");
  output.line("AppArmor allows the sandbox now; see: iddio run --check");
  return 0;
}

async function asRoot(argv: readonly string[], input: string): Promise<void> {
  const command = process.getuid?.() === 0 ? argv : [SUDO, "--", ...argv];
  const child = Bun.spawn([...command], { stdin: Buffer.from(input), stdout: "ignore", stderr: "inherit" });
  if ((await child.exited) !== 0)
    throw new UserError(`'${argv.join(" ")}' failed`, { hint: "do it by hand, as root" });
}
