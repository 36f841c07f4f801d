// A hostile server and its own definitions: whatever of a tool changes, the tool waits; what cannot
// be reviewed is neither shown nor acceptable; and no list costs more than people could read.

import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { suspicionOf } from "../../../src/features/mcp/judge/hidden-text.ts";
import { KnownServer, type ServerNews } from "../../../src/features/mcp/judge/known-server.ts";
import { ResourceList } from "../../../src/features/mcp/judge/resource-list.ts";
import { accept, bind, waitingDigest } from "../../../src/features/mcp/judge/review.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { McpPins, type ServerIdentity } from "../../../src/state/tables/mcp-pins.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const TOOL = {
  name: "read_it",
  title: "Read",
  description: "Reads it.",
  inputSchema: { type: "object", properties: { a: { type: "string" } } },
  outputSchema: { type: "object" },
  annotations: { readOnlyHint: true, title: "Read it" },
  icons: [{ src: "https://example.com/a.png" }],
  _meta: { "com.example/x": 1 },
  execution: { taskSupport: "optional" },
};
const IDENTITY: ServerIdentity = { kind: "stdio", command: "a", args: [], code_sha256: "00" };

const folder = await temporaryDirectory();
const pins = new McpPins(openDatabase(join(folder.path, "state.db")));
afterAll(() => folder[Symbol.asyncDispose]());
let count = 0;

/** A server of its own. */
function world(identity = IDENTITY) {
  const own = `own-${++count}`;
  const news: ServerNews[] = [];
  const stored = { name: own, identities: [], complete: [], reviewed: false, first_ms: 1, last_ms: 1 };
  pins.put(stored);
  const server = new KnownServer(pins, stored, (each) => news.push(each));
  server.meet(identity, 2);
  return { own, news, server, learn: (...page: unknown[]) => server.learn("tools", page, true) };
}

describe("a tool waits when this of it changes:", () => {
  const changes: Readonly<Record<string, object>> = {
    title: { title: "Read!" },
    description: { description: "Reads it. " },
    "a word of its schema": { inputSchema: { type: "object", properties: { a: { type: "number" } } } },
    "the schema of its results": { outputSchema: { type: "array" } },
    "a hint": { annotations: { readOnlyHint: true, title: "Read it", idempotentHint: true } },
    "a hint that flips": { annotations: { readOnlyHint: false, title: "Read it" } },
    icons: { icons: [{ src: "https://example.com/b.png" }] },
    _meta: { _meta: { "com.example/x": 2 } },
    "how it is run": { execution: { taskSupport: "required" } },
    "a member that nobody knows": { "x-new": true },
    "a member that is gone": { outputSchema: undefined },
    "a member called __proto__": JSON.parse('{"__proto__":{"readOnlyHint":true}}'),
  };
  for (const [what, change] of Object.entries(changes))
    test(what, () => {
      const { learn, server } = world();
      expect(learn(TOOL)).toEqual([true]);
      expect(server.tool("read_it")).toBeDefined();
      const changed = JSON.parse(JSON.stringify(Object.assign(Object.create(null), TOOL, change)));
      if (what.includes("__proto__"))
        Object.defineProperty(changed, "__proto__", { value: {}, enumerable: true });
      expect(learn(changed)).toEqual([false]);
      expect(server.isPinned("tools", "read_it")).toBe(false);
      expect(server.tool("read_it")).toBeUndefined();
      // Back again: what was pinned is what it is.
      expect(learn(TOOL)).toEqual([true]);
      expect(server.isPinned("tools", "read_it")).toBe(true);
    });
});

test("the same members in another order are the same tool", () => {
  const { learn } = world();
  learn(TOOL);
  expect(learn(Object.fromEntries(Object.entries(TOOL).reverse()))).toEqual([true]);
});

test("what is too long to be read waits, is kept out of the database, and cannot be accepted", () => {
  const { learn, own, server } = world();
  const long = { ...TOOL, description: "x".repeat(300_000) };
  expect(learn(long)).toEqual([false]);
  expect(learn(long)).toEqual([false]);
  expect(pins.items(own)[0]?.pending?.length).toBeLessThan(200);
  expect(accept(pins, own, waitingDigest(pins, own))).toBe(0);
  server.refresh();
  expect(learn(long)).toEqual([false]);
  expect(server.isPinned("tools", "read_it")).toBe(false);
  expect(learn(TOOL)).toEqual([false]);
  expect(accept(pins, own, waitingDigest(pins, own))).toBe(1);
  server.refresh();
  expect(learn(TOOL)).toEqual([true]);
  // After it was pinned, too.
  expect(learn(long)).toEqual([false]);
  expect(server.whyToolWaits("read_it")).toContain("too long to review");
  expect(server.introduce({ instructions: "x".repeat(300_000) })).toBe(false);
  expect(JSON.stringify(pins.server(own)).length).toBeLessThan(2_000);
});

test("of a list that nobody can review only its beginning is looked at, and a storm of changes is told once", () => {
  const { learn, news, own } = world();
  let looked = 0;
  const page = Array.from({ length: 50_000 }, (_, index) => ({
    get name() {
      looked++;
      return `tool_${index}`;
    },
    description: "d",
  }));
  const shown = learn(...page);
  expect(shown.length).toBe(50_000);
  expect(shown.filter((each) => each).length).toBe(2_000);
  expect(looked).toBeLessThan(50_000);
  expect(pins.items(own).length).toBeLessThanOrEqual(4_000);
  const before = news.length;
  for (let turn = 0; turn < 50; turn++) learn({ name: "tool_0", description: `d${turn}` });
  expect(news.length - before).toBe(1);
});

test("hidden signs are found whatever stands before them; the flags of three countries hide nothing", () => {
  const tags = (text: string) =>
    [...text].map((each) => String.fromCodePoint(0xe0000 + (each.codePointAt(0) ?? 0))).join("");
  const flag = (code: string) => `\u{1f3f4}${tags(code)}\u{e007f}`;
  for (const code of ["gbeng", "gbsct", "gbwls"]) expect(suspicionOf(`from ${flag(code)}`)).toBeUndefined();
  expect(suspicionOf(`from ${flag("send the keys")}`)).toContain("hidden sign");
  expect(suspicionOf(`${flag("gbeng")}${tags("leak")}`)).toContain("hidden sign");
  expect(suspicionOf(`\u{1f3f4}${tags("x").repeat(100_000)}`)).toContain("hidden sign");
});

test("a resource is told from one that is made up, in one walk over its address", () => {
  const list = new ResourceList();
  list.learn([
    { uri: "own://a" },
    { uriTemplate: "own://{a}/x/{b}/y/{c}" },
    { uriTemplate: "note://{id}.md" },
    { uriTemplate: "file:///{path}" },
    { uriTemplate: "{any}" },
  ]);
  expect(list.has("own://a")).toBe(true);
  expect(list.has("own://1/x/2/y/3")).toBe(true);
  expect(list.has("note://7.md")).toBe(true);
  expect(list.has("note://7.txt")).toBe(false);
  expect(list.has("own://1/x/2")).toBe(false);
  expect(list.has("note:// 7.md")).toBe(false);
  expect(list.has("file:///etc/passwd")).toBe(false);
  expect(list.has(`own://${"/x/".repeat(600)}`)).toBe(false);
});

describe("a table of known tools", () => {
  const rows: readonly {
    readonly what: string;
    readonly identity: ServerIdentity;
    readonly isBound: boolean;
  }[] = [
    { what: "code that is pinned", identity: IDENTITY, isBound: true },
    {
      what: "a remote server",
      identity: { kind: "http", url: "https://a/mcp", issuer: "CA" },
      isBound: true,
    },
    {
      what: "whatever a launcher fetches",
      identity: { kind: "stdio", command: "npx", args: ["x"], unpinned: "npx fetches it" },
      isBound: false,
    },
  ];
  for (const { what, identity, isBound } of rows)
    test(`${isBound ? "can" : "cannot"} be bound to ${what}`, () => {
      const { own } = world(identity);
      if (isBound) expect(bind(pins, own, "memory").bound).toEqual({ table: "memory", identity });
      else expect(() => bind(pins, own, "memory")).toThrow("is not pinned");
      expect(bind(pins, own, undefined).bound).toBeUndefined();
    });
});

test("a server whose certificate has another issuer is another server; one from before issuers were kept is not", () => {
  const at = { kind: "http", url: "https://a/mcp" } as const;
  const { server, news } = world(at);
  expect(server.meet({ ...at, issuer: "First" }, 3)).toBe(true);
  expect(server.meet({ ...at, issuer: "Second" }, 4)).toBe(false);
  expect(server.stored.pending_identity).toEqual({ ...at, issuer: "Second" });
  expect(news.at(-1)).toMatchObject({ kind: "waits" });
  expect(server.meet({ ...at, issuer: "First" }, 5)).toBe(true);
});
