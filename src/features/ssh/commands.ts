// `iddio ssh-config`, by which ssh is told to go through iddio, and the two programs that ssh and
// the daemon start. Their code is loaded when they run: each client of SSH starts one of them.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";

/** Prints or installs the configuration. */
export const sshConfigCommand: Command = {
  name: "ssh-config",
  summary: "Let ssh go through iddio for the policy's hosts",
  flags: [
    { name: "install", summary: "Include it from ~/.ssh/config; this routes your own ssh, too" },
    { name: "uninstall", summary: "Remove that line from ~/.ssh/config" },
    {
      name: "output",
      value: "file",
      completes: "file",
      summary: "Write it to this file instead of the state directory",
    },
    JSON_FLAG,
  ],
  details: [
    "Writes an OpenSSH configuration for the hosts of 'ssh: inspect:' in the policy. Only these hosts go through iddio;",
    "git, scp, sftp, rsync and Ansible read the same file. Write it again after the list has changed.",
  ],
  examples: ["iddio ssh-config", "iddio ssh-config --install"],
  async run(context) {
    await (await import("./set-up.ts")).writeConfig(context);
  },
};

/** Connects ssh to a host through the proxy; a ProxyCommand starts it. */
export const sshProxyCommand: Command = {
  name: "ssh-proxy",
  summary: "Carry one SSH connection through the proxy",
  args: [{ name: "host" }, { name: "port" }, { name: "name", isOptional: true }],
  details: [
    "For ProxyCommand in an ssh configuration: stdin and stdout are the connection. 'name' is what was typed, where it is",
    "another word for the host.",
  ],
  examples: ["ssh -o ProxyCommand='iddio ssh-proxy %h %p %n' prod.example.com"],
  async run(context) {
    return (await import("./proxy.ts")).carry(context);
  },
};

/** The process that speaks SSH with one client; only ever started by the daemon. */
export const sshSessionCommand: Command = {
  name: "ssh-session",
  summary: "Serve one SSH connection",
  isHidden: true,
  async run({ env }) {
    return (await import("./session/session.ts")).runSession(env);
  },
};
