// The effect of a held request as lines, for `approval show`, the interactive watch and undo alike.
// Values come from a cluster: the caller escapes the lines before printing them.

import type { EffectReport } from "../../api/effect-report.ts";

/** How a line is painted. */
export type EffectTone = "plain" | "strong" | "faint" | "good" | "bad" | "warn";

/** One line. */
export interface EffectLine {
  readonly tone: EffectTone;
  readonly text: string;
}

const TONES = { "+": "good", "-": "bad", "~": "plain" } as const;
/** Objects that are listed one by one; more are counted. */
const LISTED = 40;

/** All that is known of an effect. */
export function effectLines(effect: EffectReport): readonly EffectLine[] {
  if (effect.state === "none") return [{ tone: "warn", text: `no preview: ${effect.about}` }];
  const lines: EffectLine[] = [{ tone: "strong", text: effect.about }];
  for (const { sign, path, before, after } of effect.changes ?? [])
    lines.push({
      tone: TONES[sign],
      text: `${sign} ${path}: ${[before, after].filter((each) => each !== undefined).join(" -> ")}`,
    });
  if (effect.more_changes !== undefined)
    lines.push({ tone: "warn", text: `and ${effect.more_changes} more fields` });
  lines.push(...removedLines(effect));
  if (effect.incomplete !== undefined)
    lines.push({ tone: "warn", text: `there may be more; ${effect.incomplete}` });
  for (const note of effect.notes ?? []) lines.push({ tone: "warn", text: `note: ${note}` });
  if (effect.held_to !== undefined) lines.push({ tone: "faint", text: effect.held_to });
  return lines;
}

function removedLines({
  removed = [],
  removed_total = removed.length,
  removed_kinds = {},
}: EffectReport): EffectLine[] {
  if (removed_total < 2) return [];
  const kinds = Object.entries(removed_kinds).map(([kind, number]) => `${number} ${kind}`);
  const lines: EffectLine[] = [{ tone: "plain", text: `${removed_total} objects: ${kinds.join(", ")}` }];
  for (const { kind, namespace, name } of removed.slice(0, LISTED))
    lines.push({ tone: "bad", text: `- ${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}` });
  const more = removed_total - Math.min(removed.length, LISTED);
  if (more > 0) lines.push({ tone: "bad", text: `- and ${more} more` });
  return lines;
}
