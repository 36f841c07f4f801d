// Guesses the word that a person meant instead of one that is not allowed, for the policy and the
// command line alike. Only for hints: nothing is ever corrected silently.

/** Words people use for something that is spelled otherwise here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  k8s: "kubectl",
  kubernetes: "kubectl",
  kube: "kubectl",
  kustomize: "kubectl",
  eks: "kubectl",
  gke: "kubectl",
  aks: "kubectl",
  gcp: "gcloud",
  google: "gcloud",
  gh: "github",
  tofu: "terraform",
  opentofu: "terraform",
  wrangler: "cloudflare",
  flarectl: "cloudflare",
  cf: "cloudflare",
  flyctl: "fly",
  amazon: "aws",
  http: "generic",
  https: "generic",
  other: "generic",
  any: "generic",
  block: "deny",
  reject: "deny",
  refuse: "deny",
  forbid: "deny",
  drop: "deny",
  ask: "escalate",
  approve: "escalate",
  approval: "escalate",
  prompt: "escalate",
  hold: "escalate",
  review: "escalate",
  permit: "allow",
  accept: "allow",
  pass: "allow",
  read: "observe",
  readonly: "observe",
  "read-only": "observe",
  view: "observe",
  write: "modify",
  mutate: "modify",
  operate: "modify",
  edit: "modify",
  destructive: "sensitive",
  delete: "sensitive",
  secret: "sensitive",
  admin: "break-glass",
  breakglass: "break-glass",
  break_glass: "break-glass",
  critical: "break-glass",
  dangerous: "break-glass",
  hosts: "inspect",
  host: "inspect",
  intercept: "inspect",
  fallback: "default",
  policy: "rules",
  name: "names",
  command: "commands",
  cmd: "commands",
  verbs: "commands",
  tier: "tiers",
  group: "groups",
  organizations: "orgs",
  organisations: "orgs",
  repositories: "repos",
};

/** The allowed word nearest to the written one, or undefined when none is near. Longer words may be further off. */
export function nearestWord(written: string, allowed: readonly string[]): string | undefined {
  const word = written.trim().toLowerCase();
  if (word.length > 60) return undefined;
  const synonym = Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word] : undefined;
  if (synonym !== undefined && allowed.includes(synonym)) return synonym;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of allowed) {
    const distance = editDistance(word, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A hint that names the nearest allowed word, if any, and the allowed words (at most a dozen). */
export function allowedHint(written: string, allowed: readonly string[]): string {
  const near = nearestWord(written, allowed);
  const listed = allowed.length > 12 ? `${allowed.slice(0, 12).join(", ")}, …` : allowed.join(", ");
  const list = allowed.length === 0 ? "nothing is allowed here" : `allowed: ${listed}`;
  return near === undefined ? list : `did you mean '${near}'? ${list}`;
}

/** Whether one word is most likely the other one mistyped: one slip, in a longer word two. */
export function isSlipOf(typed: string, meant: string): boolean {
  const slips = editDistance(typed, meant, 3);
  return slips > 0 && slips <= (Math.min(typed.length, meant.length) > 8 ? 2 : 1);
}

/**
 * Optimal string alignment: a swap of neighbours counts once, as it is the commonest slip. Exact below `limit`, else
 * some number from there on. A hint tries thousands of words, of which nearly all are far off, so that only the cells
 * around the diagonal are filled, and only until all of them are too many slips.
 */
function editDistance(a: string, b: string, limit: number): number {
  let [start, aEnd, bEnd] = [0, a.length, b.length];
  while (start < aEnd && start < bEnd && a.charCodeAt(start) === b.charCodeAt(start)) start += 1;
  while (aEnd > start && bEnd > start && a.charCodeAt(aEnd - 1) === b.charCodeAt(bEnd - 1)) {
    aEnd -= 1;
    bEnd -= 1;
  }
  const [rows, columns] = [aEnd - start, bEnd - start];
  if (Math.abs(rows - columns) >= limit) return limit;
  if (rows === 0 || columns === 0) return rows + columns;
  let before: number[] = [];
  let last = Array.from({ length: columns + 1 }, (_, index) => index);
  let row: number[] = [];
  let [least, leastBefore] = [0, 0];
  for (let i = 1; i <= rows; i++) {
    const from = Math.max(1, i - limit + 1);
    const to = Math.min(columns, i + limit - 1);
    row[from - 1] = from === 1 ? i : limit;
    leastBefore = least;
    least = limit;
    const here = a.charCodeAt(start + i - 1);
    for (let j = from; j <= to; j++) {
      const there = b.charCodeAt(start + j - 1);
      let cost = (last[j - 1] ?? limit) + (here === there ? 0 : 1);
      cost = Math.min(cost, (last[j] ?? limit) + 1, (row[j - 1] ?? limit) + 1);
      if (i > 1 && j > 1 && here === b.charCodeAt(start + j - 2) && a.charCodeAt(start + i - 2) === there)
        cost = Math.min(cost, (before[j - 2] ?? limit) + 1);
      row[j] = cost;
      if (cost < least) least = cost;
    }
    if (to < columns) row[to + 1] = limit;
    // A swap goes over one row.
    if (least >= limit && leastBefore + 1 >= limit) return limit;
    [before, last, row] = [last, row, before];
  }
  return last[columns] ?? limit;
}
