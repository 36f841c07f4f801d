// Reads and runs the transcripts in scripts/. A transcript is what a user would see, so that it can
// be read as documentation and checked as a test:
//
//   # a remark                          says what the next lines prove
//   $ iddio status                      a command, run by bash in the home directory of this transcript
//   > more of it                        a further line of the command (for here-documents)
//   up                                  a line expected on stdout; [..] stands for anything in a line,
//                                       a line of three dots for any lines
//   ! Error: no                         a line expected on stderr
//   exit 1                              the expected exit code, 0 when not given
//   & curl …                            a command in the background; `wait` collects it, its lines follow
//   until iddio status --quiet          repeats until it succeeds, at most a minute
//   daemon / upstream                   starts one; $PROXY and $UPSTREAM are its address from then on
//   after pins                          goes on in the home, and with the daemon, that pins.txt left
//
// $HOME, $PROXY and $UPSTREAM are replaced in expected lines too.

/** One step of a transcript. */
export interface Step {
  readonly line: number;
  readonly kind: "run" | "background" | "wait" | "until" | "daemon" | "upstream" | "after";
  readonly command: string;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly exitCode: number;
}

/** Takes a transcript apart. Throws on a line that belongs to no step. */
export function parseTranscript(text: string): Step[] {
  const steps: { -readonly [K in keyof Step]: Step[K] extends readonly string[] ? string[] : Step[K] }[] = [];
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (line.startsWith("# ") || line === "") continue;
    const start = startOf(line);
    if (start !== undefined) {
      steps.push({ ...start, line: index + 1, stdout: [], stderr: [], exitCode: 0 });
      continue;
    }
    const step = steps.at(-1);
    if (step === undefined) throw new Error(`line ${index + 1}: expected output before any command`);
    if (line.startsWith("> ")) step.command += `\n${line.slice(2)}`;
    else if (line === ">") step.command += "\n";
    else if (/^exit \d+$/.test(line)) step.exitCode = Number(line.slice(5));
    else if (line.startsWith("! ")) step.stderr.push(line.slice(2));
    else step.stdout.push(line);
  }
  return steps;
}

function startOf(line: string): { kind: Step["kind"]; command: string } | undefined {
  if (line.startsWith("$ ")) return { kind: "run", command: line.slice(2) };
  if (line.startsWith("& ")) return { kind: "background", command: line.slice(2) };
  if (line.startsWith("until ")) return { kind: "until", command: line.slice(6) };
  if (line.startsWith("after ")) return { kind: "after", command: line.slice(6) };
  if (line === "wait" || line === "daemon" || line === "upstream") return { kind: line, command: "" };
  return undefined;
}

/** Whether the output is what was expected, wildcards applied. Blank lines of the output do not count. */
export function matches(expected: readonly string[], output: string): boolean {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return matchLines(expected, lines);
}

function matchLines(expected: readonly string[], lines: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return lines.length === 0;
  if (first === "...") {
    for (let skip = 0; skip <= lines.length; skip += 1) if (matchLines(rest, lines.slice(skip))) return true;
    return false;
  }
  const [line, ...others] = lines;
  return line !== undefined && patternOf(first).test(line) && matchLines(rest, others);
}

function patternOf(expected: string): RegExp {
  const parts = expected.split("[..]").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
