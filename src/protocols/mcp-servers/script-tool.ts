// Tools that run a command line from their arguments: it is read like one that is typed into a
// shell. Its effect on a service that iddio knows is judged by that protocol's rules as well; the
// tool itself stays unknown, because a shell can do more than that.

import type { Classification } from "../../model/classification.ts";
import { shellWord } from "../../text/quote-posix.ts";
import { isObject } from "../../wire/jsonrpc/message.ts";
import type { McpCall } from "../mcp/call.ts";
import { runsCode } from "../mcp/tool-tier.ts";
import { classifyScript } from "../shell/classify-script.ts";

const TEXTS = [
  "command",
  "cmd",
  "script",
  "code",
  "cli_command",
  "commandLine",
  "command_line",
  "input",
  "args",
  "arguments",
];

/** Classifies the command lines of a call; empty for a tool that runs nothing, or nothing that iddio knows. */
export function scriptOf({ params }: McpCall): readonly Classification[] {
  const { name, arguments: args } = params;
  if (typeof name !== "string" || !runsCode(name) || !isObject(args)) return [];
  const texts = TEXTS.flatMap((key) => textOf(args[key]));
  // `command: "kubectl"` with `args: ["delete", …]` is one line.
  const whole = [...textOf(args.command ?? args.cmd), ...textOf(args.args ?? args.arguments)].join(" ");
  return [...new Set([...texts, whole])]
    .filter((text) => text.trim() !== "")
    .flatMap((text) => classifyScript(text).map(({ classification }) => classification));
}

function textOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value) && value.every((each) => typeof each === "string"))
    return [value.map(shellWord).join(" ")];
  return [];
}
