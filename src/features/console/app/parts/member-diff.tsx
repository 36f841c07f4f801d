// Two definitions of somebody else beside each other: members that are equal once, others as before
// and after. Text, with invisible characters written out.

import { SafeLines } from "./safe-text.tsx";

/** Two JSON objects, a member at a time. */
export function MemberDiff({
  before,
  after,
}: {
  readonly before: string | undefined;
  readonly after: string | undefined;
}) {
  const [old, fresh] = [membersOf(before), membersOf(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(fresh)])];
  return (
    <pre class="body">
      {names.flatMap((name) => {
        const [was, is] = [old[name], fresh[name]];
        if (was === is) return [<Lines key={name} mark=" " text={`${name}: ${is ?? ""}`} />];
        const before = was === undefined ? undefined : `${name}: ${was}`;
        return [
          <TextLines key={name} before={before} after={is === undefined ? undefined : `${name}: ${is}`} />,
        ];
      })}
    </pre>
  );
}

/** Two texts, whole. */
export function TextDiff({ before, after }: { readonly before: string | undefined; readonly after: string }) {
  return (
    <pre class="body">
      <TextLines before={before} after={after} />
    </pre>
  );
}

/** Lines that both begin or end with are shown once. */
function TextLines({
  before,
  after,
}: {
  readonly before: string | undefined;
  readonly after: string | undefined;
}) {
  const [old, fresh] = [before?.split("\n") ?? [], after?.split("\n") ?? []];
  const shorter = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < shorter && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  const parts: readonly (readonly [keyof typeof CLASSES, readonly string[]])[] = [
    [" ", fresh.slice(0, head)],
    ["-", old.slice(head, old.length - tail)],
    ["+", fresh.slice(head, fresh.length - tail)],
    [" ", fresh.slice(fresh.length - tail)],
  ];
  return (
    <>
      {parts.map(([mark, lines], index) =>
        // The four parts never change places.
        lines.length === 0 ? null : <Lines key={index} mark={mark} text={lines.join("\n")} />,
      )}
    </>
  );
}

const CLASSES = { " ": "", "-": "is-less", "+": "is-more" } as const;

function Lines({ mark, text }: { readonly mark: keyof typeof CLASSES; readonly text: string }) {
  return (
    <span class={`diff-lines ${CLASSES[mark]}`}>
      <SafeLines text={`${text.replace(/^/gm, `${mark} `)}\n`} />
    </span>
  );
}

function membersOf(json: string | undefined): Readonly<Record<string, string>> {
  if (json === undefined) return {};
  try {
    const entries = Object.entries(JSON.parse(json) as Readonly<Record<string, unknown>>);
    return Object.fromEntries(
      entries.map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value, undefined, 2),
      ]),
    );
  } catch {
    return { "": json };
  }
}
