// Durations as people type and read them: `30s`, `1h30m`, `250ms`. The syntax is Go's
// time.ParseDuration without the sign and the units below a millisecond, and with `d` for days.

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;
const UNIT_MS: ReadonlyMap<string, number> = new Map(UNITS);
const WHOLE = /^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|[smhd]))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g;

/** Milliseconds, rounded, or undefined when the text is not a duration (a number without unit is none). */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (text.length > 64 || !WHOLE.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART))
    total += Number(amount) * (UNIT_MS.get(unit ?? "") ?? 0);
  return Math.round(total);
}

/** The two largest units, rounded down, zeros left out: `4s`, `1h30m`, `2d`; under a second `250ms`; negative as zero. */
export function renderDuration(ms: number): string {
  if (!(ms >= 1)) return "0s";
  if (ms < 1000) return `${Math.floor(ms)}ms`;
  let rest = ms;
  let text = "";
  let left = 2;
  for (const [unit, size] of UNITS) {
    if (left === 0 || unit === "ms") break;
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
    if (text !== "") left -= 1;
  }
  return text;
}
