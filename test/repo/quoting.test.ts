// One quoting style in what people read: '…'. Double quotes are for what is typed into a shell,
// JSON, YAML, HTML and other languages.

import { expect, test } from "bun:test";
import { sourceFiles } from "../support/source-files.ts";

/** Files that write another language: its quotes are double. */
const LANGUAGES = new Set([
  "src/cli/man-page.ts",
  "src/features/console/redirect-page.ts",
  "src/features/credentials/answers/token-answers.ts",
  "src/features/credentials/sources/source.ts",
  "src/features/recording/session-recording.ts",
  "src/features/ssh/config-file.ts",
  "src/features/ssh/set-up.ts",
  "src/gateway/stream/recording-file.ts",
  "src/host/desktop/launcher.ts",
  "src/host/sandbox/sbpl.ts",
  "src/host/service/service-unit.ts",
  "src/policy/test/junit.ts",
  "src/protocols/terraform/live-client.ts",
  "src/redaction/mask-json.ts",
  "src/redaction/mask-yaml.ts",
  "src/server/approvals/decide.ts",
  "src/server/http/answer.ts",
  "src/state/journal/chain.ts",
]);

test("a message shows typed words as '…'", () => {
  const wrong: string[] = [];
  for (const { path, text } of sourceFiles("src")) {
    if (LANGUAGES.has(path) || /\/app\//.test(path)) continue;
    for (const [index, line] of text.split("\n").entries()) {
      // A command to type keeps the shell's quotes.
      if (/^\s*(?:\/\/|\*|\/\*)/.test(line) || /\biddio [a-z]/.test(line)) continue;
      if (/"\$\{/.test(line)) wrong.push(`${path}:${index + 1}: ${line.trim()}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("a key or word in a problem of the policy is shown as '…'", () => {
  const wrong: string[] = [];
  for (const { path, text } of [...sourceFiles("src/policy"), ...sourceFiles("src/match")])
    for (const [index, line] of text.split("\n").entries())
      if (!LANGUAGES.has(path) && /'(?:[^'"`]* )?"[a-z-]+"(?: [^'"`]*)?'/.test(line))
        wrong.push(`${path}:${index + 1}: ${line.trim()}`);
  expect(wrong).toEqual([]);
});
