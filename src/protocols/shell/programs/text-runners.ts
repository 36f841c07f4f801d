// Programs of other kinds that run a command line from one of their options, words or settings:
// `tar --checkpoint-action=exec=…`, `git -c alias.x='!…'`, `rsync -e …`, `GIT_PAGER=…`. An option
// too many does no harm: the text is read as a command, and only a guarded program in it counts.

import { type Setting, type ShellWord, sureWord } from "../word.ts";

interface Runner {
  /** Options whose value is a command line; short ones also at the end of a bundle. */
  readonly options?: string;
  /** Options that take something else as well: only a value of several words is a command line. */
  readonly doubted?: string;
  /** A word with a command line in it, which is the first group. */
  readonly within?: RegExp;
  /** Subcommands behind which a command line comes. */
  readonly behind?: string;
  /** Every word of several words is a command line. */
  readonly takesLines?: boolean;
}

const SSH: Runner = {
  doubted: "-S -D --ssh --sftp",
  within: /^(?:-o)?\s*(?:ProxyCommand|LocalCommand|KnownHostsCommand|RemoteCommand)\s*[=\s]\s*(.+)$/is,
};
const VIM: Runner = { within: /^[+:]*(?:silent!?|sil!?|exe(?:cute)?\s*["'])?\s*(?:r|w)?\s*!(.*)$/is };
const TAR: Runner = {
  options:
    "--use-compress-program --to-command --info-script --new-volume-script --rsh-command --rmt-command",
  doubted: "-I -F",
  within: /^(?:--checkpoint-action=|TAR_OPTIONS=.*)?exec=(.*)$/s,
};
const MUXER: Runner = { takesLines: true };
const WATCHER: Runner = { options: "-x --exec -c --command --on-change", takesLines: true };
const SQL: Runner = { within: /^\s*(?:\\!|!|\.shell|\.system|system)\s*(.*)$/is };
const SCRIPTS: Runner = { options: "-c -Command -command --command -EncodedCommand -e --exec" };
const NETCAT: Runner = {
  options: "-e -c --exec --sh-exec --lua-exec",
  within: /(?:EXEC|SYSTEM|SHELL):(.+)$/is,
};
const PACKAGES: Runner = { options: "-c --call --script-shell", doubted: "--node-options" };

const RUNNERS: Readonly<Record<string, Runner>> = {
  git: {
    options:
      "--exec --extcmd --upload-pack --receive-pack --open-files-in-pager --tree-filter --index-filter --msg-filter --env-filter --commit-filter --parent-filter --tag-name-filter --sendmail-cmd --to-cmd --cc-cmd --header-cmd",
    doubted: "-x -u -O --smtp-server",
    within: /^(?:(?:--remote=)?ext::|-O)(.+)$/s,
    behind: "foreach run",
  },
  tar: TAR,
  gtar: TAR,
  bsdtar: TAR,
  rsync: { options: "-e --rsh --rsync-path" },
  ssh: SSH,
  scp: SSH,
  sftp: SSH,
  sshfs: SSH,
  autossh: SSH,
  mosh: SSH,
  make: { options: "--eval -E", within: /^\.?SHELL=(.+)$/s },
  gmake: { options: "--eval -E", within: /^\.?SHELL=(.+)$/s },
  vim: VIM,
  vi: VIM,
  nvim: VIM,
  view: VIM,
  ex: VIM,
  gvim: VIM,
  vimdiff: VIM,
  ed: VIM,
  less: { within: /^\+*[!|](.*)$/s },
  man: { options: "-P --pager -H --html", doubted: "-X" },
  split: { options: "--filter" },
  gsplit: { options: "--filter" },
  sort: { options: "--compress-program" },
  install: { options: "--strip-program" },
  zip: { options: "-TT --unzip-command" },
  tcpdump: { options: "-z" },
  wget: { options: "--use-askpass" },
  socat: NETCAT,
  nc: NETCAT,
  ncat: NETCAT,
  netcat: NETCAT,
  gdb: { within: /^\s*(?:shell|!|pipe|make)\s*(.*)$/s },
  lldb: { within: /^\s*(?:platform shell|shell|!)\s*(.*)$/s },
  psql: SQL,
  mysql: SQL,
  mariadb: SQL,
  sqlite3: SQL,
  hyperfine: { options: "-p --prepare -s --setup -c --cleanup", takesLines: true },
  concurrently: { takesLines: true },
  nodemon: WATCHER,
  watchexec: WATCHER,
  onchange: WATCHER,
  chokidar: WATCHER,
  entr: WATCHER,
  parallel: { takesLines: true },
  pee: { takesLines: true },
  sem: { takesLines: true },
  fzf: { options: "--preview", within: /(?:execute(?:-silent)?|reload|become|transform)[(:](.*)$/s },
  go: { options: "-exec -toolexec" },
  docker: { options: "--entrypoint" },
  podman: { options: "--entrypoint" },
  nerdctl: { options: "--entrypoint" },
  npm: { ...PACKAGES, within: /^scripts\.[\w:-]+=(.*)$/s },
  npx: PACKAGES,
  pnpm: PACKAGES,
  yarn: PACKAGES,
  tmux: MUXER,
  screen: MUXER,
  zellij: MUXER,
  expect: { within: /(?:spawn|exec|system)\s+(.*)$/s },
  "systemd-run": { takesLines: true, within: /^(?:-p|--property=)?\s*Exec\w+=[-@:+!]*(.*)$/s },
  "start-stop-daemon": { options: "-x --exec -a --startas" },
  sg: SCRIPTS,
  newgrp: SCRIPTS,
  csh: SCRIPTS,
  tcsh: SCRIPTS,
  pwsh: SCRIPTS,
  powershell: SCRIPTS,
  nu: SCRIPTS,
  xonsh: SCRIPTS,
  elvish: SCRIPTS,
  ip: { behind: "exec" },
  complete: { options: "-C -F" },
  compgen: { options: "-C -F" },
  bind: { options: "-x", within: /^[^:]*:\s*["']?(.*?)["']?$/s },
  mapfile: { options: "-C" },
  readarray: { options: "-C" },
  fc: { options: "-e" },
  jobs: { behind: "-x" },
  crontab: {},
  xterm: SCRIPTS,
  "gnome-terminal": { options: "-e -x --command" },
  konsole: SCRIPTS,
  gh: { within: /^!(.+)$/s },
  helm: { options: "--post-renderer" },
};

/** The command lines in the words of a program, sure where the text is. */
export function textsRunBy(program: string, args: readonly ShellWord[]): readonly ShellWord[] {
  const runner = Object.hasOwn(RUNNERS, program) ? RUNNERS[program] : undefined;
  if (runner === undefined) return [];
  const found: ShellWord[] = [];
  const [options, doubted, behind] = [runner.options, runner.doubted, runner.behind].map(setOf);
  args.forEach((word, at) => {
    for (const [names, isDoubted] of [
      [options, false],
      [doubted, true],
    ] as const) {
      const value = names && optionValue(word, args[at + 1], names);
      if (value !== undefined && (!isDoubted || /\S\s+\S/.test(textOf(value)))) found.push(value);
    }
    const inner = runner.within?.exec(textOf(word))?.[1];
    if (inner !== undefined) found.push({ text: inner, isSure: word.isSure });
    if (behind?.has(word.text)) found.push(joinedFrom(args.slice(at + 1)));
    if (runner.takesLines === true && /\S\s+\S/.test(textOf(word))) found.push(word);
  });
  return program === "git" ? [...found, ...gitTexts(args)] : found;
}

function textOf({ text, gives }: ShellWord): string {
  return gives?.text ?? text;
}

function setOf(text: string | undefined): ReadonlySet<string> | undefined {
  return text === undefined ? undefined : new Set(text.split(" "));
}

function optionValue(
  word: ShellWord,
  next: ShellWord | undefined,
  names: ReadonlySet<string>,
): ShellWord | undefined {
  const { text, isSure } = word;
  if (names.has(text)) return next;
  const equals = text.indexOf("=");
  if (equals > 0 && names.has(text.slice(0, equals))) return { text: text.slice(equals + 1), isSure };
  if (!/^-[A-Za-z0-9]/.test(text)) return undefined;
  if (names.has(text.slice(0, 2)) && text.length > 2) return { text: text.slice(2), isSure };
  return /^-[A-Za-z0-9]+$/.test(text) && names.has(`-${text.at(-1)}`) ? next : undefined;
}

/** The words behind a subcommand and its options, as a shell gets them. */
function joinedFrom(all: readonly ShellWord[]): ShellWord {
  const start = all.findIndex(({ text }) => !text.startsWith("-"));
  const words = all.slice(Math.max(start, 0));
  return { text: words.map(textOf).join(" "), isSure: words.every(({ isSure }) => isSure) };
}

/** The values of git's settings: whichever it is, only a command names a guarded program. */
function gitTexts(args: readonly ShellWord[]): readonly ShellWord[] {
  const isConfig = args.some(({ text }) => text === "config");
  return args.flatMap((word, at): readonly ShellWord[] => {
    const before = args[at - 1]?.text;
    const attached = /^(?:-c|--config=)?[A-Za-z][\w-]*(?:\.[^=]*)?\.[\w-]+=(.*)$/s.exec(textOf(word))?.[1];
    if (attached !== undefined && (before === "-c" || before === "--config" || word.text.startsWith("-")))
      return [ofSetting(attached, word.isSure)];
    if (isConfig && (/^!|\s/.test(textOf(word)) || /^[\w-]+(?:\..*)?\.[\w-]+$/.test(before ?? "")))
      return [ofSetting(textOf(word), word.isSure)];
    return [];
  });
}

/** Words that git adds come behind the text of an alias. */
function ofSetting(text: string, isSure: boolean): ShellWord {
  return { text: text.replace(/^!/, ""), isSure };
}

/** Variables whose text a program runs as a command. */
const RUN_VARIABLES =
  /^(?:PROMPT_COMMAND|(?:BASH_)?ENV|VISUAL|BROWSER|SHELL|\w*(?:PAGER|EDITOR|ASKPASS|_DIFF|_MERGE)|GIT_(?:SSH|SSH_COMMAND|PROXY_COMMAND|CONFIG_VALUE_\d+|CONFIG_PARAMETERS|EXEC_PATH)|LESS(?:OPEN|CLOSE)|(?:RSYNC|CVS|BORG)_RSH|(?:SVN|HG)_SSH|TAR_OPTIONS|(?:GNU)?MAKEFLAGS|npm_config_\w+|FZF_\w+_(?:COMMAND|OPTS)|MANOPT|PYTHON(?:STARTUP|BREAKPOINT)|PERL5(?:OPT|DB)|RUBYOPT|NODE_OPTIONS|LD_PRELOAD|CARGO_\w+_RUNNER|\w*COMMAND|\w*_CMD|POWERLEVEL\w*|MAILCAPS?|PS[0-4]|RPS1|PROMPT\d?|preexec_functions|precmd_functions)$/;

/** Variables with options for a program, by its name. */
const OPTIONS_OF: ReadonlyMap<string, string> = new Map([
  ["TAR_OPTIONS", "tar"],
  ["MAKEFLAGS", "make"],
  ["GNUMAKEFLAGS", "make"],
  ["FZF_DEFAULT_OPTS", "fzf"],
  ["NODE_OPTIONS", "node"],
  ["PERL5OPT", "perl"],
  ["RUBYOPT", "ruby"],
]);

/** Variables with a prompt, or the name of a file: only the substitutions in them run. */
const EXPANDED_ONLY = /^(?:R?PS\d|PROMPT\d?|(?:BASH_)?ENV|LD_PRELOAD)$/;

/** The command line that the text of a variable becomes; undefined where it becomes none. */
export function commandOfSetting({ name, value }: Setting): ShellWord | undefined {
  if (EXPANDED_ONLY.test(name)) {
    const isFile = name.endsWith("ENV") && (value.gives !== undefined || /^[\w./~+-]+$/.test(value.text));
    return isFile ? (value.gives ?? value) : undefined;
  }
  const program = OPTIONS_OF.get(name);
  const text = textOf(value);
  const command = program === undefined ? text.replace(/^[!|]+-?/, "") : `${program} ${text}`;
  return { text: command, isSure: value.gives?.isSure ?? value.isSure };
}

/** Whether a program may run the text of this variable as a command. */
export function isRunVariable(name: string): boolean {
  return RUN_VARIABLES.test(name);
}

/** The settings among the words of a program, as `env`, `export` and `sudo` take them. */
export function settingsIn(args: readonly ShellWord[]) {
  return args.flatMap(({ text, isSure, gives }) => {
    const found = /^([A-Za-z_]\w*)\+?=(.*)$/s.exec(gives?.text ?? text);
    return found === null ? [] : [{ name: found[1] ?? "", value: { text: found[2] ?? "", isSure } }];
  });
}

/** Programs that run their stdin as command lines, one way or another, when no command stands in their words. */
const READS_LINES = new Set(
  "at batch crontab parallel sem ssh su sudo doas chroot unshare nsenter script newgrp csh tcsh pwsh nu xonsh elvish tmux screen lxc".split(
    " ",
  ),
);

/** The command lines in the input of a program; undefined for one that does not run its input. */
export function linesOfInput(
  program: string,
  args: readonly ShellWord[],
  input: string,
): ShellWord | undefined {
  if (program === "make" || program === "gmake") {
    if (!args.some(({ text }) => /^(?:-f|--file=|--makefile=)?(?:-|\/dev\/stdin|\/dev\/fd\/0)$/.test(text)))
      return undefined;
    return sureWord(
      input
        .split("\n")
        .map((line) => /^\t[@+-]*(.*)$/.exec(line)?.[1] ?? /:.*?;(.*)$/.exec(line)?.[1] ?? "")
        .join("\n"),
    );
  }
  if (!READS_LINES.has(program)) return undefined;
  if (program !== "crontab") return sureWord(input);
  // Five fields, or a name, come before each command.
  const lines = input
    .split("\n")
    .map((line) => line.replace(/^\s*(?:@\w+|(?:[\d*,/A-Za-z-]+\s+){5})\s*/, ""));
  return sureWord(lines.join("\n"));
}
