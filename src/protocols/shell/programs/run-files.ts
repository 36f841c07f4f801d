// Files that a program runs: one that its words name, its usual file, and the interpreter that a
// file's first line names.

/** Files that a program runs although no word names them. */
const FILES_OF: readonly (readonly [program: RegExp, path: RegExp])[] = [
  [/^g?make$/, /^(?:GNU)?[Mm]akefile$/],
  [/^(?:npm|pnpm|yarn|bun)$/, /(?:^|\/)package\.json$/],
  [/^just$/, /^\.?[Jj]ustfile$/],
  [/^(?:task|go-task)$/, /^[Tt]askfile\.ya?ml$/],
  [/^git$/, /(?:^|\/)(?:hooks|\.githooks|\.husky)\//],
  [/^(?:systemctl|launchctl)$/, /\.(?:service|timer|plist)$/],
  [/^direnv$/, /(?:^|\/)\.envrc$/],
];

/** Whether a program runs this file although no word names it. */
export function isFileOf(program: string, path: string): boolean {
  return FILES_OF.some(([name, file]) => name.test(program) && file.test(path));
}

/** Files that run by themselves, or when somebody logs in. */
const RUNS_LATER =
  /(?:^|\/)(?:cron\.\w+|crontabs?|\.(?:bash|zsh|k?sh|x)\w*|\.(?:bash_)?profile|profile(?:\.d)?|rc\.local|init\.d|autostart|authorized_keys|\.ssh|\.envrc|\.gitconfig|Launch(?:Agents|Daemons))(?:\/|$)/;

/** Whether what is written to a file is run later, without any further line. */
export function runsLater(path: string): boolean {
  return RUNS_LATER.test(path);
}

/** A path as it is compared: `./x` is `x`. */
export function plainPath(path: string): string {
  return path.replace(/^(?:\.\/)+/, "");
}

/** The program that the first line of a file names; undefined where it names none. */
export function shebangOf(text: string): string | undefined {
  return /^#!\s*(?:\S*\/env\s+(?:-S\s*)?)?(?:\S*\/)?([\w.-]+)/.exec(text)?.[1];
}
