// `iddio get-proxy-mode` and `iddio set-proxy-mode`.

import { isMode, MODES } from "../../model/mode.ts";
import { type Command, JSON_FLAG } from "../kit/command.ts";

/** Prints the mode, one word. */
export const getProxyModeCommand: Command = {
  name: "get-proxy-mode",
  summary: "Print the proxy mode",
  flags: [JSON_FLAG],
  async run({ flags, output, daemon }) {
    const report = await daemon.call("mode_get", {});
    if (flags.has("json")) output.json(report);
    else output.line(report.proxy_mode);
  },
};

/** Changes the mode until the daemon ends; it starts with `default_mode` of settings.yaml. */
export const setProxyModeCommand: Command = {
  name: "set-proxy-mode",
  summary: "Change the proxy mode of the running daemon",
  args: [{ name: "mode", choices: MODES }],
  flags: [JSON_FLAG],
  details: [
    "off          tunnels everything and records nothing",
    "passthrough  tunnels everything and records host and port",
    "observe      judges and records, never blocks",
    "enforce      applies the policy",
  ],
  async run({ args, flags, output, daemon }) {
    const [mode] = args;
    if (!isMode(mode)) throw new Error("the argument was checked against MODES");
    const report = await daemon.call("mode_set", { proxy_mode: mode });
    if (flags.has("json")) output.json(report);
    else if (report.previous === report.proxy_mode) output.line(`proxy mode is ${report.proxy_mode} already`);
    else output.line(`proxy mode: ${report.previous} -> ${report.proxy_mode}`);
  },
};
