// A command line that a remote shell would run. It is taken apart by the reader that hooks use;
// each program in it is looked up, and the strictest counts. A remote shell may be another one than
// the reader knows, and a program another one than its name says: the answer is good advice, not a
// fence.

import type { Classification } from "../../model/classification.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import { classifierForProgram } from "../registry.ts";
import { readScript } from "../shell/read-script.ts";
import type { ScriptRedirect, ShellWord, SimpleCommand } from "../shell/word.ts";
import { isShell, openWrapper } from "../shell/wrappers.ts";
import { strictestOf } from "../strictest.ts";
import { unknownClassification } from "../unknown.ts";
import type { ClassifiedWish } from "./classify-wish.ts";
import { aliasesOf, labelOf } from "./command-label.ts";
import { holdsSecrets, mayBeSecret, normalPath, writeRisk } from "./remote-paths.ts";
import { readProgram } from "./remote-programs.ts";
import { findUnixRow, isUnixProgram } from "./unix-table.ts";

/** The tier of one program and the reason. */
export interface ProgramFinding {
  readonly tier: TierOrUnknown;
  readonly reason: string;
}

/** Programs that do not change the meaning of those beside them. */
const INERT = /^(?:sleep \d{1,3}|true|:)$/;

const DEPTH_MAX = 8;
const PARTS_MAX = 200;

/** Programs that start another one and add nothing to it. */
const NEUTRAL = new Set(
  "trap time timeout gtimeout nice ionice stdbuf env xargs watch setsid chrt taskset command builtin exec eval busybox toybox nohup".split(
    " ",
  ),
);

/** Folders in which a program of a known name is that program. */
const PROGRAM_FOLDER = /^\/(?:usr\/(?:local\/)?)?s?bin\/|^\/snap\/bin\/|^\/opt\/homebrew\/bin\//;

/** Commands of the shell that calculate with their words. */
const EVALUATES = new Set("let test [ printf read unset declare typeset local export readonly".split(" "));

/** Variables that a program may be given without becoming another one. */
const HARMLESS =
  /^(?:LANG|LANGUAGE|LC_\w+|TZ|TERM|COLUMNS|LINES|NO_COLOR|DEBIAN_FRONTEND|SYSTEMD_(?:PAGER|COLORS)|PGCONNECT_TIMEOUT)$/;
/** Variables of the shell itself that change which programs it finds or how it reads. */
const DANGEROUS =
  /^(?:PATH|IFS|ENV|BASH_\w+|SHELLOPTS|PS4|PROMPT_COMMAND|CDPATH|GLOBIGNORE|LD_\w+|DYLD_\w+|GIT_\w+|\w*PAGER|\w*EDITOR|LESS\w*|PYTHON\w*|PERL\w*|RUBY\w*|NODE_\w+|JAVA_\w*|GCONV_PATH|LOCPATH|HOME|SSH_\w+|SUDO_\w+|DOCKER_\w+|KUBECONFIG)$/;

/** Classifies a command line. Never throws. */
export function classifyRemoteCommand(text: string): ClassifiedWish {
  const reader = new RemoteReader();
  reader.script(text, 0);
  const [first, ...others] = reader.parts;
  const real = reader.parts.filter((part) => part.tier !== "observe" || !INERT.test(part.command));
  const [only] = real;
  if (reader.isExact && only !== undefined && real.length === 1)
    return { classification: only, isExact: true };
  if (first === undefined)
    return {
      classification: {
        protocol: "ssh",
        tier: "observe",
        command: "",
        aliases: [],
        labels: {},
        reason: "it runs nothing",
      },
      isExact: false,
    };
  return { classification: strictestOf(first, ...others), isExact: reader.isExact && real.length === 0 };
}

class RemoteReader {
  readonly parts: Classification[] = [];
  isExact = true;
  /** Where the shell stands, as far as `cd` says. */
  #folder = "~";
  /** Folders and files that were named; paths from a pipe may be below them. */
  readonly #named: string[] = [];

  script(text: string, depth: number): undefined {
    if (depth > DEPTH_MAX) return this.#unknown("", "it is nested too deeply");
    const { commands, problem, redirects = [], variables = [] } = readScript(text);
    if (problem !== undefined) this.#unknown("", `the command line cannot be read: ${problem}`);
    const real = commands.filter(({ words }) => !INERT.test(words.map((word) => word.text).join(" ")));
    if (real.length > 1 || redirects.length > 0 || variables.length > 0) this.isExact = false;
    const variable = variables.find((each) => DANGEROUS.test(each));
    if (variable !== undefined) this.#unknown("", `${variable} changes what programs do`);
    // `[[ … ]]` and `(( … ))` calculate as well, with text that stood in quotes.
    if (/\[\[|\(\(/.test(text) && /'[^']*(?:\$\(|`)[^']*'/.test(text))
      this.#unknown("", "a calculation in it may hold a command");
    for (const each of redirects) this.#redirect(each);
    for (const command of commands) this.#command(command, depth);
  }

  #redirect({ isWrite, target }: ScriptRedirect): void {
    const path = this.#pathOf(target);
    const label = isWrite ? "> file" : "< file";
    if (path === undefined) {
      if (/^[&\d-]/.test(target.text)) return;
      this.#add(
        label,
        isWrite ? "sensitive" : "unknown",
        `which file '${target.text}' is, is only known when it runs`,
      );
    } else if (isWrite) {
      if (/^\/dev\/(?:null|stdout|stderr|tty)$/.test(path)) return;
      const { tier, reason } = writeRisk(path) ?? { tier: "modify" as const, reason: `writes ${path}` };
      this.#add(label, tier, reason);
    } else if (mayBeSecret(path)) this.#add(label, "sensitive", `${path} may hold secrets`);
  }

  #command({ words, assigned, input }: SimpleCommand, depth: number): undefined {
    if (this.parts.length > PARTS_MAX) {
      if (this.parts.length === PARTS_MAX + 1) this.#unknown("", "it starts too many programs");
      return;
    }
    const [first, ...args] = words;
    if (first === undefined) return;
    if (!first.isSure) return this.#unknown("", "which program it starts is only known when it runs");
    const program = this.#programOf(first.text);
    if (program === undefined)
      return this.#addCommand(words, "", {
        tier: "unknown",
        reason: `'${first.text}' is in no folder of programs`,
      });
    const variable = assigned.find((each) => !HARMLESS.test(each));
    if (variable !== undefined) this.#unknown(program, `${variable} may change what ${program} does`);
    if (NEUTRAL.has(program) || isShell(program)) return this.#wrapper(program, words, input, depth);
    const classifier = classifierForProgram(program);
    if (classifier !== undefined) {
      const vague = args.find(({ isSure }) => !isSure);
      const { tier, command, reason } = classifier.classifyArgv([program, ...args.map(({ text }) => text)]);
      const finding: ProgramFinding =
        vague === undefined || tier === "break-glass"
          ? { tier, reason }
          : { tier: "unknown", reason: `what '${vague.text}' stands for is only known when it runs` };
      return this.#addCommand(words, `${program} ${command}`.trim(), finding);
    }
    return this.#program(program, words, args, depth);
  }

  /** Looks for an exported variable that later programs read: it may change their behaviour. */
  #exported(program: string, args: readonly ShellWord[]): void {
    if (!/^(?:export|declare|typeset|readonly)$/.test(program)) return;
    const name = args
      .map(({ text }) => /^([A-Za-z_]\w*)/.exec(text)?.[1])
      .find((each) => each !== undefined && !HARMLESS.test(each) && !/^[a-z]/.test(each));
    if (name !== undefined) this.#unknown(program, `${name} may change what programs do`);
  }

  #program(
    program: string,
    words: readonly ShellWord[],
    args: readonly ShellWord[],
    depth: number,
  ): undefined {
    this.#exported(program, args);
    // The shell's own commands calculate indexes, and an index may hold a command.
    if (EVALUATES.has(program) && args.some(({ text }) => /\$\(|`/.test(text)))
      this.#unknown(program, "a word of it may hold a command");
    const found = findUnixRow(program, args);
    if (found === undefined)
      return this.#addCommand(words, program, {
        tier: "unknown",
        reason: `no rule knows the program '${program}'`,
      });
    if ("problem" in found)
      return this.#addCommand(words, program, { tier: "unknown", reason: found.problem });
    const { row, read, operands } = found;
    if (program === "cd") this.#changeFolder(operands[0]);
    const paths = (list: readonly ShellWord[]) => list.map((word) => this.#pathOf(word));
    let finding: ProgramFinding = { tier: row.tier ?? "unknown", reason: row.reason };
    if (/^(?:less|more|man)$/.test(program) && args.some(({ text }) => text.startsWith("+")))
      finding = { tier: "unknown", reason: "a pager runs what stands behind a plus sign" };
    // An unquoted variable may become several words, options among them.
    const split = args.find((word) => !word.isSure && mayBecomeOptions(word.text));
    if (
      split !== undefined &&
      finding.tier === "observe" &&
      (row.operands === "code" || row.grammar !== undefined)
    ) {
      const reason = `what '${split.text}' stands for is only known when it runs`;
      return this.#addCommand(words, row.command, { tier: "unknown", reason });
    }
    if (row.operands === "code")
      finding = readProgram(program, args, finding, {
        pathOf: (word) => this.#pathOf(word),
        name: (path) => this.#named.push(path),
        run: (inner) => this.#command({ words: inner, assigned: [], input: undefined }, depth + 1),
        read: (path, isDeep) => this.#read(path, isDeep),
        write: (path, base) => this.#write(path, base),
      });
    else if (row.operands === "none" && finding.tier === "observe" && operands.length > 0)
      finding = {
        tier: "unknown",
        reason: `${row.command} takes no words, and '${operands[0]?.text}' is one`,
      };
    else if (row.operands === "list")
      this.#named.push(...paths(operands).filter((each) => each !== undefined));
    else if (row.operands === "read" || row.operands === "deep") {
      const files = /grep$|^rg$/.test(program) ? this.#afterPattern(operands, read?.flags) : operands;
      const isRecursive =
        program === "rg" ||
        ["r", "R", "recursive", "dereference-recursive"].some((each) => read?.flags.has(each));
      const fileValues = ["f", "file", "x"].flatMap((each) =>
        row.operands === "deep" ? (read?.flags.get(each) ?? []) : [],
      );
      const all = [...paths(files), ...fileValues.map((each) => this.#pathOf({ text: each, isSure: true }))];
      if (isRecursive && files.length === 0) all.push(this.#folder);
      for (const path of all)
        finding = stricter(finding, this.#read(path, row.operands === "deep" && isRecursive));
    } else if (row.operands === "write") {
      if (program === "rm" && args.some(({ text }) => /^-\w*[rR]|^--recursive/.test(text)))
        finding = { tier: "sensitive", reason: "removes folders with all that is in them" };
      for (const path of paths(operands)) finding = this.#write(path, finding);
    }
    this.#addCommand(words, row.command, finding);
  }

  /** grep's first word is a pattern, unless an option gave one. */
  #afterPattern(
    operands: readonly ShellWord[],
    flags: ReadonlyMap<string, readonly string[]> | undefined,
  ): readonly ShellWord[] {
    const hasPattern = ["e", "regexp", "f", "file", "files"].some((each) => flags?.has(each));
    return hasPattern ? operands : operands.slice(1);
  }

  #read(path: string | undefined, isDeep: boolean): ProgramFinding | undefined {
    if (path === undefined) {
      // A pipe names files below the paths that were named before.
      const isPlain =
        this.#named.length > 0 && !this.#named.some((each) => holdsSecrets(each) || mayBeSecret(each));
      return isPlain
        ? undefined
        : { tier: "unknown", reason: "which file it reads is only known when it runs" };
    }
    this.#named.push(path);
    if (mayBeSecret(path)) return { tier: "sensitive", reason: `${path} may hold secrets` };
    if (isDeep && holdsSecrets(path)) return { tier: "sensitive", reason: `below ${path} may be secrets` };
    return undefined;
  }

  #write(path: string | undefined, base: ProgramFinding): ProgramFinding {
    if (path === undefined)
      return stricter(base, {
        tier: "sensitive",
        reason: `${base.reason}; which, is only known when it runs`,
      });
    const risk = writeRisk(path);
    return risk === undefined ? base : stricter(base, { tier: risk.tier, reason: risk.reason });
  }

  #wrapper(
    program: string,
    words: readonly ShellWord[],
    input: SimpleCommand["input"],
    depth: number,
  ): undefined {
    // `sh -c 'one program'` is that program.
    if (!isShell(program) || words.length !== 3 || words[1]?.text !== "-c") this.isExact = false;
    const args = words.slice(1);
    if (program === "env") {
      const variable = args
        .map(({ text }) => /^([A-Za-z_]\w*)=/.exec(text)?.[1])
        .find((each) => each !== undefined && !HARMLESS.test(each));
      if (variable !== undefined) this.#unknown(program, `${variable} may change what a program does`);
    }
    if (
      (program === "command" || program === "exec" || program === "builtin") &&
      args.some(({ text }) => !text.startsWith("-"))
    ) {
      if (program === "command" && args.some(({ text }) => /^-[vV]$/.test(text)))
        return this.#addCommand(words, "command -v", { tier: "observe", reason: "tells a program's place" });
      const start = args.findIndex(({ text }) => !text.startsWith("-"));
      return this.#command({ words: args.slice(start), assigned: [], input }, depth + 1);
    }
    if (program === "busybox" || program === "toybox")
      return args.length === 0
        ? this.#addCommand(words, program, { tier: "observe", reason: "lists its programs" })
        : this.#command({ words: args, assigned: [], input }, depth + 1);
    if (program === "nohup")
      this.#add("nohup", "modify", "goes on after the connection and writes nohup.out");
    const opened = openWrapper(program, words, (name) => isUnixProgram(name));
    if (opened === undefined) {
      if (isShell(program)) {
        if (typeof input === "object") return this.#inner(input.script, depth);
        return this.#addCommand(words, program, {
          tier: "unknown",
          reason: "what the shell runs is in a file, or comes later",
        });
      }
      const row = findUnixRow(program, args);
      const finding: ProgramFinding =
        row === undefined
          ? { tier: "observe", reason: "starts nothing" }
          : "problem" in row
            ? { tier: "unknown", reason: row.problem }
            : { tier: row.row.tier ?? "unknown", reason: row.row.reason };
      return this.#addCommand(words, program, finding);
    }
    for (const each of opened) {
      if (each.kind === "unreadable") this.#unknown(program, each.why);
      else if (each.kind === "words")
        this.#command({ words: each.words, assigned: [], input: undefined }, depth + 1);
      else this.#inner(each.script, depth);
    }
  }

  #inner({ text, isSure }: ShellWord, depth: number): undefined {
    if (!isSure) this.#unknown("", "what it runs is only known when it runs");
    this.script(text, depth + 1);
  }

  #changeFolder(word: ShellWord | undefined): void {
    const path = word === undefined ? "~" : this.#pathOf(word);
    // From a folder that is not known every relative path is anything.
    this.#folder = path ?? "/";
  }

  /** A path with the folder that the shell stands in; undefined when it cannot be told. Patterns stay patterns. */
  #pathOf({ text, isSure }: ShellWord): string | undefined {
    const path = text.replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/, "~");
    if (!isSure && !/^(?:~\/|~$|[\w./+@,:=%-]|[*?[])[\w./+@,:=%*?[\]{}~-]*$/.test(path)) return undefined;
    if (path.includes("{") && !isSure) return undefined;
    if (path === "-") return "/dev/stdin";
    if (path.startsWith("/") || path.startsWith("~")) return normalPath(path);
    return normalPath(`${this.#folder}/${path}`);
  }

  #programOf(text: string): string | undefined {
    // One program for each kind of file system.
    const name = text.slice(text.lastIndexOf("/") + 1).replace(/^(mkfs|fsck)\.\w+$/, "$1");
    if (!text.includes("/")) return name;
    return PROGRAM_FOLDER.test(normalPath(text)) ? name : undefined;
  }

  #addCommand(words: readonly ShellWord[], key: string, { tier, reason }: ProgramFinding): undefined {
    if (!words.every(({ isSure }) => isSure)) this.isExact = false;
    const command = labelOf(words, key);
    this.parts.push({
      protocol: "ssh",
      tier,
      command,
      aliases: aliasesOf(words, key, command),
      labels: {},
      reason,
    });
  }

  #add(command: string, tier: TierOrUnknown, reason: string): void {
    this.isExact = false;
    this.parts.push({ protocol: "ssh", tier, command, aliases: [], labels: {}, reason });
  }

  #unknown(command: string, reason: string): undefined {
    this.isExact = false;
    this.parts.push(unknownClassification("ssh", reason, { command }));
  }
}

/** A glob that does not begin with a dash, and a home directory, stay as they are. */
function mayBecomeOptions(text: string): boolean {
  const rest = text.replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/, "~");
  return /[$`]/.test(rest) || /^[-{(<]/.test(rest);
}

const ORDER: readonly TierOrUnknown[] = ["observe", "modify", "unknown", "sensitive", "break-glass"];

/** The stricter of two; an unknown read beats a change, and is beaten by a known worse one. */
export function stricter(one: ProgramFinding, other: ProgramFinding | undefined): ProgramFinding {
  return other !== undefined && ORDER.indexOf(other.tier) > ORDER.indexOf(one.tier) ? other : one;
}
