// The house in numbers: `bun test/support/picture.ts`, or with the folder of another checkout. Files a
// folder, arrows between rooms, circles, the median file, names that two files export.

import { dirname } from "node:path";
import { PROJECT_ROOT, type SourceFile, sourceFiles } from "./source-files.ts";

const EXPORTED = /^export (?:abstract |async )*(?:const|let|function\*?|class|interface|type) (\w+)/gm;

/** The numbers of a checkout. */
export interface Picture {
  readonly files: number;
  readonly folders: number;
  /** The fullest folders, with their files. */
  readonly fullest: readonly (readonly [folder: string, files: number])[];
  readonly medianLines: number;
  readonly longest: number;
  /** Rooms, and pairs of them of which one imports the other. */
  readonly rooms: number;
  readonly arrows: number;
  /** Pairs of rooms that import each other. */
  readonly mutual: readonly string[];
  /** Groups of files that import each other in a circle while the program starts, and with types counted too. */
  readonly circles: readonly (readonly string[])[];
  readonly circlesWithTypes: readonly (readonly string[])[];
  readonly clashes: readonly string[];
}

/** Looks at the sources of a checkout. */
export function pictureOf(root: string = PROJECT_ROOT): Picture {
  const files = sourceFiles("src", root);
  const folders = new Map<string, number>();
  for (const { path } of files) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);
  const lines = files.map(({ text }) => text.split("\n").length - 1).sort((a, b) => a - b);
  const arrows = new Set<string>();
  for (const { path, imports } of files)
    for (const { target, isOwn } of imports)
      if (isOwn && target.startsWith("src/") && roomOf(target) !== roomOf(path))
        arrows.add(`${roomOf(path)} > ${roomOf(target)}`);
  const mutual = [...arrows].filter((arrow) => {
    const [from = "", to = ""] = arrow.split(" > ");
    return from < to && arrows.has(`${to} > ${from}`);
  });
  return {
    files: files.length,
    folders: folders.size,
    fullest: [...folders].sort(([, a], [, b]) => b - a).slice(0, 5),
    medianLines: lines[lines.length >> 1] ?? 0,
    longest: lines.at(-1) ?? 0,
    rooms: new Set(files.map(({ path }) => roomOf(path))).size,
    arrows: arrows.size,
    mutual,
    circles: circlesOf(files, ({ isType, isLazy }) => !isType && !isLazy),
    circlesWithTypes: circlesOf(files, ({ isLazy }) => !isLazy),
    clashes: clashesOf(files),
  };
}

/** A folder of src; of protocols, features and the gateway the folder below it. */
function roomOf(path: string): string {
  return (
    /^src\/(?:(?:protocols|features|gateway)\/[^/]+\/|cli\/kit\/|[^/]+\/|)/
      .exec(path)?.[0]
      .replace(/\/$/, "") ?? "src"
  );
}

/** Strongly connected components of more than one file (Tarjan). */
function circlesOf(
  files: readonly SourceFile[],
  counts: (each: SourceFile["imports"][number]) => boolean,
): readonly (readonly string[])[] {
  const next = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.filter((each) => each.isOwn && counts(each)).map(({ target }) => target),
    ]),
  );
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (path: string): void => {
    index.set(path, index.size);
    low.set(path, index.get(path) ?? 0);
    stack.push(path);
    for (const target of next.get(path) ?? []) {
      if (!next.has(target)) continue;
      if (!index.has(target)) visit(target);
      if (stack.includes(target))
        low.set(path, Math.min(low.get(path) ?? 0, low.get(target) ?? 0, index.get(target) ?? 0));
    }
    if (low.get(path) !== index.get(path)) return;
    const circle = stack.splice(stack.indexOf(path));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const path of next.keys()) if (!index.has(path)) visit(path);
  return found;
}

function clashesOf(files: readonly SourceFile[]): string[] {
  const homes = new Map<string, Set<string>>();
  for (const { path, text } of files) {
    if (/\/app\//.test(path)) continue;
    for (const [, name = ""] of text.matchAll(EXPORTED))
      homes.set(name, (homes.get(name) ?? new Set<string>()).add(path));
  }
  return [...homes].filter(([, paths]) => paths.size > 1).map(([name]) => name);
}

/** The lines that the command prints. */
export function renderPicture(picture: Picture): string {
  const { fullest, mutual, circles, circlesWithTypes, clashes } = picture;
  const listed = (names: readonly string[]) =>
    names.length === 0 ? "" : ` (${names.slice(0, 3).join("; ")}${names.length > 3 ? "; …" : ""})`;
  return [
    `files                     ${picture.files} in ${picture.folders} folders`,
    `fullest folders           ${fullest.map(([folder, count]) => `${folder} ${count}`).join(", ")}`,
    `median file               ${picture.medianLines} lines, longest ${picture.longest}`,
    `arrows between rooms      ${picture.arrows} between ${picture.rooms} rooms`,
    `rooms that import each other  ${mutual.length}${listed(mutual)}`,
    `circles of files          ${circles.length}${listed(circles.map((each) => each.slice(0, 2).join(", ")))}`,
    `circles, types counted    ${circlesWithTypes.length}${listed(circlesWithTypes.map((each) => each.slice(0, 2).join(", ")))}`,
    `names exported twice      ${clashes.length}${listed(clashes)}`,
    "",
  ].join("\n");
}

if (import.meta.main) process.stdout.write(renderPicture(pictureOf(process.argv[2])));
