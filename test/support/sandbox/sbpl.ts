// Reads macOS sandbox profiles and answers what they would: of several rules that match, the last
// one counts. As far as our own profiles go; an unknown operation or filter is an error, so that a
// misspelt one is found without a Mac.

/** A word, a text, an expression or a list. */
export type Node = string | { readonly text: string } | { readonly regex: string } | readonly Node[];

/** Reads a profile's rules. Throws on what is no profile. */
export function parseSbpl(source: string): readonly Node[] {
  let at = 0;
  const fail = (why: string): never => {
    throw new Error(`${why} at ${at}: ${source.slice(at, at + 40)}`);
  };
  const quoted = (): string => {
    let text = "";
    for (at += 1; source[at] !== '"'; at += 1) {
      if (at >= source.length) fail("a text does not end");
      if (source[at] === "\\") at += 1;
      text += source[at];
    }
    at += 1;
    return text;
  };
  const expression = (): string => {
    let text = "";
    for (at += 2; source[at] !== '"'; at += 1) {
      if (at >= source.length) fail("an expression does not end");
      if (source[at] === "\\" && source[at + 1] === '"') at += 1;
      text += source[at];
    }
    at += 1;
    return text;
  };
  const blank = () => {
    while (/[\s;]/.test(source[at] ?? "")) {
      if (source[at] === ";") while (at < source.length && source[at] !== "\n") at += 1;
      else at += 1;
    }
  };
  const node = (): Node => {
    blank();
    if (source[at] === '"') return { text: quoted() };
    if (source.startsWith('#"', at)) return { regex: expression() };
    if (source[at] === "(") {
      at += 1;
      const list: Node[] = [];
      for (blank(); source[at] !== ")"; blank()) {
        if (at >= source.length) fail("a list does not end");
        list.push(node());
      }
      at += 1;
      return list;
    }
    const word = /^[a-zA-Z0-9*.:_/-]+/.exec(source.slice(at))?.[0] ?? fail("no word");
    at += word.length;
    return word;
  };
  const rules: Node[] = [];
  for (blank(); at < source.length; blank()) rules.push(node());
  return rules;
}

/** The operation that is asked for, and its object. */
export interface Request {
  readonly operation: string;
  readonly path?: string;
  /** `localhost:443`, or a path after `unix:`. */
  readonly remote?: string;
  readonly local?: string;
  readonly name?: string;
  readonly command?: string;
  readonly target?: string;
  /** The extension that the kernel has given to the process for this very thing. */
  readonly extension?: string;
}

/** Of <https://reverse.put.as/wp-content/uploads/2011/09/Apple-Sandbox-Guide-v1.0.pdf>, as far as they are used. */
const OPERATIONS = new Set([
  "default",
  "file-ioctl",
  "file-read*",
  "file-read-data",
  "file-read-metadata",
  "file-write*",
  "file-write-create",
  "file-write-data",
  "file-write-unlink",
  "ipc-posix-sem",
  "mach-lookup",
  "network-bind",
  "network-inbound",
  "network-outbound",
  "process-exec",
  "process-fork",
  "process-info*",
  "pseudo-tty",
  "signal",
  "sysctl-read",
  "system-socket",
  "user-preference-read",
]);

/** Whether a profile allows something. */
export function allows(rules: readonly Node[], request: Request): boolean {
  let verdict = false;
  for (const rule of rules) {
    if (!Array.isArray(rule)) throw new Error(`no rule: ${JSON.stringify(rule)}`);
    const [action, ...rest] = rule as readonly Node[];
    if (action === "version") continue;
    if (action !== "allow" && action !== "deny") throw new Error(`unknown action ${JSON.stringify(action)}`);
    const operations = rest.filter((each): each is string => typeof each === "string");
    for (const operation of operations)
      if (!OPERATIONS.has(operation)) throw new Error(`unknown operation '${operation}'`);
    const filters = rest.filter((each) => typeof each !== "string");
    const isMeant = operations.some((each) => covers(each, request.operation));
    const matches = filters.map((filter) => isMatch(filter as readonly Node[], request));
    if (isMeant && (filters.length === 0 || matches.includes(true))) verdict = action === "allow";
  }
  return verdict;
}

function covers(operation: string, asked: string): boolean {
  return (
    operation === "default" ||
    operation === asked ||
    (operation.endsWith("*") && asked.startsWith(operation.slice(0, -1)))
  );
}

function isMatch([kind, ...args]: readonly Node[], request: Request): boolean {
  const value = args[0];
  const text =
    typeof value === "object" && "text" in value ? value.text : typeof value === "string" ? value : "";
  switch (kind) {
    case "require-all":
      return args.every((each) => isMatch(each as readonly Node[], request));
    case "extension":
      return request.extension === text;
    case "literal":
      return request.path === text;
    case "subpath":
      return isBelow(request.path, text);
    case "regex":
      return request.path !== undefined && new RegExp((value as { regex: string }).regex).test(request.path);
    case "global-name":
    case "sysctl-name":
      return request.name === text;
    case "sysctl-name-prefix":
      return request.name?.startsWith(text) ?? false;
    case "ioctl-command":
      return request.command === text;
    case "target":
      return request.target === text;
    case "socket-domain":
      return request.name === text;
    case "remote":
    case "local":
      return endpoint(args, kind === "remote" ? request.remote : request.local);
    default:
      throw new Error(`unknown filter ${JSON.stringify(kind)}`);
  }
}

function endpoint([kind, address]: readonly Node[], asked: string | undefined): boolean {
  if (kind === "ip") {
    const { text } = address as { text: string };
    // Anything but these two is refused by the kernel when the profile is loaded.
    if (!/^(?:\*|localhost):(?:\*|\d+)$/.test(text)) throw new Error(`no address of a profile: ${text}`);
    return asked === text || (text.endsWith(":*") && (asked?.startsWith(text.slice(0, -1)) ?? false));
  }
  if (kind !== "unix-socket") throw new Error(`unknown kind of address ${JSON.stringify(kind)}`);
  const [filter, path] = address as readonly Node[];
  if (filter !== "subpath") throw new Error(`unknown filter of sockets ${JSON.stringify(filter)}`);
  return isBelow(asked?.replace(/^unix:/, ""), (path as { text: string }).text);
}

function isBelow(path: string | undefined, folder: string): boolean {
  return path === folder || (path?.startsWith(`${folder}/`) ?? false);
}
