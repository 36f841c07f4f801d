// Each package has one place in the project that knows it, so that it can be replaced there.

import { expect, test } from "bun:test";
import manifest from "../../package.json" with { type: "json" };
import { sourceFiles } from "../support/source-files.ts";

const CONSOLE_PAGE = /^src\/features\/console\/app\//;

const PAGES = /^src\/(?:features\/console|server\/ui)\/app\//;

const HOMES: Readonly<Record<string, RegExp>> = {
  "ipaddr.js": /^src\/(?:match|host\/outgoing)\//,
  picomatch: /^src\/match\//,
  yaml: /^src\/features\/console\/app\/policy\/outline\.ts$|^src\/(?:policy\/|redaction\/mask-yaml\.ts$|state\/settings\/settings\.ts$|features\/undo\/cluster-of-entry\.ts$|host\/kubeconfig|protocols\/kubectl\/body\/)/,
  graphql: /^src\/protocols\/graphql/,
  "@peculiar/x509": /^src\/ca\//,
  // Loaded only where a passkey is checked: 29 ms, 334 kB.
  "@simplewebauthn/server": /^src\/features\/guard\/passkey-ceremonies\.ts$/,
  // Draws the QR code of an enrolment.
  uqr: /^src\/features\/guard\/commands\.ts$/,
  "bun:jsc": /^src\/gateway\/stream\/queued-octets\.ts$/,
  "bun:sqlite": /^src\/state\//,
  // Reads command lines as bash does; loaded with the first hook.
  unbash:
    /^src\/protocols\/shell\/(?:read-script|read-word|expanded-texts|produced-text|stored-text|loop-values|set-variables|calculations)\.ts$/,
  // Ends the client's side of SSH, in a process of its own; 290 kB of the program, loaded nowhere else.
  ssh2: /^src\/features\/ssh\/session\/session\.ts$/,
  // The console's page, in the browser: bundled with it, loaded by nothing else.
  preact: PAGES,
  "@preact/signals": PAGES,
  "@codemirror/autocomplete": CONSOLE_PAGE,
  "@codemirror/commands": CONSOLE_PAGE,
  "@codemirror/lang-yaml": CONSOLE_PAGE,
  "@codemirror/language": CONSOLE_PAGE,
  "@codemirror/lint": CONSOLE_PAGE,
  "@codemirror/search": CONSOLE_PAGE,
  "@codemirror/state": CONSOLE_PAGE,
  "@codemirror/view": CONSOLE_PAGE,
  "@lezer/highlight": CONSOLE_PAGE,
  // Plays recordings, on a canvas; loaded when one is shown.
  "asciinema-player": CONSOLE_PAGE,
  // PostgreSQL inside the program, for a trial of the control plane: 19 MB, loaded nowhere else.
  "@electric-sql/pglite": /^src\/server\/database\/embedded\.ts$/,
  // Logs people in at their identity provider; every check of the flow is in there.
  jose: /^src\/server\/people\/oidc\.ts$/,
  "openid-client": /^src\/server\/people\/oidc\.ts$/,
  // Edits settings files of agents without touching their comments.
  "jsonc-parser": /^src\/features\/(?:hooks|mcp\/install)\//,
  // Inflates SPDY's header blocks at once; node:zlib does so only asynchronously.
  fflate: /^src\/wire\/spdy\//,
  // Speaks SMTP; loaded with the first mail that is sent.
  nodemailer: /^src\/host\/notices\/email-sender\.ts$/,
  kleur: /^src\/cli\/kit\/output\.ts$/,
  "bun:ffi": /^src\/(?:api\/server\/peer|host\/|state\/c-(?:symbol|library))/,
};

const files = sourceFiles("src");

test("a package is imported only in its home", () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const { target, isOwn, isType } of file.imports) {
      if (isOwn || isType || target.startsWith("node:") || target === "bun") continue;
      const name = Object.keys(HOMES).find((each) => target === each || target.startsWith(`${each}/`));
      if (name === undefined)
        wrong.push(`${file.path} imports ${target}, which has no home; give it one in this test`);
      else if (!HOMES[name]?.test(file.path))
        wrong.push(`${file.path} imports ${target}; its home is ${HOMES[name]?.source}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("what is imported is pinned to an exact version in package.json", () => {
  const versions: Readonly<Record<string, string>> = {
    ...manifest.dependencies,
    ...manifest.devDependencies,
  };
  for (const name of Object.keys(HOMES))
    if (!name.startsWith("bun:")) expect(Object.keys(versions)).toContain(name);
  for (const version of Object.values(versions)) expect(version).toMatch(/^\d+\.\d+\.\d+(?:-[\w.]+)?$/);
});
