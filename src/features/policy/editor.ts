// The operator's editor on one file. Started by a shell, because VISUAL and EDITOR may hold a whole
// command line (`code --wait`), and waited for; while it runs, Ctrl-C is its business alone.

import { isatty } from "node:tty";
import { findSystemTool } from "../../host/process/system-tool.ts";
import { UserError } from "../../model/user-error.ts";

/** Editors that take `+line` before the file. */
const TAKES_LINE = /^(?:vi|vim|nvim|nvi|vim\.\w+|nano|pico|emacs|emacsclient|mg|joe|jed|micro|kak)$/;
/** Editors to try when neither VISUAL nor EDITOR is set and there is a terminal. */
const FALLBACKS = ["editor", "vi", "nano"];

/** The command line of the editor: VISUAL, EDITOR, or one that is installed. Throws a UserError when there is none. */
export function editorOf(env: Readonly<Record<string, string | undefined>>): string {
  const found =
    env.VISUAL ||
    env.EDITOR ||
    (isatty(0) ? FALLBACKS : []).map((name) => findSystemTool(name, env)).find((path) => path !== undefined);
  if (found !== undefined) return found;
  throw new UserError("there is no editor", { hint: "name one: EDITOR=nano iddio policy edit" });
}

/** Runs the editor until it ends; `line` is where to begin, for editors that are known to take one. Gives the exit code. */
export async function edit(editor: string, path: string, line?: number): Promise<number> {
  const program = editor.trim().split(/\s+/)[0]?.split("/").at(-1) ?? "";
  const at = line !== undefined && TAKES_LINE.test(program) ? [`+${line}`] : [];
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  process.on("SIGQUIT", ignore);
  try {
    // The shell splits the editor's own words; the path is passed as it is, whatever it holds.
    const child = Bun.spawn(["/bin/sh", "-c", `${editor} "$@"`, "sh", ...at, path], {
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    });
    return await child.exited;
  } finally {
    process.off("SIGINT", ignore);
    process.off("SIGQUIT", ignore);
  }
}
