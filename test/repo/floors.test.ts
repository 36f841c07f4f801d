// Which folder may import which. A lower floor that imported a higher one could no longer be
// understood, or tested, without it.

import { expect, test } from "bun:test";
import { PROTOCOLS } from "../../src/model/protocol.ts";
import { readSource, type SourceFile, sourceFiles } from "../support/source-files.ts";

/** Rooms, lowest floor first; the longest prefix of a path decides. Rooms on one line never import each other. */
const ROOMS: readonly (readonly string[])[] = [
  ["src/reflect.ts", "src/version.ts"],
  ["src/model"],
  ["src/text"],
  ["src/match", "src/wire", "src/redaction"],
  ["src/protocols"],
  ["src/protocols/graphql", "src/protocols/generic"],
  // Each protocol by itself. Of ssh only the classifier is here: its reader of shells is above the registry.
  PROTOCOLS.filter((protocol) => protocol !== "generic").map((protocol) =>
    protocol === "ssh" ? "src/protocols/ssh/classify.ts" : `src/protocols/${protocol}`,
  ),
  // The imports of every classifier, and what looks them up; everything else of a protocol lives in its own folder.
  ["src/protocols/listed.ts"],
  ["src/protocols/registry.ts"],
  ["src/protocols/batch.ts", "src/protocols/refusal.ts", "src/protocols/shell"],
  // The shell's reader reads the command for the other side; the classifier of the registry is below it.
  ["src/protocols/ssh"],
  ["src/protocols/mcp-servers"],
  ["src/policy"],
  ["src/state"],
  ["src/ca", "src/host", "src/api"],
  ["src/gateway/stream"],
  ["src/gateway/message"],
  ["src/gateway/upstream"],
  ["src/gateway/cluster"],
  ["src/gateway/request"],
  ["src/gateway/front"],
  // The contract between a feature and the daemon.
  ["src/gateway/daemon-part.ts"],
  ["src/cli/kit"],
  ["src/features"],
  // The list of features; a feature knows none of the others.
  ["src/features/features.ts"],
  // The control plane: it shows the console's styles, and no feature knows it.
  ["src/gateway/control", "src/server"],
  ["src/gateway"],
  ["src/cli"],
  ["src/main.ts"],
];

/** Imports that break a rule on purpose, each with its reason. */
const EXCEPTIONS: ReadonlySet<string> = new Set([
  // GKE's Connect gateway is Kubernetes behind a Google host: the same paths, read by the same reader.
  "src/protocols/gcloud/connect.ts > src/protocols/kubectl/classify.ts",
  // helm prints the errors of the API server, by the same library as kubectl.
  "src/protocols/helm/classify.ts > src/protocols/kubectl/refusal.ts",
]);

const files = sourceFiles("src");

/** The room of a path and its floor. Each feature is a room of its own on the features' floor. */
function roomOf(path: string): { readonly room: string; readonly floor: number } {
  let found: { room: string; floor: number } | undefined;
  ROOMS.forEach((rooms, floor) => {
    for (const room of rooms)
      if ((path === room || path.startsWith(`${room}/`)) && room.length > (found?.room.length ?? 0))
        found = { room, floor };
  });
  if (found === undefined)
    throw new Error(`${path}: the folder has no floor; give it one in this test and in ARCHITECTURE.md`);
  const feature = /^src\/features\/[^/]+/.exec(path)?.[0];
  return feature === undefined ? found : { room: feature, floor: found.floor };
}

test("a room imports only rooms on lower floors, or itself", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const from = roomOf(file.path);
    for (const { target, isOwn } of file.imports) {
      if (!isOwn || EXCEPTIONS.has(`${file.path} > ${target}`)) continue;
      if (!target.startsWith("src/")) {
        wrong.push(`${file.path} imports ${target}, which is outside src`);
        continue;
      }
      const to = roomOf(target);
      if (to.room === from.room || to.floor < from.floor) continue;
      wrong.push(`${file.path} > ${target}`);
    }
  }
  expect(wrong.sort()).toEqual([]);
});

test("only what composes the program imports a list of implementations", () => {
  const ROOTS: Readonly<Record<string, readonly string[]>> = {
    "src/features/features.ts": [
      "src/cli/registry.ts",
      "src/cli/run.ts",
      "src/gateway/control/page-control.ts",
      "src/gateway/start-features.ts",
    ],
    "src/cli/registry.ts": [
      "src/cli/commands/completion.ts",
      "src/cli/commands/man.ts",
      "src/cli/find-command.ts",
      "src/cli/help.ts",
      "src/cli/man-page.ts",
      "src/cli/run.ts",
    ],
    "src/gateway/request/stages/stages.ts": ["src/gateway/request/exchange.ts"],
    "src/protocols/listed.ts": ["src/protocols/registry.ts"],
  };
  for (const [list, roots] of Object.entries(ROOTS)) {
    const importers = files.filter(({ imports }) => imports.some(({ target }) => target === list));
    expect(importers.map(({ path }) => path).sort(), list).toEqual([...roots]);
  }
});

test("the daemon knows no feature by name: it reads the list", () => {
  const KNOWN = new Set([
    // The composition root.
    "src/gateway/start-features.ts > src/features/features.ts",
    // Doctor's findings on a page: doctor examines every feature, so whoever calls it has the list.
    "src/gateway/control/page-control.ts > src/features/features.ts",
    "src/gateway/control/page-control.ts > src/features/doctor/examine.ts",
  ]);
  const found = files
    .filter(({ path }) => path.startsWith("src/gateway/"))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => target.startsWith("src/features/"))
        .map(({ target }) => `${path} > ${target}`),
    );
  expect(found.filter((each) => !KNOWN.has(each))).toEqual([]);
});

test("every import of an own file names the file with its .ts", () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter(({ target, isOwn }) => isOwn && !/\.(?:tsx?|html|json|yaml|txt|tsv|bin|gz)$/.test(target))
      .map(({ target }) => `${file.path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("no file imports itself in a circle", () => {
  const values = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.filter(({ isOwn, isType, isLazy }) => isOwn && !isType && !isLazy).map(({ target }) => target),
    ]),
  );
  const isDone = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" > "));
    else if (!isDone.has(path)) {
      for (const next of values.get(path) ?? []) visit(next, [...way, path]);
      isDone.add(path);
    }
  };
  for (const path of values.keys()) visit(path, []);
  expect(circles).toEqual([]);
});

/** The files that are evaluated together with these; from main.ts on: whatever command was typed. */
function eagerClosure(...roots: readonly string[]): ReadonlyMap<string, string> {
  const importers = new Map<string, string>(roots.map((root) => [root, ""]));
  const queue: SourceFile[] = roots.map((root) => readSource(root));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const { target, isOwn, isType, isLazy } of file.imports) {
      if (isType || isLazy || importers.has(target)) continue;
      importers.set(target, file.path);
      if (isOwn && target.endsWith(".ts")) queue.push(readSource(target));
    }
  }
  return importers;
}

test("starting the program evaluates nothing heavy", () => {
  const cheap =
    /^src\/(?:model|text|cli|features|api\/(?:methods\/[a-z-]+|client|local-call|[a-z]+-report|gate|methods|method|schema|check-value|reports|daemon-reports)\.ts|state\/(?:paths|c-library|c-symbol)\.ts|host\/process\/descriptor-io\.ts|wire\/ndjson\.ts|policy\/did-you-mean\.ts|reflect\.ts|version\.ts|main\.ts)/;
  // Measured in milliseconds, beside 30 for an empty program: node:os 2, node:path 3, node:fs 6, node:fs/promises 5,
  // node:util 7, node:tty 10, node:crypto 17.
  const cheapModules = new Set<string>();
  const heavy = [...eagerClosure("src/main.ts", "src/cli/run.ts")]
    .filter(([target]) => !cheap.test(target) && !cheapModules.has(target))
    .map(
      ([target, importer]) =>
        `${importer} imports ${target} eagerly; \`iddio status --quiet\` pays for it at every shell start`,
    );
  expect(heavy).toEqual([]);
});

test("what starts all the time loads none of the modules that take longest", () => {
  const roots = [
    "src/cli/commands/status.ts",
    "src/features/hooks/hook.ts",
    "src/features/hooks/answer-hook.ts",
    "src/features/hooks/agents/adapters.ts",
    "src/api/is-up.ts",
    "src/cli/commands/shell-init.ts",
    "src/features/ssh/commands.ts",
    "src/features/ssh/proxy.ts",
    "src/features/run/run.ts",
    "src/features/run/start-run.ts",
    "src/features/run/bridge/bridge.ts",
  ];
  // Of Node's modules none: each costs more than a hook's own work. A way that is rarely taken loads its own.
  const slow = /^node:|^src\/api\/methods\.ts$/;
  for (const root of ["src/main.ts", "src/cli/run.ts", ...roots]) {
    const found = [...eagerClosure(root)].filter(([target]) => slow.test(target));
    expect(found, root).toEqual([]);
  }
});

test("main.ts imports the Reflect shim before anything else", () => {
  expect(readSource("src/main.ts").imports[0]?.target).toBe("src/reflect.ts");
});
