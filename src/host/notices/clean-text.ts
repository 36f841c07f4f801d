// Texts of a request on their way to where people read: hiding and reordering characters become
// visible, then the text is cut to its room. In this order, so that no escape is cut in half, and
// nothing comes back by being cut.

import { escapeForTerminal, escapeLinesForTerminal } from "../../text/escape.ts";
import type { Notice } from "./notice.ts";

/** One line, at most `max` characters. */
export function clampedLine(text: string, max: number): string {
  return clamp(escapeForTerminal(text), max);
}

/** Several lines, at most `max` characters. */
export function clampedLines(text: string, max: number): string {
  return clamp(escapeLinesForTerminal(text), max);
}

/** Cuts at whole characters and says so by an ellipsis. */
export function clamp(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max - 1);
  // Half of a surrogate pair is no character, and half of an entity is another one.
  return `${cut.replace(/[\ud800-\udbff]$/, "").replace(/&[a-z]{0,4}$/, "")}…`;
}

/** Facts of a question as names and values, each in one line; empty ones are left out. */
export function factsOf(notice: Notice): readonly (readonly [name: string, value: string])[] {
  const labels = Object.entries(notice.labels).slice(0, 12);
  const facts: (readonly [string, string])[] = [
    ["command", `${notice.protocol}: ${notice.command}`],
    ["tier", notice.tier],
    ["target", notice.target],
    ...labels,
    ["asked by", notice.askedBy],
    ["machine", notice.machine],
    ["rule", notice.rule],
    ["reason", notice.reason],
  ];
  return facts
    .filter(([, value]) => value !== "")
    .map(([name, value]) => [clampedLine(name, 40), clampedLine(value, 300)] as const);
}

/** The beginning of a digest, as the card and every other view of the question show it. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

/** How it ended, as a clause. */
export function endOf({ outcome = "", by, note }: Notice): string {
  const verb = outcome.replaceAll("_", " ");
  const who = by === undefined || by === "" ? "" : ` by ${clampedLine(by, 100)}`;
  return `${verb}${who}${note === undefined || note === "" ? "" : `: ${clampedLine(note, 300)}`}`;
}

/** The first line that a reader sees; `rest` says where. */
export function headlineOf({ title, tier }: Notice, rest: string): string {
  return title === undefined ? `iddio: ${tier} request waits${rest}` : `iddio: ${title}`;
}
