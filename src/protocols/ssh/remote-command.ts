// A command line that a remote shell would run. It is taken apart by the reader that hooks use;
// each program in it is looked up, and the strictest counts. A remote shell may be another one than
// the reader knows, and a program another one than its name says: the answer is good advice, not a
// fence.

import type { Classification } from "../../model/classification.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import { classifierForProgram } from "../registry.ts";
import { isForBashAlone, oddStart } from "../shell/programs/shell-options.ts";
import { isShell } from "../shell/programs/shell-start.ts";
import { openWrapper } from "../shell/programs/wrappers.ts";
import { readScript } from "../shell/read-script.ts";
import { SOME_NAME } from "../shell/set-variables.ts";
import type { ScriptRedirect, ShellWord, SimpleCommand } from "../shell/word.ts";
import { strictestOf } from "../strictest.ts";
import { unknownClassification } from "../unknown.ts";
import type { ClassifiedWish } from "./classify-wish.ts";
import { aliasesOf, labelOf } from "./command-label.ts";
import { CommandSurroundings, type NamePipe } from "./command-surroundings.ts";
import { type Folder, FolderWalk } from "./folder-walk.ts";
import { filesOfWrapper } from "./option-effects.ts";
import { type ProgramFinding, rankOf } from "./program-reader.ts";
import { mayBeSecret, normalPath, writeRisk } from "./remote-paths.ts";
import { readRow } from "./row-reader.ts";
import { findUnixRow, isUnixProgram } from "./unix-table.ts";

/** Programs that do nothing to what stands beside them. */
const INERT = /^(?:sleep \d{1,3}|true|:)$/;

const DEPTH_MAX = 8;
const PARTS_MAX = 200;
/** Programs that are looked at for one line, each in every folder where it may run. */
const BUDGET = 5_000;

/** Programs that start another one and add nothing to it. */
const NEUTRAL = new Set(
  "trap time timeout gtimeout nice ionice stdbuf env xargs watch setsid chrt taskset command builtin exec eval busybox toybox nohup flock".split(
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
  /^(?:PATH|IFS|ENV|BASH_\w+|SHELLOPTS|PS4|PROMPT_COMMAND|CDPATH|GLOBIGNORE|LD_\w+|DYLD_\w+|GIT_\w+|\w*PAGER|\w*EDITOR|LESS\w*|PYTHON\w*|PERL\w*|RUBY\w*|NODE_\w+|JAVA_\w*|GCONV_PATH|LOCPATH|HOME|SHELL|XDG_\w+|TAR_OPTIONS|RSYNC_\w+|OPENSSL_\w+|ZDOTDIR|(?:READ)?NULLCMD|FPATH|path|fpath|cdpath|module_path|functions|[gs]?aliases|commands|options|builtins|reswords|patchars|parameters|modules|mapfile|(?:named|user)dirs|dis_\w+|widgets|keymaps|zsh_\w+|\w+_functions|TRAP\w+|SSH_\w+|SUDO_\w+|DOCKER_\w+|KUBECONFIG)$/;

/** Classifies a command line. Never throws. */
export function classifyRemoteCommand(text: string): ClassifiedWish {
  const reader = new RemoteReader();
  reader.script(text, 0);
  if (reader.isTooMuch)
    return {
      classification: strictestOf(
        unknownClassification("ssh", "it starts too many programs"),
        ...reader.parts,
      ),
      isExact: false,
    };
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
  /** It was not read to its end. */
  isTooMuch = false;
  readonly #place = new CommandSurroundings();
  /** Where the program that is read would go. */
  #moves: Folder[] = [];
  #hasJumps = false;
  #budget = BUDGET;

  script(text: string, depth: number): undefined {
    if (depth > DEPTH_MAX) return this.#unknown("", "it is nested too deeply");
    const {
      commands,
      problem,
      redirects = [],
      variables = [],
      calculated,
      hasJumps = false,
    } = readScript(text);
    if (problem !== undefined) this.#unknown("", `the command line cannot be read: ${problem}`);
    const real = commands.filter(({ words }) => !INERT.test(words.map((word) => word.text).join(" ")));
    if (real.length > 1 || redirects.length > 0 || variables.length > 0) this.isExact = false;
    const variable = variables.find((each) => DANGEROUS.test(each));
    if (variable !== undefined) this.#unknown("", `${variable} changes what programs do`);
    if (variables.includes(SOME_NAME)) this.#unknown("", "which variable it sets is only known when it runs");
    if (calculated !== undefined)
      this.#unknown("", `'${calculated}' is calculated with and may hold a command`);
    // `[[ … ]]` and `(( … ))` calculate as well, with text that stood in quotes.
    if (/\[\[|\(\(/.test(text) && /'[^']*(?:\$\(|`)[^']*'/.test(text))
      this.#unknown("", "a calculation in it may hold a command");
    const outer = {
      folder: this.#place.folder,
      moves: this.#moves,
      pipe: this.#place.pipe,
      hasJumps: this.#hasJumps,
    };
    const walk = new FolderWalk(this.#place.folder, hasJumps);
    const pipes = new Map<number, NamePipe>();
    this.#hasJumps ||= hasJumps;
    // The first command of a loop may run last: the first look finds out where the loop goes.
    const before = this.parts.length;
    if (hasJumps) for (const each of commands) this.#everywhere(each, depth, walk, pipes);
    this.parts.length = before;
    for (const each of commands) this.#everywhere(each, depth, walk, pipes);
    for (const each of redirects) this.#strictest(walk.all, () => this.#redirect(each));
    const gone = walk.all.filter((each) => each !== outer.folder);
    this.#place.folder = outer.folder;
    this.#place.pipe = outer.pipe;
    this.#hasJumps = outer.hasJumps;
    this.#moves = [...outer.moves, ...gone];
  }

  /** Reads a program in every folder where it may run; the strictest answer stays. */
  #everywhere(command: SimpleCommand, depth: number, walk: FolderWalk, pipes: Map<number, NamePipe>): void {
    const pipe = command.place?.pipe;
    if (pipe !== undefined && !pipes.has(pipe)) pipes.set(pipe, { named: [], isOnlyNames: true });
    this.#place.pipe = pipe === undefined ? undefined : pipes.get(pipe);
    const moves: Folder[] = [];
    this.#strictest(walk.of(command.place), () => {
      this.#moves = [];
      this.#command(command, depth);
      moves.push(...this.#moves);
    });
    walk.moved(command.place, moves, command.words[0]?.text === "cd");
  }

  #strictest(folders: readonly Folder[], read: () => void): void {
    const before = this.parts.length;
    let best: readonly Classification[] = [];
    for (const folder of folders) {
      this.#place.folder = folder;
      read();
      const made = this.parts.splice(before);
      if (best.length === 0 || riskOf(made) > riskOf(best)) best = made;
    }
    this.parts.push(...best);
  }

  #redirect({ isWrite, target }: ScriptRedirect): void {
    const path = this.#place.pathOf(target);
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
    this.#budget -= 1;
    if (this.parts.length > PARTS_MAX || this.#budget < 0) {
      this.isTooMuch = true;
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
    // `IFS= read -r line` keeps blanks, and is for that line alone.
    const variable = assigned.find((each) => !HARMLESS.test(each) && !(program === "read" && each === "IFS"));
    if (variable !== undefined) this.#unknown(program, `${variable} may change what ${program} does`);
    if (NEUTRAL.has(program) || isShell(program)) return this.#wrapper(program, words, input, depth);
    const classifier = classifierForProgram(program);
    if (classifier !== undefined) {
      this.#place.makesText();
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
    if (program === "cd") this.#changeFolder(args.find(({ text }) => !/^-./.test(text)));
    const read = readRow(program, args, this.#place, (inner, folder) =>
      this.#runIn(folder, { words: inner, assigned: [], input: undefined }, depth),
    );
    if (read === undefined)
      return this.#addCommand(words, program, {
        tier: "unknown",
        reason: `no rule knows the program '${program}'`,
      });
    return this.#addCommand(words, read.key, read.finding);
  }

  #runIn(folder: string | undefined, command: SimpleCommand, depth: number): void {
    const outer = this.#place.folder;
    if (folder !== undefined) this.#place.folder = folder;
    this.#command(command, depth + 1);
    this.#place.folder = outer;
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
    const odd = isShell(program) ? oddStart(args) : undefined;
    if (odd !== undefined) this.#unknown(program, `'${odd}' may change what the shell runs`);
    if (/^(?:taskset|ionice|chrt)$/.test(program) && args.some(({ text }) => /^-\w*[pP]|^--p/.test(text)))
      this.#add(program, "modify", "changes a process that runs");
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
    if (program === "flock") this.#add("flock", "modify", "makes a lock file");
    const outer = this.#place.folder;
    for (const { option, path } of filesOfWrapper(program, args)) {
      const whole = path === undefined ? undefined : this.#place.pathOf(path);
      if (option === "folder") this.#place.folder = whole;
      else if (option === "read") {
        const found = this.#place.read(whole, false);
        if (found !== undefined) this.#add(program, found.tier, found.reason);
        this.#place.makesText();
      } else {
        const { tier, reason } = this.#place.write(whole, { tier: "modify", reason: "writes a file" });
        this.#add(program, tier, reason);
      }
    }
    this.#start(program, words, input, depth);
    this.#place.folder = outer;
  }

  #start(
    program: string,
    words: readonly ShellWord[],
    input: SimpleCommand["input"],
    depth: number,
  ): undefined {
    const args = words.slice(1);
    const opened = openWrapper(program, words, (name) => isUnixProgram(name));
    if (opened === undefined) {
      if (isShell(program)) {
        if (args.length === 1 && args[0]?.text === "--version")
          return this.#addCommand(words, program, { tier: "observe", reason: "prints the version" });
        if (typeof input === "object" && "script" in input && !input.isPiped)
          return this.#inner(input.script, depth);
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
      else {
        if (/^(?:sh|dash|ash|watch)$/.test(program) && isForBashAlone(each.script.text))
          this.#unknown(program, "not every shell reads it alike");
        this.#inner(each.script, depth);
      }
    }
  }

  #inner({ text, isSure }: ShellWord, depth: number): undefined {
    if (!isSure) this.#unknown("", "what it runs is only known when it runs");
    this.script(text, depth + 1);
  }

  #changeFolder(word: ShellWord | undefined): void {
    const text = word?.text ?? "~";
    // `cd -` goes back to wherever it was; a relative step in a loop goes on and on.
    const isVague = text === "-" || (this.#hasJumps && !/^[~/]/.test(text));
    this.#moves.push(isVague ? undefined : word === undefined ? "~" : this.#place.pathOf(word));
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

/** How risky parts are together. */
function riskOf(parts: readonly Classification[]): number {
  return Math.max(-1, ...parts.map(({ tier }) => rankOf(tier)));
}
