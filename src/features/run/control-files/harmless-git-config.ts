// Which lines of a repository's configuration start no program. A list of settings that are known
// to be harmless, so that a setting that git learns tomorrow is not among them. Pure.

const SECTION = /^\s*\[([A-Za-z0-9-]+)(?:\s+"((?:[^"\\]|\\["\\])*)")?\]\s*$/;
const ENTRY = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*?))?\s*$/;

const KEYS: Readonly<Record<string, readonly string[]>> = {
  core: [
    "repositoryformatversion",
    "filemode",
    "bare",
    "logallrefupdates",
    "ignorecase",
    "precomposeunicode",
    "symlinks",
    "autocrlf",
    "eol",
    "safecrlf",
    "quotepath",
    "sharedrepository",
    "worktree",
  ],
  remote: [
    "url",
    "pushurl",
    "fetch",
    "push",
    "tagopt",
    "prune",
    "gh-resolved",
    "mirror",
    "promisor",
    "partialclonefilter",
  ],
  branch: ["remote", "merge", "rebase", "pushremote", "description", "gh-merge-base"],
  user: ["name", "email"],
  init: ["defaultbranch"],
  submodule: ["url", "active", "branch", "recurse"],
  extensions: ["objectformat", "partialclone", "refstorage", "worktreeconfig", "compatobjectformat"],
  pull: ["rebase", "ff"],
  push: ["default", "autosetupremote", "followtags"],
  fetch: ["prune", "prunetags"],
  merge: ["ff", "conflictstyle"],
  rebase: ["autosquash", "autostash"],
  commit: ["gpgsign"],
  lfs: ["repositoryformatversion"],
  gc: ["auto"],
  feature: ["manyfiles"],
};

/** The text without settings that may start a program; the same text when nothing does. */
export function harmlessPart(text: string): string {
  const lines: string[] = [];
  let section: readonly string[] | undefined;
  let isWhole = !/\\\r?\n/.test(text);
  for (const line of text.split("\n")) {
    const head = SECTION.exec(line);
    if (head !== null) {
      section = KEYS[(head[1] ?? "").toLowerCase()];
      if (section !== undefined) lines.push(line);
      else isWhole = false;
      continue;
    }
    if (/^\s*(?:[#;].*)?$/.test(line)) {
      lines.push(line);
      continue;
    }
    const entry = ENTRY.exec(line);
    const key = entry?.[1]?.toLowerCase() ?? "";
    if (section?.includes(key) === true && isHarmlessValue(key, entry?.[2] ?? "")) lines.push(line);
    else isWhole = false;
  }
  return isWhole
    ? text
    : `${lines
        .filter((line) => !line.endsWith("\\"))
        .join("\n")
        .trimEnd()}\n`;
}

/** An address such as `ext::sh -c …` names a program, and one that begins with a hyphen is an option. */
function isHarmlessValue(key: string, value: string): boolean {
  return !/url$/.test(key) || !(value.includes("::") || /^"?-/.test(value));
}
