// `npm run truth [-- --misses <corpus>] [--only <corpus>] [--raise]`: the scores as a table, the
// rows that miss, and floors lifted to what is reached.

import { CORPORA, readCorpus } from "./corpora.ts";
import { raiseFloors } from "./floors.ts";
import { type Miss, type Score, scoreCorpus } from "./score.ts";

const args = process.argv.slice(2);
const wanted = optionValue("--misses");
const only = wanted ?? optionValue("--only");
const scores: Score[] = [];
for (const corpus of CORPORA) {
  if (only !== undefined && only !== "all" && corpus !== only) continue;
  scores.push(scoreCorpus(corpus, readCorpus(corpus)));
}
if (scores.length === 0) write(`no corpus "${only}"`);
else {
  if (wanted !== undefined)
    for (const score of scores) for (const miss of score.misses) write(describe(miss));
  write(renderTable(scores));
  if (args.includes("--raise")) raiseFloors(scores);
}

function renderTable(rows: readonly Score[]): string {
  const total = rows.reduce((sum, score) => ({
    ...score,
    corpus: "all",
    rows: sum.rows + score.rows,
    within: sum.within + score.within,
    below: sum.below + score.below,
    unknown: sum.unknown + score.unknown,
    labelsWrong: sum.labelsWrong + score.labelsWrong,
    commandsWrong: sum.commandsWrong + score.commandsWrong,
  }));
  const lines = [["corpus", "rows", "within", "below", "unknown", "labels wrong", "commands wrong"]];
  for (const score of rows.length > 1 ? [...rows, total] : rows)
    lines.push([
      score.corpus,
      String(score.rows),
      percent(score.within, score.rows),
      String(score.below),
      percent(score.unknown, score.rows),
      String(score.labelsWrong),
      String(score.commandsWrong),
    ]);
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

function describe({ row, answer, isBelow, isTierWrong, areLabelsWrong, isCommandWrong }: Miss): string {
  const marks = [
    isBelow ? "BELOW" : isTierWrong ? "tier" : "",
    areLabelsWrong ? "labels" : "",
    isCommandWrong ? "command" : "",
  ];
  const what = row.argv?.join(" ") ?? `${row.method} ${row.url}`;
  const got = `${answer.tier} "${answer.command}" ${JSON.stringify(answer.labels)} (${answer.reason})`;
  const want = `${row.acceptable_tiers.join("|")} "${row.expected_command ?? ""}" ${JSON.stringify(row.expected_scope ?? {})}`;
  return `${row.id} [${marks.filter((mark) => mark !== "").join(" ")}] ${what}\n    got  ${got}\n    want ${want} (${row.why})`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(2)} %`;
}

function optionValue(name: string): string | undefined {
  const at = args.indexOf(name);
  return at === -1 ? undefined : (args[at + 1] ?? "all");
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
