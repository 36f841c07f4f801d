// The suffixes below which registries sell names to the public, as far as they are known without
// the Public Suffix List: a wildcard directly below one would be a certificate for everybody's
// names. Private suffixes ("internal", "local", a company's own) are never among them.

const GENERIC: ReadonlySet<string> = new Set(
  "com net org edu gov mil int info biz name pro aero coop museum mobi asia cat jobs tel travel app dev page cloud online site store shop tech xyz top club".split(
    " ",
  ),
);
/** Second-level labels that country registries use as suffixes. */
const SECOND_LEVEL: ReadonlySet<string> = new Set(
  "co com net org edu gov gob gouv mil ac or ne go ltd plc sch".split(" "),
);

/** Whether `name` (lower case) is a suffix of a public registry: `com`, `uk`, `co.uk`. */
export function isRegistrySuffix(name: string): boolean {
  const labels = name.split(".");
  const [first = "", second] = labels;
  if (second === undefined) return GENERIC.has(first) || first.length === 2;
  return labels.length === 2 && second.length === 2 && SECOND_LEVEL.has(first);
}
