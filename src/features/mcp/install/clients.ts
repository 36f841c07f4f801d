// Where clients of MCP keep their servers. One line a file; files of a project are those of the
// current folder, and their servers get the name of the folder before their own, so that two
// projects may use one name.

import { basename, join } from "node:path";
import { UserError } from "../../../model/user-error.ts";
import type { ClientName } from "./client-names.ts";

/** One settings file. */
export interface SettingsFile {
  readonly path: string;
  readonly format: "json" | "toml";
  /** Members below which servers are; `*` stands for every member. */
  readonly below: readonly (readonly string[])[];
  /** Put before the names of its servers, so that two projects may use one name. */
  readonly prefix: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The files of a client. */
export function filesOf(
  client: ClientName,
  env: Environment,
  folder: string,
  platform: string,
): readonly SettingsFile[] {
  const home = env.HOME;
  if (home === undefined || home === "")
    throw new UserError("HOME is not set, so no settings can be found", {
      hint: "name the file: iddio mcp install --file <path>",
    });
  const support =
    platform === "darwin"
      ? join(home, "Library", "Application Support")
      : (env.XDG_CONFIG_HOME ?? join(home, ".config"));
  const user = (path: string, ...below: (readonly string[])[]): SettingsFile => ({
    path,
    format: "json",
    below,
    prefix: "",
  });
  const project = (path: string, ...below: (readonly string[])[]): SettingsFile => ({
    path: join(folder, path),
    format: "json",
    below,
    prefix: `${basename(folder)}.`,
  });
  const servers = ["mcpServers"];
  switch (client) {
    case "claude-code":
      return [
        user(join(env.CLAUDE_CONFIG_DIR ?? home, ".claude.json"), servers, ["projects", "*", "mcpServers"]),
        project(".mcp.json", servers),
      ];
    case "claude-desktop":
      return [user(join(support, "Claude", "claude_desktop_config.json"), servers)];
    case "codex":
      return [
        {
          path: join(env.CODEX_HOME ?? join(home, ".codex"), "config.toml"),
          format: "toml",
          below: [],
          prefix: "",
        },
      ];
    case "cursor":
      return [
        user(join(home, ".cursor", "mcp.json"), servers),
        project(join(".cursor", "mcp.json"), servers),
      ];
    case "vscode":
      return [
        user(join(support, "Code", "User", "mcp.json"), ["servers"]),
        project(join(".vscode", "mcp.json"), ["servers"]),
      ];
    case "gemini":
      return [
        user(join(home, ".gemini", "settings.json"), servers),
        project(join(".gemini", "settings.json"), servers),
      ];
  }
}

/** A file that was named. */
export function namedFile(path: string): SettingsFile {
  return {
    path,
    format: path.endsWith(".toml") ? "toml" : "json",
    below: [["mcpServers"], ["servers"], ["mcp", "servers"]],
    prefix: "",
  };
}
