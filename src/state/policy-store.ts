// The policy in force. A file that does not load changes nothing: the last good one stays, and the
// problem is there to be shown. There is no moment without a policy: `current` is replaced by
// assignment, after compiling.

import { UserError } from "../model/user-error.ts";
import { isNarrowerPolicy } from "../policy/compare/narrower.ts";
import type { DryPolicy } from "../policy/decide/dry-verdict.ts";
import { DEFAULT_POLICY } from "../policy/default-policy.ts";
import { newCommandProblems } from "../policy/lint/known-commands.ts";
import { type PolicyProblem, parsePolicy } from "../policy/parse/parse.ts";
import type { CentralPolicy, Policy } from "../policy/policy.ts";
import { removedEntries } from "../policy/removed-entries.ts";
import { writeFileAtomic } from "./files.ts";
import type { StatePaths } from "./paths.ts";
import { readTrusted } from "./trusted-file.ts";
import { type FileContent, WatchedFile } from "./watched-file.ts";

/** The result of a look at the file. `unchanged`: the text is the one in force. */
export type PolicyReload =
  | {
      readonly kind: "loaded";
      readonly policy: Policy;
      readonly revision: number;
      readonly warnings: readonly PolicyProblem[];
      /** Inspect entries of the policy before that this one does not have: `kubectl: *.example.com`. */
      readonly removed: readonly string[];
    }
  | { readonly kind: "failed"; readonly problem: string; readonly problems: readonly PolicyProblem[] }
  /** The file may let more through than the policy in force, so a person must load it. */
  | { readonly kind: "waiting"; readonly problem: string }
  | { readonly kind: "unchanged" };

/** A reload that listeners hear of. */
export type PolicyChange = Exclude<PolicyReload, { kind: "unchanged" }>;

/** Whose consent a wider text needs, and the text that was last in force with it. */
export interface Consent {
  /** Whether a wider text waits for a person. */
  readonly isNeeded: () => boolean;
  /** The text that was last in force. */
  readonly approved: () => string | undefined;
  readonly approve: (text: string) => void;
}

const WAITS =
  "the file on disk may let more through than the policy in force; load it with: iddio policy reload";

/** Holds the compiled policy and follows the file. */
export class PolicyStore {
  readonly #consent: Consent | undefined;
  readonly #file: WatchedFile;
  readonly #listeners = new Set<(change: PolicyChange) => void>();
  #current: Policy;
  #central: CentralPolicy | undefined;
  #tried: { readonly revision: number; readonly central: CentralPolicy } | undefined;
  #dry: DryPolicy | undefined;
  /** Both together. */
  #inForce: Policy;
  #revision = 1;
  #reloadProblem: string | undefined;
  #warnings: readonly PolicyProblem[];
  #removed: readonly string[] = [];
  readonly #keepPath: string;
  #keeping: Promise<unknown> = Promise.resolve();

  private constructor(
    paths: StatePaths,
    policy: Policy,
    warnings: readonly PolicyProblem[],
    consent: Consent | undefined,
  ) {
    this.#current = policy;
    this.#inForce = policy;
    this.#warnings = warnings;
    this.#consent = consent;
    this.#keepPath = paths.policyInForce;
    this.#file = new WatchedFile(paths.policy, (content) => {
      this.#apply(content, false);
    });
  }

  /**
   * Seeds the default policy when there is none, loads, and starts to watch. A file that has become wider while nobody
   * watched waits, and the text that was last approved is in force. Throws a `UserError` when the file is not valid.
   */
  static async open(paths: StatePaths, consent?: Consent): Promise<PolicyStore> {
    const first = new WatchedFile(paths.policy, () => {});
    let content = await first.read();
    if (content.kind === "missing") {
      await writeFileAtomic(paths.policy, DEFAULT_POLICY);
      content = await first.read();
    }
    const kept = await readTrusted(paths.policyInForce, MAX_KEPT_BYTES).catch(() => undefined);
    // A machine that went down while the file was written left its beginning: the previous policy stays in
    // force.
    const isCut = kept !== undefined && content.kind === "text" && isBeginningOf(content.text, kept);
    const parsed = compile(isCut ? { kind: "text", text: kept } : content);
    if (!("policy" in parsed))
      throw new UserError(`cannot load '${paths.policy}': ${parsed.problem}`, {
        hint: `correct the file, or move it away to start with the default policy (iddio policy validate --policy '${paths.policy}' checks it)`,
      });
    const approved = approvedPolicy(consent, parsed.policy);
    const store = new PolicyStore(paths, approved ?? parsed.policy, parsed.warnings, consent);
    if (approved === undefined) consent?.approve(parsed.policy.text);
    // The store compiled the text that it read; should the file have changed in between, this read notices.
    store.#apply(await store.#file.read(), false);
    store.#keep();
    await store.#keeping;
    store.#file.start();
    return store;
  }

  /** The policy in force; immutable, so a caller that keeps it for one request sees one policy. */
  get current(): Policy {
    return this.#inForce;
  }

  /** The policy of policy.yaml alone, without the control plane's. */
  get local(): Policy {
    return this.#current;
  }

  /** Puts a control plane's policy beside policy.yaml, or takes it away. Listeners hear of it as of a load. */
  setCentral(central: CentralPolicy | undefined): void {
    if (central === undefined && this.#central === undefined) return;
    this.#central = central;
    this.#combine();
    this.#revision++;
    const about = { policy: this.current, revision: this.#revision, warnings: this.#warnings };
    this.#tell({ kind: "loaded", ...about, removed: [] });
  }

  /** The control plane's policy that is only tried: judged beside the one in force, and told where it differs. */
  get dry(): DryPolicy | undefined {
    return this.#dry;
  }

  /** Tries a control plane's policy, or ends that. Nothing in force changes. */
  setDry(tried: { readonly revision: number; readonly central: CentralPolicy } | undefined): void {
    this.#tried = tried;
    this.#combine();
  }

  #combine(): void {
    const central = this.#central;
    const tried = this.#tried;
    this.#dry = tried && {
      revision: tried.revision,
      policy: { ...this.#current, central: tried.central },
    };
    this.#inForce = central === undefined ? this.#current : { ...this.#current, central };
  }

  /** Counts up with each policy that comes into force; starts at 1. */
  get revision(): number {
    return this.#revision;
  }

  /** Why the file on disk is not enforced; undefined when it is. */
  get reloadProblem(): string | undefined {
    return this.#reloadProblem;
  }

  /** Warnings of the policy in force. */
  get warnings(): readonly PolicyProblem[] {
    return this.#warnings;
  }

  /** Inspect entries that went away with the last change. */
  get removed(): readonly string[] {
    return this.#removed;
  }

  /** When the file was last looked at, in milliseconds since 1970. */
  get lookedMs(): number {
    return this.#file.lookedMs;
  }

  /**
   * Reads the file now, whether or not it seems changed; somebody asked for it, so a text that could be cut off is
   * taken too. Listeners hear of the result, unless nothing changed. `hasConsent`: a person is present, so a wider
   * text is taken.
   */
  async reload(hasConsent = false): Promise<PolicyReload> {
    return this.#apply(await this.#file.read(), true, hasConsent);
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

  #apply(content: FileContent, isAskedFor: boolean, hasConsent = false): PolicyReload {
    if (content.kind === "text" && content.text === this.#current.text) {
      if (this.#reloadProblem === undefined) return { kind: "unchanged" };
      this.#reloadProblem = undefined; // a broken edit was taken back: the same policy, now in step with the file
      return this.#tell({
        kind: "loaded",
        policy: this.current,
        revision: this.#revision,
        warnings: this.#warnings,
        removed: [],
      });
    }
    const isCut = content.kind === "text" && isBeginningOf(content.text, this.#current.text);
    const read = compile(content);
    const parsed = isCut && !isAskedFor && "policy" in read ? { problem: CUT_OFF, problems: [] } : read;
    if (!("policy" in parsed)) {
      // One line: status, doctor and `policy show` print it as a value.
      const problem = parsed.problem.replaceAll("\n  ", "; ");
      const isTold = this.#reloadProblem === problem && isCut;
      this.#reloadProblem = problem;
      const failed = { kind: "failed", problem: parsed.problem, problems: parsed.problems } as const;
      return isTold ? failed : this.#tell(failed);
    }
    const isFree = hasConsent || this.#consent?.isNeeded() !== true;
    if (!isFree && !isNarrowerPolicy(this.#current.text, parsed.policy.text)) {
      this.#reloadProblem = WAITS;
      return this.#tell({ kind: "waiting", problem: WAITS });
    }
    const commands = newCommandProblems(parsed.policy, this.#current);
    if (commands.some(({ severity }) => severity === "error")) {
      const problem = describe(commands);
      this.#reloadProblem = problem.replaceAll("\n  ", "; ");
      return this.#tell({ kind: "failed", problem, problems: commands });
    }
    this.#consent?.approve(parsed.policy.text);
    this.#removed = removedEntries(this.#current, parsed.policy);
    this.#current = parsed.policy;
    this.#combine();
    this.#warnings = [...parsed.warnings, ...commands];
    this.#revision++;
    this.#reloadProblem = undefined;
    this.#keep();
    return this.#tell({
      kind: "loaded",
      policy: this.current,
      revision: this.#revision,
      warnings: this.#warnings,
      removed: this.#removed,
    });
  }

  /** Keeps the text for the next start. A disk that is full costs only that. */
  #keep(): void {
    const { text } = this.#current;
    const write = async () => {
      const known = await readTrusted(this.#keepPath, MAX_KEPT_BYTES).catch(() => undefined);
      if (known !== text) await writeFileAtomic(this.#keepPath, text);
    };
    this.#keeping = this.#keeping.then(write).catch(() => undefined);
  }

  #tell(change: PolicyChange): PolicyChange {
    for (const listener of this.#listeners) listener(change);
    return change;
  }
}

const MAX_KEPT_BYTES = 8 * 1024 * 1024;

const CUT_OFF =
  "the file is only the beginning of the policy in force, as a write that was interrupted leaves it; if it is meant: iddio policy reload";

/** Whether a text is another one cut off. Blank lines at the end do not count. */
function isBeginningOf(text: string, whole: string): boolean {
  return text.length < whole.length && whole.startsWith(text) && text.trimEnd() !== whole.trimEnd();
}

/** The approved policy, where it and not the file is to be in force. */
function approvedPolicy(consent: Consent | undefined, fromFile: Policy): Policy | undefined {
  const text = consent?.approved();
  if (consent?.isNeeded() !== true || text === undefined || isNarrowerPolicy(text, fromFile.text))
    return undefined;
  // A text that an older iddio approved may not load any more; then the file is used.
  const parsed = parsePolicy(text);
  return "policy" in parsed ? parsed.policy : undefined;
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
