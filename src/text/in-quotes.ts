// The one style in which a message shows what somebody wrote: '…', on one line.

/** The text between single quotes; control characters are escaped as in JSON, a long text is cut. */
export function inQuotes(text: string, longest = Number.POSITIVE_INFINITY): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return `'${JSON.stringify(cut).slice(1, -1).replaceAll('\\"', '"')}'`;
}
