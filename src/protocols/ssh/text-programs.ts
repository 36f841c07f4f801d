// find, sed and awk: programs with a language of their own. Only what prints, searches and compares
// is a read; what their language could do besides, and this file does not know, is unknown.

import type { ShellWord } from "../shell/word.ts";
import { isPlainAwk } from "./awk-program.ts";
import { modify, type ProgramTools, type Reader, sensitive, strictest, unknown } from "./program-reader.ts";

const FIND_TESTS = new Set(
  "-name -iname -path -ipath -wholename -iwholename -regex -iregex -type -xtype -size -mtime -atime -ctime -mmin -amin -cmin -newer -anewer -cnewer -user -group -uid -gid -perm -links -inum -samefile -maxdepth -mindepth -fstype -lname -ilname -regextype -used -context -printf".split(
    " ",
  ),
);
const FIND_SWITCHES = new Set(
  "-print -print0 -ls -prune -quit -depth -d -daystart -mount -xdev -follow -noleaf -empty -readable -writable -executable -nouser -nogroup -not -and -or -a -o -true -false -H -L -P -E -X -warn -nowarn ! ( ) ,".split(
    " ",
  ),
);

/** Searches files, and may remove them or start a program for each. */
export const find: Reader = (args, base, tools) => {
  let finding = base;
  const starts: ShellWord[] = [];
  let at = 0;
  for (; at < args.length; at++) {
    const { text } = args[at] as ShellWord;
    if (/^-[HLPEX]$|^-O\d$/.test(text)) continue;
    if (/^[-(!]/.test(text)) break;
    starts.push(args[at] as ShellWord);
  }
  const paths = starts.map((each) => tools.pathOf(each));
  if (paths.includes(undefined)) return unknown("where it searches is only known when it runs");
  const roots =
    paths.length === 0
      ? [tools.pathOf({ text: ".", isSure: true }) ?? "/"]
      : paths.map((each) => each ?? "/");
  const nameAt = args.findIndex(({ text }) => text === "-name");
  const { text: named = "*", isSure = true } = args[nameAt < 0 ? args.length : nameAt + 1] ?? {};
  // `-name` alone chooses; with `-o` there is more.
  const isChosen = nameAt >= 0 && isSure && !args.some(({ text }) => /^(?:-o|-or|,|!|-not)$/.test(text));
  for (const each of roots) tools.name(isChosen ? `${each}/**/${named}` : each);
  for (; at < args.length; at++) {
    const word = args[at] as ShellWord;
    const { text } = word;
    if (!word.isSure && !/^[\w.*?/]/.test(text))
      return unknown(`what '${text}' stands for is only known when it runs`);
    if (FIND_SWITCHES.has(text)) continue;
    if (FIND_TESTS.has(text) || /^-newer[aBcmt][aBcmt]$/.test(text)) at++;
    else if (text === "-delete") finding = strictest(finding, sensitive("removes what it finds"));
    else if (/^-f(?:printf?|print0|ls)$/.test(text)) {
      const target = args[++at];
      finding = tools.write(target && tools.pathOf(target), strictest(finding, modify("writes a file")));
      if (text === "-fprintf") at++;
    } else if (/^-(?:exec|execdir|ok|okdir)$/.test(text)) {
      const inner: ShellWord[] = [];
      for (at++; at < args.length; at++) {
        const each = args[at] as ShellWord;
        if (each.text === ";" || (each.text === "+" && inner.at(-1)?.text === "{}")) break;
        inner.push(each);
      }
      for (const root of roots)
        for (const folder of text.endsWith("dir") ? [root, `${root}/**`] : [undefined])
          runOnFound(inner, `${root.replace(/\/$/, "")}/**${isChosen ? `/${named}` : ""}`, folder, tools);
    } else return unknown(`'${text}' is nothing of find that is known to change nothing`);
  }
  return finding;
};

/** Judges the program that `find` starts for each file, with a pattern in the file's place. */
function runOnFound(
  inner: readonly ShellWord[],
  pattern: string,
  folder: string | undefined,
  tools: ProgramTools,
): void {
  tools.run(
    inner.map((each) =>
      each.text === "{}"
        ? { text: pattern, isSure: false }
        : each.text.includes("{}")
          ? { ...each, isSure: false }
          : each,
    ),
    folder,
  );
}

/** Prints lines, and may change files. */
export const sed: Reader = (args, base, tools) => {
  let finding = base;
  const scripts: string[] = [];
  const files: ShellWord[] = [];
  let hasScript = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as ShellWord;
    const { text, isSure } = word;
    if (/^-(?:-in-place.*|[nErsuz]*i.*)$/.test(text)) finding = modify("changes files in place");
    else if (/^(?:-e|--expression)$/.test(text)) {
      scripts.push(args[++at]?.text ?? "");
      hasScript = true;
    } else if (text.startsWith("--expression=")) {
      scripts.push(text.slice(13));
      hasScript = true;
    } else if (
      /^-(?:[nErsuz]+|-quiet|-silent|-regexp-extended|-separate|-unbuffered|-null-data|-posix|-debug)$/.test(
        text,
      )
    )
      continue;
    else if (/^-[nErsuz]*e$/.test(text)) {
      scripts.push(args[++at]?.text ?? "");
      hasScript = true;
    } else if (/^-./.test(text))
      return unknown(`'${text}' is no option of sed that is known to change nothing`);
    else if (!hasScript) {
      if (!isSure) return unknown("sed's program is only known when it runs");
      scripts.push(text);
      hasScript = true;
    } else files.push(word);
  }
  if (!scripts.every(isPlainSed)) return unknown("sed's program may write files or run commands");
  for (const each of files) {
    const path = tools.pathOf(each);
    finding =
      finding.tier === "observe" ? strictest(finding, tools.read(path, false)) : tools.write(path, finding);
  }
  return finding;
};

/** Only printing, deleting and replacing, without the flags and commands that write or run. */
function isPlainSed(script: string): boolean {
  const address = String.raw`(?:\d+|\$|\/(?:[^\/\\\n]|\\.)*\/I?)`;
  const range = String.raw`(?:${address}(?:\s*,\s*(?:${address}|[+~]\d+))?\s*!?\s*)?`;
  const replace = String.raw`s([\/|#,:@%!])(?:(?!\1)[^\\\n]|\\.)*\1(?:(?!\1)[^\\\n]|\\.)*\1[gpiI0-9]*`;
  const command = String.raw`(?:[pdPDgGhHnNxq=]|q\d+|${replace}|y\/[^\/]*\/[^\/]*\/)`;
  // The number of the group differs by where the command stands, so each is matched by itself.
  return script
    .split(/(?<=[pdPDgGhHnNxq=/|#,:@%!0-9iIg])\s*[;\n]\s*/)
    .every((each) => new RegExp(`^\\s*${range}(?:\\{\\s*)?${command}\\s*(?:\\}\\s*)?$`).test(each));
}

/** Prints lines, and may do anything. */
export const awk: Reader = (args, base, tools) => {
  let finding = base;
  let hasProgram = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as ShellWord;
    const { text } = word;
    if (!hasProgram && !word.isSure) return unknown("awk's program is only known when it runs");
    if (!hasProgram && /^-[Fv]$/.test(text)) at++;
    else if (!hasProgram && /^-[Fv]./.test(text)) continue;
    else if (!hasProgram && /^-./.test(text))
      return unknown(`'${text}' is no option of awk that is known to change nothing`);
    else if (!hasProgram) {
      hasProgram = true;
      if (!word.isSure || !isPlainAwk(text)) return unknown("awk's program may write files or run commands");
    } else if (!/^\w+=/.test(text)) finding = strictest(finding, tools.read(tools.pathOf(word), false));
  }
  return finding;
};
