// Programs that start other programs: which of their words are the other program's. A wrapper that
// is read wrongly would hide a command, so an option that the grammar does not know makes the
// wrapper unreadable.

import { type ShellWord, sureText, sureWord, wordWithHoles } from "./word.ts";

/** A program that a wrapper starts. */
export type Opened =
  | { readonly kind: "words"; readonly words: readonly ShellWord[] }
  | { readonly kind: "script"; readonly script: ShellWord }
  | { readonly kind: "unreadable"; readonly why: string };

interface Grammar {
  /** Options that take the next word, or the rest of theirs; without dashes, short ones one letter. */
  readonly values?: string;
  readonly switches?: string;
  /** Short options whose value can only be in the same word. */
  readonly attached?: string;
  /** `NAME=value` words come before the program. */
  readonly hasAssignments?: boolean;
  /** How many words of its own come before the program. */
  readonly operands?: number;
  /** Options with which it starts nothing. */
  readonly inert?: string;
  /** Options whose value is a script. */
  readonly scripts?: string;
  /** The program's words are joined and read by a shell. */
  readonly isShell?: boolean;
  /** Further words are added when it runs. */
  readonly appends?: boolean;
  /** The option whose value is replaced in every word. */
  readonly replace?: string;
  /** Single-dash long options. */
  readonly hasNumbers?: boolean;
}

const GRAMMARS: Readonly<Record<string, Grammar>> = {
  sudo: {
    values:
      "u user g group h host p prompt C close-from r role t type T command-timeout D chdir R chroot U other-user a c",
    switches:
      "A askpass B bell b background E preserve-env H set-home n non-interactive P preserve-groups S stdin k reset-timestamp N no-update s shell i login",
    inert: "e edit K remove-timestamp l list v validate V version help",
    hasAssignments: true,
  },
  doas: { values: "u C a", switches: "n s L", hasAssignments: true },
  env: {
    values: "u unset C chdir a argv0",
    switches:
      "i ignore-environment 0 null v debug block-signal default-signal ignore-signal list-signal-handling -",
    inert: "help version",
    scripts: "S split-string",
    hasAssignments: true,
  },
  command: { switches: "p", inert: "v V" },
  builtin: {},
  exec: { values: "a", switches: "c l" },
  nohup: { inert: "help version" },
  setsid: { switches: "c ctty f fork w wait", inert: "h help V version" },
  stdbuf: { values: "i input o output e error", inert: "help version" },
  nice: { values: "n adjustment", hasNumbers: true, inert: "help version" },
  ionice: { values: "c class n classdata", switches: "t ignore", inert: "p P u h V" },
  chrt: { switches: "a b f i o r v R", operands: 1, inert: "p m h V" },
  taskset: { switches: "a c", operands: 1, inert: "p h V" },
  timeout: {
    values: "k kill-after s signal",
    switches: "f foreground p preserve-status v verbose",
    operands: 1,
    inert: "help version",
  },
  gtimeout: {
    values: "k kill-after s signal",
    switches: "foreground preserve-status v verbose",
    operands: 1,
  },
  time: {
    values: "f format o output",
    switches: "p portability v verbose a append q quiet",
    inert: "V version h help",
  },
  watch: {
    values: "n interval q equexit s shotsdir",
    switches:
      "b beep c color C no-color d differences e errexit g chgexit p precise r no-rerun t no-title w no-wrap x exec",
    inert: "h help v version",
    isShell: true,
  },
  xargs: {
    values:
      "a arg-file d delimiter E I L max-lines n max-args P max-procs s max-chars R S J process-slot-var",
    attached: "i l e",
    switches: "0 null r no-run-if-empty t verbose p interactive x exit o open-tty",
    inert: "help version show-limits",
    appends: true,
    replace: "I",
  },
  flock: {
    values: "w wait timeout E conflict-exit-code",
    switches: "s shared x e exclusive n nb nonblock o close F no-fork verbose u unlock",
    operands: 1,
    scripts: "c command",
    inert: "h help V version",
  },
  chroot: { values: "userspec groups", switches: "skip-chdir", operands: 1, inert: "help version" },
  su: {
    values: "g group G supp-group s shell w whitelist-environment",
    switches: "f fast l login m p preserve-environment P pty",
    scripts: "c command session-command",
    operands: 99,
    inert: "h help V version",
  },
  script: {
    values: "E echo o output-limit O log-out I log-in B log-io T log-timing m logging-format",
    switches: "a append e return f flush force q quiet",
    scripts: "c command",
    operands: 99,
    inert: "h help V version",
  },
  strace: {
    values: "o e P p s a b E I O S u X U trace-path",
    switches: "f ff c C D d i k n q qq r t tt ttt T v V w x xx y yy z Z follow-forks",
    hasAssignments: false,
    inert: "h help version",
  },
  ssh: {
    values: "b B c D E e F I i J L l m O o p Q R S W w",
    switches: "4 6 A a C f G g K k M N n q s T t V v X x Y y",
    operands: 1,
    isShell: true,
  },
  caffeinate: { values: "t w", switches: "d i m s u" },
  unbuffer: { switches: "p" },
  catchsegv: {},
  busybox: { inert: "list list-full install help" },
  toybox: {},
};

/** Shells: `-c` takes a script; without it the first word is a file, and without one stdin is read. */
const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "rbash", "fish", "yash"]);

/**
 * Programs that start another one, named somewhere after their own words: `npx wrangler`, `aws-vault exec
 * prod kubectl`.
 */
const LAUNCHERS = new Set(
  "npx bunx pnpx pnpm yarn npm bun uv uvx poetry pipenv pipx hatch rye bundle mise asdf aws-vault aws-okta granted direnv doppler op chamber dotenv envconsul infisical teller nix devbox flox rtx docker podman nerdctl lima limactl colima multipass vagrant wsl proot fakeroot systemd-run systemd-inhibit unshare nsenter firejail bwrap run0 pkexec setpriv runuser gosu su-exec tini dumb-init entr parallel expect tmux screen at batch rlwrap script-run dbus-run-session xvfb-run hyperfine perf ltrace gdb valgrind rr proxychains proxychains4 torsocks tsocks sshpass mosh".split(
    " ",
  ),
);

/** Programs that take names of files or patterns after `--` and start none of them. */
const TAKES_NAMES = new Set(
  "git grep egrep fgrep rg ag ls cat head tail less wc rm cp mv mkdir touch ln chmod chown sed awk sort diff echo printf test cd pushd which type".split(
    " ",
  ),
);

/** Whether a program is a shell. */
export function isShell(program: string): boolean {
  return SHELLS.has(program);
}

const FINDERS = new Set(["find", "fd", "fdfind", "gfind"]);
/** Programs that may start another one of any name, or cannot be read. */
export const WRAPPERS = new Set([...SHELLS, ...FINDERS, ...Object.keys(GRAMMARS), "eval", "trap", "alias"]);

/** Lists the programs that a program starts; undefined when its words name none. */
export function openWrapper(
  program: string,
  words: readonly ShellWord[],
  isKnown: (program: string) => boolean,
): readonly Opened[] | undefined {
  const args = words.slice(1);
  if (SHELLS.has(program)) return openShell(args);
  if (program === "eval") return args.length === 0 ? undefined : [{ kind: "script", script: joined(args) }];
  if (program === "trap") return openTrap(args);
  if (program === "alias") return openAlias(args);
  if (FINDERS.has(program)) return openFind(args);
  const grammar = Object.hasOwn(GRAMMARS, program) ? GRAMMARS[program] : undefined;
  if (grammar !== undefined) return openByGrammar(program, grammar, args, isKnown);
  return openLauncher(program, args, isKnown);
}

function openShell(args: readonly ShellWord[]): readonly Opened[] | undefined {
  for (let at = 0; at < args.length; at++) {
    const text = sureText(args[at]);
    if (text === undefined)
      return [{ kind: "unreadable", why: "what the shell is to run is only known when it runs" }];
    if (text === "--" || text === "-" || !/^[-+]/.test(text)) return undefined;
    if (text === "--command") return scriptAt(args, at + 1);
    if (text.startsWith("--command=")) return [{ kind: "script", script: sureWord(text.slice(10)) }];
    if (/^--(?:rcfile|init-file|init-command)$/.test(text)) {
      at++;
      continue;
    }
    if (text.startsWith("--")) continue;
    if (text.startsWith("-") && text.includes("c")) {
      // `-o pipefail` and `-O globstar` take a word of their own, wherever their letter is in the bundle.
      const taken = [...text].filter((letter) => letter === "o" || letter === "O").length;
      return scriptAfterOptions(args, at + 1 + taken);
    }
    at += [...text].filter((letter) => letter === "o" || letter === "O").length;
  }
  return undefined;
}

/** Options may still come between `-c` and the script. */
function scriptAfterOptions(args: readonly ShellWord[], from: number): readonly Opened[] {
  let at = from;
  for (let text = sureText(args[at]); text !== undefined && /^[-+]./.test(text); text = sureText(args[at])) {
    at += 1 + [...text].filter((letter) => !text.startsWith("--") && /[oO]/.test(letter)).length;
    if (text === "--") break;
  }
  return scriptAt(args, at);
}

function scriptAt(args: readonly ShellWord[], at: number): readonly Opened[] {
  const script = args[at];
  return script === undefined ? [] : [{ kind: "script", script }];
}

function openTrap(args: readonly ShellWord[]): readonly Opened[] | undefined {
  const [first] = args.filter(({ text }) => !/^-(?:[lpP]|-)$/.test(text));
  if (first === undefined || args.length < 2 || first.text === "-" || first.text === "") return undefined;
  return [{ kind: "script", script: first }];
}

/** Reads an alias as if it were run: afterwards its name says nothing. */
function openAlias(args: readonly ShellWord[]): readonly Opened[] | undefined {
  const opened = args.flatMap((word): readonly Opened[] => {
    const equals = word.text.indexOf("=");
    if (equals < 0) return [];
    return [{ kind: "script", script: { text: word.text.slice(equals + 1), isSure: false } }];
  });
  return opened.length === 0 ? undefined : opened;
}

const FIND_EXEC = /^(?:-exec|-execdir|-ok|-okdir|-x|-X|--exec|--exec-batch)$/;

function openFind(args: readonly ShellWord[]): readonly Opened[] | undefined {
  const opened: Opened[] = [];
  for (let at = 0; at < args.length; at++) {
    if (!FIND_EXEC.test(args[at]?.text ?? "")) continue;
    const words: ShellWord[] = [];
    for (at++; at < args.length; at++) {
      const word = args[at];
      if (word === undefined || word.text === ";") break;
      if (word.text === "+" && words.at(-1)?.text === "{}") break;
      words.push(word.text.includes("{}") ? { ...word, isSure: false } : word);
    }
    opened.push({ kind: "words", words });
  }
  return opened.length === 0 ? undefined : opened;
}

function joined(words: readonly ShellWord[]): ShellWord {
  return { text: words.map(({ text }) => text).join(" "), isSure: words.every(({ isSure }) => isSure) };
}

const set = (text: string | undefined) => new Set((text ?? "").split(" ").filter((each) => each !== ""));

function openByGrammar(
  program: string,
  grammar: Grammar,
  args: readonly ShellWord[],
  isKnown: (program: string) => boolean,
): readonly Opened[] | undefined {
  const [values, switches, inert, scripts, attached] = [
    set(grammar.values),
    set(grammar.switches),
    set(grammar.inert),
    set(grammar.scripts),
    set(grammar.attached),
  ];
  const opened: Opened[] = [];
  const given: string[] = [];
  let replace: string | undefined;
  let operands = grammar.operands ?? 0;
  let at = 0;
  const unreadable = (text: string): readonly Opened[] => [
    { kind: "unreadable", why: `the program that ${program} starts is not known from '${text}'` },
    ...guesses(args.slice(at), isKnown),
  ];
  const take = (name: string, word: ShellWord | undefined): void => {
    if (word === undefined) return;
    if (name === grammar.replace) replace = word.text;
    if (scripts.has(name)) opened.push({ kind: "script", script: word });
  };
  for (; at < args.length; at++) {
    const word = args[at];
    if (word === undefined) break;
    const { text } = word;
    if (text === "--") {
      if (operands === 0) {
        at++;
        break;
      }
      continue;
    }
    if (!word.isSure && (text.startsWith("-") || operands === 0)) break;
    if (grammar.hasAssignments && /^[A-Za-z_]\w*=/.test(text)) continue;
    if (!text.startsWith("-") || text === "-") {
      if (text === "-" && switches.has("-")) continue;
      if (operands === 0) break;
      operands--;
      continue;
    }
    if (grammar.hasNumbers && /^-\d+$/.test(text)) continue;
    if (text.startsWith("--")) {
      const [name = "", value] = splitAt(text.slice(2), "=");
      if (inert.has(name)) return undefined;
      if (values.has(name) || scripts.has(name))
        take(name, value === undefined ? args[++at] : sureWord(value));
      else if (!switches.has(name)) return unreadable(text);
      given.push(name);
      continue;
    }
    if (switches.has(text.slice(1))) {
      given.push(text.slice(1));
      continue;
    }
    for (let letter = 1; letter < text.length; letter++) {
      const name = text.charAt(letter);
      if (inert.has(name)) return undefined;
      const rest = text.slice(letter + 1);
      if (values.has(name) || scripts.has(name)) {
        take(name, rest === "" ? args[++at] : { text: rest, isSure: word.isSure });
        break;
      }
      if (attached.has(name)) {
        if (name === "i") replace = rest === "" ? "{}" : rest;
        break;
      }
      if (!switches.has(name)) return unreadable(text);
      given.push(name);
    }
  }
  const inner = args.slice(at);
  if (inner.length === 0 || operands > 0) return opened.length === 0 ? undefined : opened;
  // `watch -x` starts the words as they are.
  const isJoined =
    grammar.isShell && !(program === "watch" && given.some((name) => /^(?:x|exec)$/.test(name)));
  if (isJoined) opened.push({ kind: "script", script: joined(inner) });
  else if (grammar.appends) opened.push({ kind: "words", words: appended(inner, replace) });
  else if (program === "env" && opened.length > 0) return [...opened, ...guesses(inner, isKnown)];
  else opened.push({ kind: "words", words: inner });
  return opened;
}

function appended(words: readonly ShellWord[], replace: string | undefined): readonly ShellWord[] {
  if (replace === undefined) return [...words, { text: "…", isSure: false }];
  return words.map((word) => wordWithHoles(word, replace));
}

/** Whatever may be the program, for a wrapper that cannot be read: a guess can only make the answer stricter. */
function guesses(words: readonly ShellWord[], isKnown: (program: string) => boolean): readonly Opened[] {
  return words.flatMap(({ text }, at): readonly Opened[] =>
    isKnown(text) || SHELLS.has(text) || Object.hasOwn(GRAMMARS, text)
      ? [{ kind: "words", words: words.slice(at).map((each) => ({ ...each, isSure: false })) }]
      : [],
  );
}

/** A program that starts the words after `--`, or, for a known launcher, after its own words. */
function openLauncher(
  program: string,
  args: readonly ShellWord[],
  isKnown: (program: string) => boolean,
): readonly Opened[] | undefined {
  const end = args.findIndex(({ text }) => text === "--");
  const isLauncher = LAUNCHERS.has(program);
  if (end >= 0 && !TAKES_NAMES.has(program)) {
    const words = args.slice(end + 1);
    if (words.length > 0) return [{ kind: "words", words }];
  }
  if (!isLauncher) return undefined;
  const start = args.findIndex(({ text }) => isKnown(withoutVersion(text)) || SHELLS.has(text));
  if (start < 0) return undefined;
  const [first, ...rest] = args.slice(start);
  const words = [
    { ...first, text: withoutVersion(first?.text ?? ""), isSure: first?.isSure === true },
    ...rest,
  ];
  return [{ kind: "words", words: program === "parallel" ? appended(untilColons(words), "{") : words }];
}

function untilColons(words: readonly ShellWord[]): readonly ShellWord[] {
  const end = words.findIndex(({ text }) => /^:::/.test(text));
  return [...(end < 0 ? words : words.slice(0, end)), { text: "{}", isSure: false }];
}

/** `wrangler@4` and `aws-cli@latest` are packages with a version. */
function withoutVersion(text: string): string {
  return text.replace(/(?<=.)@[\w.^~*-]+$/, "");
}

function splitAt(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
