// Whether a script concerns no protocol, decided without reading it as a shell does and without any
// classifier: most of what an agent runs is of this kind, and its hook then answers before anything
// else is loaded. Any other script is read in full by classify-script.ts.

import { bareName, guardedNameIn, JUDGED_PROGRAMS } from "./guarded-names.ts";
import { WRAPPERS } from "./programs/wrappers.ts";

/** Words that are no program where a program would be. */
const RESERVED: ReadonlySet<string> = new Set(
  "if then elif else fi for while until do done case esac select in function time coproc".split(" "),
);

/** Words of letters, digits and harmless signs, in lists and pipes; no quote, no expansion, no redirection. */
const PLAIN =
  /^ *[\w./:,+@%=-]+(?: +[\w./:,+@%=-]+)*(?: *(?:&&|\|\||\||;) *[\w./:,+@%=-]+(?: +[\w./:,+@%=-]+)*)* *$/;
/** `.` where a program would be: it runs what is sent to it. */
const DOT = /(?:^|[|&;]) *\. /;
const LENGTH_MAX = 1_000;

/** True only for a script in which nothing concerns any protocol; false says nothing. */
export function isPlainlyHarmless(text: string): boolean {
  if (text.length > LENGTH_MAX || !PLAIN.test(text) || DOT.test(text)) return false;
  // A name counts wherever it stands: in a path, in an assignment, with `.exe` behind it.
  const names = text.split(/[^\w.-]+/).flatMap((each) => [each.toLowerCase(), bareName(each)]);
  if (names.some((name) => JUDGED_PROGRAMS.has(name) || RESERVED.has(name) || WRAPPERS.has(name)))
    return false;
  return guardedNameIn(text) === undefined;
}
