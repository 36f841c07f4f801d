// The problems of a policy file, each with its place. Collects them instead of stopping at the
// first, because a person who edits a policy wants the whole list once.

/** One finding. Lower case, values quoted, no full stop; the hint says what to write instead. */
export interface PolicyProblem {
  readonly message: string;
  readonly hint?: string;
  /** `kubectl.namespaces[0].rules.deny.groups[0]`; "" for the file as a whole. */
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** A warning does not keep the policy from loading. */
  readonly severity: "error" | "warning";
}

/** A place in the file, 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Findings shown at most; a generated file with one mistake per line would otherwise drown its reader. */
export const MAX_PROBLEMS = 200;

/** Gathers findings in file order. */
export class Problems {
  readonly #found: PolicyProblem[] = [];
  #errors = 0;

  /** Records what keeps the policy from loading. */
  error(at: Position, path: string, message: string, hint?: string): void {
    this.#errors++;
    this.#add("error", at, path, message, hint);
  }

  /** Records an oddity that does no harm. */
  warn(at: Position, path: string, message: string, hint?: string): void {
    this.#add("warning", at, path, message, hint);
  }

  /** Whether anything keeps the policy from loading. */
  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  /** Every finding by line and column, errors before warnings at one place, cut after `MAX_PROBLEMS` with a note. */
  sorted(): readonly PolicyProblem[] {
    const inOrder = [...this.#found].sort(byPlace);
    if (inOrder.length <= MAX_PROBLEMS) return inOrder;
    const [errors, warnings] = [inOrder.filter(isError), inOrder.filter((one) => !isError(one))];
    // Warnings must not crowd out what keeps the policy from loading.
    const shown = [...errors, ...warnings].slice(0, MAX_PROBLEMS).sort(byPlace);
    const severity = this.hasErrors ? "error" : "warning";
    const message = `${inOrder.length - MAX_PROBLEMS} more problems are not shown`;
    return [...shown, { message, path: "", line: 1, column: 1, severity }];
  }

  #add(severity: "error" | "warning", at: Position, path: string, message: string, hint?: string): void {
    const { line, column } = at;
    this.#found.push({ message, ...(hint === undefined ? {} : { hint }), path, line, column, severity });
  }
}

function isError(problem: PolicyProblem): boolean {
  return problem.severity === "error";
}

function byPlace(a: PolicyProblem, b: PolicyProblem): number {
  return a.line - b.line || a.column - b.column || Number(isError(b)) - Number(isError(a));
}

/** The path of a key below another path; keys that are not plain words are quoted. */
export function childPath(parent: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${parent}[${JSON.stringify(key.slice(0, 60))}]`;
  return parent === "" ? key : `${parent}.${key}`;
}
