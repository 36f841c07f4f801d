// The command line of the operator's ssh. What his configuration would give an agent beside the
// session (forwardings, keys, masters, local commands, an escape character, trust in unknown hosts)
// is switched off here, every time.

import type { OtherUser } from "../../../host/process/other-user.ts";
import { isPlainHost, isPlainUser } from "../../../protocols/ssh/target.ts";

/** Where to, and as whom. */
export interface SshTarget {
  readonly program: string;
  /** Whose rights it has on this machine, where those are not ours. */
  readonly runAs?: OtherUser | undefined;
  /** The operator's configuration, where it is not the usual file. */
  readonly config: string | undefined;
  /** As the operator calls it. */
  readonly name: string;
  readonly port: number;
  readonly user: string;
}

/** The task of an upstream connection. */
export type UpstreamWork =
  | { readonly kind: "command"; readonly command: string; readonly pty: boolean }
  | { readonly kind: "shell"; readonly pty: boolean }
  | { readonly kind: "subsystem"; readonly name: string }
  | { readonly kind: "connect"; readonly host: string; readonly port: number };

/** Options that win over every configuration file. */
export const HARD_OPTIONS: readonly string[] = [
  "EscapeChar=none",
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "Tunnel=no",
  "PermitLocalCommand=no",
  "RemoteCommand=none",
  "ControlMaster=no",
  "ControlPath=none",
  "StrictHostKeyChecking=yes",
  "UpdateHostKeys=no",
  "BatchMode=yes",
  "AddKeysToAgent=no",
  // A ticket on the other side is the operator's key by another name.
  "GSSAPIDelegateCredentials=no",
  "NoHostAuthenticationForLocalhost=no",
  "ForkAfterAuthentication=no",
  "StdinNull=no",
  "VisualHostKey=no",
];

/** Older than OpenSSH 8.7 ssh does not know these; they are no danger there. */
const IGNORED_WHEN_UNKNOWN =
  "IgnoreUnknown=ForkAfterAuthentication,StdinNull,SessionType,EnableEscapeCommandline";

/** `-s` and `-W` set another type, and a configuration must not set it before them. */
const PLAIN = ["-o", "SessionType=default"];

/** The whole command line. Throws when a name is not plain, which the daemon has excluded. */
export function upstreamArguments(
  target: SshTarget,
  work: UpstreamWork,
  more: { readonly log?: string; readonly sendEnv?: readonly string[] } = {},
): readonly string[] {
  const { name } = target;
  const program = programOf(target);
  const options = [
    ...(more.log === undefined ? [] : ["-E", more.log]),
    ...(more.sendEnv ?? []).flatMap((each) => ["-o", `SendEnv=${each}`]),
  ];
  switch (work.kind) {
    case "command":
      return [
        ...program,
        ...common(target),
        ...options,
        ...PLAIN,
        work.pty ? "-tt" : "-T",
        "--",
        name,
        work.command,
      ];
    case "shell":
      return [...program, ...common(target), ...options, ...PLAIN, work.pty ? "-tt" : "-T", "--", name];
    case "subsystem":
      return [...program, ...common(target), ...options, "-T", "-s", "--", name, work.name];
    case "connect":
      return [
        ...program,
        ...common(target),
        ...options,
        "-T",
        "-W",
        `${work.host.includes(":") ? `[${work.host}]` : work.host}:${work.port}`,
        "--",
        name,
      ];
  }
}

/** Asks ssh where it would connect to, and connects nowhere. */
export function configArguments(target: SshTarget): readonly string[] {
  return [...programOf(target), ...common(target), "-G", "--", target.name];
}

function common({ config, name, user, port }: SshTarget): readonly string[] {
  if (!isPlainHost(name)) throw new Error(`'${name}' is not a plain host`);
  if (!isPlainUser(user)) throw new Error(`'${user}' is not a plain user`);
  return [
    ...(config === undefined ? [] : ["-F", config]),
    "-o",
    IGNORED_WHEN_UNKNOWN,
    ...HARD_OPTIONS.flatMap((each) => ["-o", each]),
    "-l",
    user,
    "-p",
    String(port),
  ];
}

function programOf({ program, runAs }: SshTarget): readonly string[] {
  return [...(runAs?.prefix ?? []), program];
}
