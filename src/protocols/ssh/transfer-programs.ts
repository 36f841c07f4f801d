// Programs that carry files or send requests: tar, rsync, scp, curl, wget, git. Which way the bytes
// go decides, and whether one of their many options starts another program.

import { type ShellWord, sureWord } from "../shell/word.ts";
import {
  isOnly,
  modify,
  observe,
  operandsOf,
  type ProgramFinding,
  type Reader,
  sensitive,
  strictest,
  texts,
  unknown,
  vagueOf,
} from "./program-reader.ts";

/** Packs, unpacks or lists. */
export const tar: Reader = (args, _, tools) => {
  const words = texts(args);
  if (
    words.some((each) =>
      /^(?:--to-command|--checkpoint-action|--use-compress-program|--info-script|--new-volume-script|--rsh-command|-\w*[IF]$|--rmt)/.test(
        each,
      ),
    )
  )
    return sensitive("starts another program");
  // tar takes the beginning of a long option for the whole.
  if (words.some((each) => /^--(?:use|to|check|info|new-v|rsh|rmt|index|vol)/.test(each)))
    return sensitive("starts another program, or writes a file of its own");
  const [first = ""] = words;
  const letters = first.startsWith("--") ? "" : first.replace(/^-/, "");
  const rest = args.slice(letters === "" ? 0 : 1);
  const long = words.join(" ");
  const isMode = (letter: string, name: string) => letters.includes(letter) || long.includes(`--${name}`);
  const options: ShellWord[] = [];
  const operands: ShellWord[] = [];
  let file: ShellWord | undefined;
  let folder: ShellWord | undefined;
  if (letters.includes("f")) file = rest.find(({ text }) => !text.startsWith("-") || text === "-");
  for (let at = 0; at < rest.length; at++) {
    const each = rest[at] as ShellWord;
    if (each === file) continue;
    if (/^-\w*C$|^--directory$/.test(each.text)) folder = rest[++at];
    else if (/^(?:-f|--file)$/.test(each.text)) file = rest[++at];
    else if (/^-./.test(each.text)) options.push(each);
    else operands.push(each);
  }
  if (texts(args).join() === "--version") return observe("prints the version");
  if (isMode("t", "list"))
    return strictest(observe("lists an archive"), file && tools.read(tools.pathOf(file), false));
  const isPrinted = letters.includes("O") || words.some((each) => /^(?:--to-stdout|-O)$/.test(each));
  if (isMode("x", "extract") && isPrinted)
    return strictest(observe("prints files of an archive"), file && tools.read(tools.pathOf(file), false));
  if (isMode("x", "extract")) {
    // The names of the files are in the archive.
    const place = folder ?? { text: ".", isSure: true };
    return tools.writeTree(tools.pathOf(place), modify("unpacks files"));
  }
  if (isMode("c", "create")) {
    const isToStdout = file === undefined ? false : file.text === "-";
    let finding = isToStdout ? observe("sends files") : modify("writes an archive");
    if (!isToStdout && file !== undefined) finding = tools.write(tools.pathOf(file), finding);
    if (folder !== undefined && operands.every(({ text }) => /^\.?\/?$/.test(text)))
      return strictest(finding, tools.read(tools.pathOf(folder), true));
    for (const each of operands) {
      const path =
        folder === undefined || each.text.startsWith("/")
          ? tools.pathOf(each)
          : tools.pathOf({ ...folder, text: `${folder.text}/${each.text}` });
      finding = strictest(finding, tools.read(path, true));
    }
    return finding;
  }
  return modify("changes an archive");
};

/** The far side of rsync, or rsync itself. */
export const rsync: Reader = (args, _, tools) => {
  const words = texts(args);
  if (!words.includes("--server")) return sensitive("connects onwards, or copies files");
  const isSender = words.includes("--sender");
  const operands = operandsOf(args.slice(words.indexOf("--server") + 1)).filter(({ text }) => text !== ".");
  if (
    words.some((each) =>
      /^--(?:log-file|config|daemon|temp-dir|partial-dir|backup-dir|link-dest|compare-dest|copy-dest|write-batch|read-batch|only-write-batch|files-from)/.test(
        each,
      ),
    )
  )
    return sensitive("an option of it names other files");
  if (isSender) {
    let finding = observe("sends files by rsync");
    for (const each of operands) finding = strictest(finding, tools.read(tools.pathOf(each), true));
    if (words.includes("--remove-source-files"))
      finding = strictest(finding, sensitive("removes what it has sent"));
    return finding;
  }
  let finding = words.some((each) => each.startsWith("--delete"))
    ? sensitive("removes what is not sent")
    : modify("takes files by rsync");
  const places = operands.length === 0 ? [{ text: ".", isSure: true }] : operands;
  for (const each of places) finding = tools.writeTree(tools.pathOf(each), finding);
  return finding;
};

/** The far side of scp, or scp itself. */
export const scp: Reader = (args, _, tools) => {
  const words = texts(args);
  const operands = operandsOf(args);
  const isFrom = words.some((each) => /^-\w*f/.test(each));
  const isTo = words.some((each) => /^-\w*t/.test(each));
  if (isFrom === isTo || !words.every((each) => !/^-./.test(each) || /^-[rpdvqtf]+$|^--$/.test(each)))
    return sensitive("connects onwards");
  const isDeep = words.some((each) => /^-\w*r/.test(each));
  if (isFrom)
    return operands.reduce(
      (finding, each) => strictest(finding, tools.read(tools.pathOf(each), isDeep)),
      observe("sends files by scp"),
    );
  // The names of the files are what the other side says, where the word is a folder.
  return operands.reduce(
    (finding, each) => tools.writeTree(tools.pathOf(each), finding),
    modify("takes files by scp"),
  );
};

const CURL_SWITCHES =
  "s S f I i k L v g 4 6 silent show-error fail fail-with-body head include insecure location verbose compressed http1.1 http2 no-buffer N ipv4 ipv6 no-progress-meter get globoff path-as-is retry-all-errors";
const CURL_VALUES =
  "m w H A e max-time connect-timeout write-out header user-agent referer retry retry-delay resolve connect-to cacert interface max-redirs range r user u unix-socket";

/** Sends a request. */
export const curl: Reader = (args, _, tools) => {
  const vague = args.find((each) => !each.isSure && !isAddress(each.text));
  if (vague) return unknown(`what '${vague.text}' stands for is only known when it runs`);
  const rest: ShellWord[] = [];
  let method = "GET";
  let finding = observe("reads a page");
  for (let at = 0; at < args.length; at++) {
    const { text } = args[at] as ShellWord;
    if (/^(?:-X|--request)$/.test(text)) method = args[++at]?.text ?? "";
    else if (/^-X./.test(text)) method = text.slice(2);
    else if (/^--request=/.test(text)) method = text.slice(10);
    else if (/^(?:-o|--output)$/.test(text)) {
      const target = args[++at];
      if (target?.text !== "/dev/null" && target?.text !== "-")
        finding = tools.write(target && tools.pathOf(target), modify("writes what it reads"));
    } else rest.push(args[at] as ShellWord);
  }
  if (formatsOf(rest).some((each) => /^@|%output\{/.test(each)))
    finding = strictest(finding, sensitive("what it prints may go into a file of any name"));
  if (
    texts(rest).some((each) =>
      /^(?:-[a-zA-Z]*[dFTO]|--(?:data|form|upload|json|remote-name|url-query))/.test(each),
    )
  ) {
    finding = strictest(finding, modify("sends or writes something"));
    for (const each of namesOfUrls(rest)) finding = tools.write(tools.pathOf(each), finding);
  } else if (!isOnly(rest, CURL_SWITCHES, CURL_VALUES))
    return unknown("an option of curl is not known to change nothing");
  if (!/^(?:GET|HEAD|OPTIONS)$/.test(method))
    finding = strictest(
      finding,
      method === "DELETE" ? sensitive("sends a DELETE") : modify(`sends a ${method}`),
    );
  for (const each of filesOfCurl(rest)) finding = strictest(finding, tools.read(tools.pathOf(each), false));
  if (texts(rest).some((each) => /^--(?:abstract-)?unix-socket/.test(each)))
    finding = strictest(finding, sensitive("speaks to a service of the machine that no network reaches"));
  return strictest(finding, urlRisk(rest));
};

/** The texts that it prints at the end: `%output{name}` in one writes into a file. */
function formatsOf(args: readonly ShellWord[]): readonly string[] {
  return texts(args).flatMap((text, index) => {
    const [, joined] = /^(?:-[a-zA-Z]*w|--write-o\w*=?)(.*)$/s.exec(text) ?? [];
    return joined === undefined ? [] : [joined, args[index + 1]?.text ?? ""];
  });
}

/** An address whose query begins with the shell's sign for any character: a file of that name would be of the same host. */
function isAddress(text: string): boolean {
  return /^(?:https?:\/\/)?[\w.-]+(?::\d+)?\/[\w./~%:+@,-]*\?[\w./~%:+@,=?&-]*$/.test(text);
}

/** The files that it reads: behind an at sign, wherever that is a value, and those that are sent whole. */
function filesOfCurl(args: readonly ShellWord[]): readonly ShellWord[] {
  return args.flatMap(({ text }, index) => {
    const [, given] =
      /^(?:-[FHdw])?(?:[^=@]*=)?[@<]([^;]+)/.exec(text) ?? /^--[a-z-]+=[^@]*@(.+)$/.exec(text) ?? [];
    const [, sent] = /^(?:-\w*T|--upload-file)=?(.*)$/.exec(text) ?? [];
    const file = given ?? (sent === "" ? args[index + 1]?.text : sent);
    return file === undefined ? [] : [sureWord(file)];
  });
}

/** The files that `-O` writes: the last part of each address. */
function namesOfUrls(args: readonly ShellWord[]): readonly ShellWord[] {
  return operandsOf(args).flatMap(({ text }) => {
    const name = /^(?:\w+:\/\/)?[^/]+\/(?:.*\/)?([^/?#]+)/.exec(text)?.[1];
    return name === undefined ? [] : [sureWord(name)];
  });
}

/** Fetches. */
export const wget: Reader = (args, _, tools) => {
  if (vagueOf(args)) return unknown("what it fetches is only known when it runs");
  const words = texts(args);
  const isRead =
    words.some(
      (each) => each === "--spider" || each === "-qO-" || each === "-O-" || each === "-qO/dev/null",
    ) || words.join(" ").match(/-\w*O (?:-|\/dev\/null)(?: |$)/) !== null;
  if (words.some((each) => /^--(?:post|method|body|input-file|execute|use-askpass|config)|^-[ie]/.test(each)))
    return modify("sends a request");
  const at = words.findIndex((each) => /^(?:-O|--output-document)$/.test(each));
  const target = at < 0 ? undefined : args[at + 1];
  let finding = isRead ? observe("reads a page") : modify("writes a file");
  if (!isRead) {
    const names = target === undefined ? namesOfUrls(args) : [target];
    for (const each of names) finding = tools.write(tools.pathOf(each), finding);
  }
  // Logs, cookies and the like are files as well, with text of the other side in them.
  if (isRead && !isOnly(args, WGET_SWITCHES, WGET_VALUES))
    finding = unknown("an option of wget is not known to change nothing");
  return strictest(finding, urlRisk(args));
};

const WGET_SWITCHES =
  "q S v d 4 6 spider server-response no-check-certificate no-verbose quiet verbose no-proxy content-on-error inet4-only inet6-only no-cache nv";
const WGET_VALUES =
  "O T t U output-document timeout tries header user-agent connect-timeout read-timeout dns-timeout waitretry max-redirect ca-certificate user password";

/** Services that give out credentials to anyone who can reach them. */
function urlRisk(args: readonly ShellWord[]): ProgramFinding | undefined {
  const all = texts(args).join(" ");
  if (
    /169\.254\.169\.254|metadata\.(?:google|azure)|fd00:ec2::254|100\.100\.100\.200|0xa9fea9fe|2852039166|\[::ffff:a9fe/i.test(
      all,
    )
  )
    return sensitive("a metadata service gives out credentials");
  if (
    /\b(?:file|scp|sftp|smbs?|ldaps?|gophers?|dict|tftp|ftps?|telnet|mqtts?|rtsp|imaps?|pop3s?|smtps?):/i.test(
      all,
    )
  )
    return unknown("it is not plain HTTP");
  return undefined;
}

/** Folders in which everybody may put a file. */
function isShared(path: string): boolean {
  return /^\/(?:tmp|var\/tmp|dev\/shm|run\/shm|run\/user\/\d+|dev|proc)(?:\/|$)/.test(path);
}

const GIT_READS =
  /^(?:status|log|show|diff|shortlog|describe|rev-parse|rev-list|ls-files|ls-tree|ls-remote|blame|cat-file|name-rev|merge-base|for-each-ref|show-ref|count-objects|version|whatchanged|grep|cherry|diff-tree|symbolic-ref)$/;

/** Reads or changes a repository. */
export const git: Reader = (args, _, tools) => {
  let at = 0;
  const places: ShellWord[] = [{ text: ".", isSure: true }];
  for (; at < args.length; at++) {
    const { text, isSure } = args[at] as ShellWord;
    if (!isSure && /^[-$`]/.test(text)) return unknown("what git does is only known when it runs");
    const [, named] = /^--(?:git-dir|work-tree)=(.*)$/.exec(text) ?? [];
    if (named !== undefined) places.push(sureWord(named));
    if (/^(?:-C|--git-dir|--work-tree)$/.test(text)) places.push(args[++at] ?? sureWord(""));
    else if (
      /^(?:--git-dir=|--work-tree=|--no-pager$|-P$|--bare$|--no-optional-locks$|--literal-pathspecs$)/.test(
        text,
      )
    )
      continue;
    else if (text === "--version" || text === "--help") return observe("prints the version");
    else if (text.startsWith("-")) return unknown(`git ${text} may run other programs`);
    else break;
  }
  const verb = args[at]?.text ?? "";
  const rest = args.slice(at + 1);
  const words = texts(rest);
  const shared = places
    .map((each) => tools.pathOf(each))
    .find((path) => path !== undefined && isShared(path));
  if (shared !== undefined)
    return unknown(
      `anybody may have written the settings of a repository in ${shared}, and they name programs`,
    );
  if (verb === "submodule" && words.some((each) => each === "foreach"))
    return unknown("it runs a command in each submodule");
  if (
    /^(?:clone|init|fetch|pull|submodule)$/.test(verb) &&
    words.some((each) => /^(?:-c$|-c.|--config|--template)/.test(each))
  )
    return unknown("settings of git can name programs");
  if (vagueOf(rest) && rest.some(({ text, isSure }) => !isSure && /^[-$`]/.test(text)))
    return unknown("what git does is only known when it runs");
  if (
    words.some((each) =>
      // git takes the beginning of a long option for the whole.
      /^--(?:outp|ext|textc|filters|upl|exec|rec(?!u)|open)|^-O/.test(each),
    )
  )
    return unknown("an option of it runs programs or writes files");
  const has = (pattern: RegExp) => words.some((each) => pattern.test(each));
  if (GIT_READS.test(verb)) {
    if (verb === "symbolic-ref" && operandsOf(rest).length > 1) return modify("moves a reference");
    // Outside of a repository, or with --no-index, git compares and searches any file.
    const isOutside = has(/^--no-index$/);
    const files = rest.flatMap((word) => {
      const { text } = word;
      const value = /^--(?:contents|file|pathspec-from-file)=(.*)$/.exec(text)?.[1];
      if (value !== undefined) return [sureWord(value)];
      return !/^-./.test(text) && (isOutside || /^(?:\/|~|(?:\.\/)*\.\.\/)/.test(text)) ? [word] : [];
    });
    return files.reduce(
      (finding, each) => strictest(finding, tools.read(tools.pathOf(each), isOutside)),
      observe("reads a repository"),
    );
  }
  const operands = operandsOf(rest).length;
  if (
    verb === "branch" &&
    (operands === 0 || has(/^(?:-l|--list|--contains|--merged|--no-merged)$/)) &&
    !has(/^-[dDmMcCfu]|^--(?:delete|move|copy|force|set|unset|edit)/)
  )
    return observe("lists branches");
  if (verb === "tag" && (operands === 0 || has(/^(?:-l|--list|-n\d*)$/)) && !has(/^-[dasfm]/))
    return observe("lists tags");
  if (verb === "remote" && (operands === 0 || /^(?:show|get-url)$/.test(operandsOf(rest)[0]?.text ?? "")))
    return observe("lists remotes");
  if (verb === "stash" && /^(?:list|show)$/.test(words[0] ?? "")) return observe("lists stashes");
  if (verb === "worktree" && words[0] === "list") return observe("lists work trees");
  if (verb === "submodule" && /^(?:status|summary)?$/.test(words[0] ?? ""))
    return observe("lists submodules");
  if (verb === "config")
    return has(/^(?:-l|--list|--get|--get-all|--get-regexp)$/)
      ? observe("prints settings")
      : sensitive("settings of git can name programs");
  if (verb === "reflog" && !/^(?:expire|delete)$/.test(words[0] ?? "")) return observe("lists what was done");
  if (/^(?:reset|clean|filter-branch|gc|prune|rebase|update-ref|reflog)$/.test(verb))
    return sensitive("may lose work");
  if (verb === "push")
    return has(/^(?:-f|--force|--delete|-d|--mirror|--prune)/)
      ? sensitive("overwrites or deletes what others have")
      : modify("publishes work");
  if (
    /^(?:fetch|pull|clone|checkout|switch|restore|merge|commit|add|mv|rm|stash|tag|branch|remote|init|cherry-pick|revert|worktree|submodule|apply|am)$/.test(
      verb,
    )
  ) {
    return modify("changes a repository");
  }
  return unknown(`no rule reads git ${verb}`);
};
