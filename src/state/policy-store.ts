// The policy in force. A file that does not load changes nothing: the last good one stays, and the problem is
// there to be shown. There is no moment without a policy: `current` is replaced by assignment, after compiling.

import { UserError } from "../model/user-error.ts";
import { DEFAULT_POLICY } from "../policy/default-policy.ts";
import { type PolicyProblem, parsePolicy } from "../policy/parse/parse.ts";
import type { Policy } from "../policy/policy.ts";
import { writeFileAtomic } from "./files.ts";
import type { StatePaths } from "./paths.ts";
import { type FileContent, WatchedFile } from "./watched-file.ts";

/** What a look at the file led to. `unchanged`: the text is the one in force. */
export type PolicyReload =
  | {
      readonly kind: "loaded";
      readonly policy: Policy;
      readonly revision: number;
      readonly warnings: readonly PolicyProblem[];
    }
  | { readonly kind: "failed"; readonly problem: string; readonly problems: readonly PolicyProblem[] }
  | { readonly kind: "unchanged" };

/** A reload that listeners hear of. */
export type PolicyChange = Exclude<PolicyReload, { kind: "unchanged" }>;

/** Holds the compiled policy and follows the file. */
export class PolicyStore {
  readonly #file: WatchedFile;
  readonly #listeners = new Set<(change: PolicyChange) => void>();
  #current: Policy;
  #revision = 1;
  #reloadProblem: string | undefined;
  #warnings: readonly PolicyProblem[];

  private constructor(path: string, policy: Policy, warnings: readonly PolicyProblem[]) {
    this.#current = policy;
    this.#warnings = warnings;
    this.#file = new WatchedFile(path, (content) => {
      this.#apply(content);
    });
  }

  /** Seeds the default policy when there is none, loads, and starts to watch. Throws a `UserError` when the file is not valid. */
  static async open(paths: StatePaths): Promise<PolicyStore> {
    const first = new WatchedFile(paths.policy, () => {});
    let content = await first.read();
    if (content.kind === "missing") {
      await writeFileAtomic(paths.policy, DEFAULT_POLICY);
      content = await first.read();
    }
    const parsed = compile(content);
    if (!("policy" in parsed))
      throw new UserError(`cannot load "${paths.policy}": ${parsed.problem}`, {
        hint: `correct the file, or move it away to start with the default policy (iddio policy validate --path "${paths.policy}" checks it)`,
      });
    const store = new PolicyStore(paths.policy, parsed.policy, parsed.warnings);
    // What the store read is what it compiled; should the file have changed in between, this read notices.
    store.#apply(await store.#file.read());
    store.#file.start();
    return store;
  }

  /** The policy in force; immutable, so a caller that keeps it for one request sees one policy. */
  get current(): Policy {
    return this.#current;
  }

  /** Counts up with each policy that comes into force; starts at 1. */
  get revision(): number {
    return this.#revision;
  }

  /** Why the file on disk is not what is enforced; undefined when it is. */
  get reloadProblem(): string | undefined {
    return this.#reloadProblem;
  }

  /** Warnings of the policy in force. */
  get warnings(): readonly PolicyProblem[] {
    return this.#warnings;
  }

  /** Reads the file now, whether or not it seems changed. Listeners hear of the result too, unless nothing changed. */
  async reload(): Promise<PolicyReload> {
    return this.#apply(await this.#file.read());
  }

  /** Calls on every load and every failure to load, after `current` is set. Returns the way to stop. */
  onChange(listener: (change: PolicyChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Stops watching. */
  close(): void {
    this.#file.close();
    this.#listeners.clear();
  }

  #apply(content: FileContent): PolicyReload {
    if (content.kind === "text" && content.text === this.#current.text) {
      if (this.#reloadProblem === undefined) return { kind: "unchanged" };
      this.#reloadProblem = undefined; // a broken edit was taken back: the same policy, now in step with the file
      return this.#tell({
        kind: "loaded",
        policy: this.#current,
        revision: this.#revision,
        warnings: this.#warnings,
      });
    }
    const parsed = compile(content);
    if (!("policy" in parsed)) {
      this.#reloadProblem = parsed.problem;
      return this.#tell({ kind: "failed", problem: parsed.problem, problems: parsed.problems });
    }
    this.#current = parsed.policy;
    this.#warnings = parsed.warnings;
    this.#revision++;
    this.#reloadProblem = undefined;
    return this.#tell({
      kind: "loaded",
      policy: parsed.policy,
      revision: this.#revision,
      warnings: parsed.warnings,
    });
  }

  #tell(change: PolicyChange): PolicyChange {
    for (const listener of this.#listeners) listener(change);
    return change;
  }
}

type Compiled =
  | { readonly policy: Policy; readonly warnings: readonly PolicyProblem[] }
  | { readonly problem: string; readonly problems: readonly PolicyProblem[] };

function compile(content: FileContent): Compiled {
  if (content.kind === "missing") return { problem: "the file is missing", problems: [] };
  if (content.kind === "unreadable") return { problem: content.why, problems: [] };
  const parsed = parsePolicy(content.text);
  if ("policy" in parsed) return parsed;
  return { problem: describe(parsed.problems), problems: parsed.problems };
}

function describe(problems: readonly PolicyProblem[]): string {
  const errors = problems.filter(({ severity }) => severity === "error");
  const shown = errors
    .slice(0, 20)
    .map((each) => `line ${each.line}, column ${each.column}: ${each.message}`);
  if (errors.length > shown.length) shown.push(`and ${errors.length - shown.length} more`);
  return shown.join("\n  ");
}
