// A gateway with one sshd behind it, and clients that reach it by the configuration that `iddio
// ssh-config` writes.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtBinary } from "../built-binary.ts";
import { type Finished, type Running, type RunOptions, runClient, startClient } from "../clients.ts";
import { type GatewayProcess, startGatewayProcess } from "../gateway.ts";
import { type Sshd, type SshdOptions, startSshd } from "./sshd.ts";

/** Both, and ssh between them. */
export interface SshWorld extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly gateway: GatewayProcess;
  /** This program, as ProxyCommand needs it. */
  readonly gatewayProgram: string;
  /** The client's configuration. */
  readonly config: string;
  /** Environment of clients. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `ssh [options] localhost [command]`. */
  ssh(command: string | undefined, more?: SshRunOptions): Promise<Finished>;
  start(command: string | undefined, more?: SshRunOptions): Running;
}

/** How ssh is run. */
export type SshRunOptions = RunOptions & { readonly options?: readonly string[] };

/** Differences from the usual world. */
export interface SshWorldOptions extends SshdOptions {
  /** Rules of the `ssh` block, indented by two; the default ones without it. */
  readonly rules?: string;
  readonly settings?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The policy's entry is for this user alone. */
  readonly entryUser?: string;
}

const RULES = `  rules:
    allow: {groups: [read]}
    escalate: {groups: [mutate]}
    deny: {groups: [admin]}
`;

/** The policy for one host. */
export function sshPolicy(entry: string, rules: string = RULES): string {
  return `ssh:
  inspect: ["${entry}"]
  default: escalate
  groups:
    read: {tiers: [observe]}
    mutate: {tiers: [modify, sensitive]}
    admin: {tiers: [break-glass]}
${rules}`;
}

/** Everything goes, for tests of what is carried. */
export const ALLOW_ALL = `  rules:
    allow: {groups: [read, mutate, admin]}
`;

/** Starts both; `await using` ends them. */
export async function startSshWorld(options: SshWorldOptions = {}): Promise<SshWorld> {
  await using own = new AsyncDisposableStack();
  const sshd = own.use(await startSshd(options));
  const gateway = own.use(
    await startGatewayProcess({
      policy: sshPolicy(
        `${options.entryUser ? `${options.entryUser}@` : ""}localhost:${sshd.port}`,
        options.rules,
      ),
      settings: `ssh_config: ${sshd.operatorConfig}\n${options.settings ?? ""}`,
      ...(options.env ? { env: options.env } : {}),
    }),
  );
  const made = await gateway.run(["ssh-config"]);
  if (made.code !== 0) throw new Error(made.stderr);
  const config = join(gateway.home, "client.config");
  mkdirSync(join(gateway.home, ".ssh"), { recursive: true });
  writeFileSync(
    config,
    `Include ${made.stdout.trim()}\nHost localhost\n  User ${sshd.user}\n  Port ${sshd.port}\n`,
  );
  const env = { HOME: gateway.home, IDDIO_HOME: gateway.home };
  const argv = (command: string | undefined, more: SshRunOptions) => [
    "-F",
    config,
    ...(more.options ?? []),
    "localhost",
    ...(command === undefined ? [] : [command]),
  ];
  const ended = own.move();
  return {
    sshd,
    gateway,
    gatewayProgram: `env IDDIO_HOME=${gateway.home} ${builtBinary()}`,
    config,
    env,
    ssh: (command, more = {}) =>
      runClient("ssh", argv(command, more), { ...more, env: { ...env, ...more.env } }),
    start: (command, more = {}) =>
      startClient("ssh", argv(command, more), { ...more, env: { ...env, ...more.env } }),
    [Symbol.asyncDispose]: () => ended.disposeAsync(),
  };
}
