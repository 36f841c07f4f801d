// Reads command lines the way Go's pflag does (and, on request, Go's flag package): flags before
// and after words, `--flag value`, `--flag=value`, `-nvalue`, `-n value`, bundles of switches, and
// `--`. Knows no program: each classifier brings its grammar. A flag that the grammar does not name
// is reported, because the next word may or may not belong to it; callers must treat that as
// unknown.

/** Which flags a program has; names without dashes, one-letter names are short flags. */
export interface ArgvGrammar {
  /** Flags that take the next word, or the text after `=`. */
  readonly values: ReadonlySet<string>;
  /** Flags without a value, which may still be written `--flag=false`. */
  readonly switches: ReadonlySet<string>;
  /** Flags whose value may only be written with `=`, like kubectl's `--dry-run[=client]`. */
  readonly optional?: ReadonlySet<string>;
  /** Other spellings: short letter or old name to the name under which values are filed. */
  readonly aliases?: ReadonlyMap<string, string>;
  /** `-flag` is a long flag too, and short flags do not bundle (terraform). */
  readonly singleDashLong?: boolean;
  /** Stop at the first word that is not a flag: the later words belong to another program. */
  readonly stopAtWord?: boolean;
}

/** A command line taken apart. */
export interface ReadArgv {
  /** The words that are no flags and no values of flags, up to `--`. */
  readonly words: readonly string[];
  /** Values by flag name, in order; a switch counts as "true" and a bare optional flag as "". */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** The words after `--`; undefined when there is no `--`. */
  readonly rest: readonly string[] | undefined;
  /** Flags that the grammar does not know, or that miss their value, as written. */
  readonly strange: readonly string[];
}

/** Takes apart the words after the program's name. Never throws. */
export function readArgv(args: readonly string[], grammar: ArgvGrammar): ReadArgv {
  const reader = new Reader(args, grammar);
  return reader.read();
}

/** The name by which a program was called, without folders and without `.exe`. */
export function programName(argv0: string | undefined): string {
  const base = (argv0 ?? "").split(/[\\/]/).at(-1) ?? "";
  return base.replace(/\.exe$/i, "");
}

/** Whether a switch is on: given, and its last value is not a spelling of false. */
export function isSwitchedOn(read: ReadArgv, name: string): boolean {
  const last = read.flags.get(name)?.at(-1);
  return last !== undefined && !/^(?:0|f|false)$/i.test(last);
}

/** The last value of a flag, which is the one that counts in pflag; undefined when absent. */
export function lastValue(read: ReadArgv, name: string): string | undefined {
  return read.flags.get(name)?.at(-1);
}

class Reader {
  readonly #args: readonly string[];
  readonly #grammar: ArgvGrammar;
  readonly #words: string[] = [];
  readonly #flags = new Map<string, string[]>();
  readonly #strange: string[] = [];
  #at = 0;

  constructor(args: readonly string[], grammar: ArgvGrammar) {
    this.#args = args;
    this.#grammar = grammar;
  }

  read(): ReadArgv {
    let rest: readonly string[] | undefined;
    while (this.#at < this.#args.length) {
      const arg = this.#args[this.#at++] ?? "";
      if (arg === "--") {
        rest = this.#args.slice(this.#at);
        break;
      }
      if (arg.startsWith("--")) this.#long(arg, arg.slice(2));
      else if (arg.length > 1 && arg.startsWith("-")) {
        if (this.#grammar.singleDashLong) this.#long(arg, arg.slice(1));
        else this.#short(arg);
      } else {
        this.#words.push(arg);
        if (this.#grammar.stopAtWord) {
          rest = this.#args.slice(this.#at);
          break;
        }
      }
    }
    return { words: this.#words, flags: this.#flags, rest, strange: this.#strange };
  }

  #long(arg: string, text: string): void {
    const equals = text.indexOf("=");
    const name = this.#nameOf(equals === -1 ? text : text.slice(0, equals));
    if (equals !== -1) {
      if (this.#isKnown(name)) this.#file(name, text.slice(equals + 1));
      else this.#strange.push(arg);
    } else if (this.#grammar.values.has(name)) this.#takeNext(arg, name);
    else if (this.#grammar.switches.has(name)) this.#file(name, "true");
    else if (this.#grammar.optional?.has(name)) this.#file(name, "");
    else this.#strange.push(arg);
  }

  /** A bundle: switches one letter each, until a letter takes the rest of the word or the next one. */
  #short(arg: string): void {
    for (let i = 1; i < arg.length; i++) {
      const name = this.#nameOf(arg[i] ?? "");
      const tail = arg.slice(i + 1);
      if (!this.#isKnown(name)) {
        this.#strange.push(arg);
        return;
      }
      if (tail.startsWith("=")) {
        this.#file(name, tail.slice(1));
        return;
      }
      if (this.#grammar.values.has(name)) {
        if (tail === "") this.#takeNext(arg, name);
        else this.#file(name, tail);
        return;
      }
      this.#file(name, this.#grammar.switches.has(name) ? "true" : "");
    }
  }

  #takeNext(arg: string, name: string): void {
    const value = this.#args[this.#at];
    if (value === undefined) this.#strange.push(arg);
    else {
      this.#at++;
      this.#file(name, value);
    }
  }

  #nameOf(written: string): string {
    return this.#grammar.aliases?.get(written) ?? written;
  }

  #isKnown(name: string): boolean {
    const { values, switches, optional } = this.#grammar;
    return values.has(name) || switches.has(name) || optional?.has(name) === true;
  }

  #file(name: string, value: string): void {
    const values = this.#flags.get(name);
    if (values === undefined) this.#flags.set(name, [value]);
    else values.push(value);
  }
}
