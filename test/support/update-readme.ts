// Writes everything that is derived from the lists: the imports of the classifiers, README.md,
// docs/commands.md, docs/control-api.md, docs/features.md and the table of blocks in docs/policy.md. The
// repo tests compare; `bun test/support/update-readme.ts` is what to run when they fail.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLASSIFIER_LIST, renderClassifierList } from "./documents/classifier-list.ts";
import { PROJECT_ROOT } from "./source-files.ts";

const write = (path: string, text: string) => writeFileSync(join(PROJECT_ROOT, path), text);
const rewrite = (path: string, change: (text: string) => string) =>
  write(path, change(readFileSync(join(PROJECT_ROOT, path), "utf8")));

// First, because everything below imports the classifiers.
write(CLASSIFIER_LIST, renderClassifierList());

const { renderFirstWords } = await import("../../src/cli/help.ts");
const { COMMANDS } = await import("../../src/cli/registry.ts");
const visible = COMMANDS.filter(({ isHidden }) => isHidden !== true);
const block = `<!-- commands -->\n\`\`\`\n${renderFirstWords(visible).join("\n")}\n\`\`\``;
rewrite("README.md", (text) => text.replace(/<!-- commands -->\n```\n[\s\S]*?```/, () => block));
write("docs/commands.md", (await import("./documents/command-reference.ts")).renderCommandReference());
write("docs/control-api.md", (await import("./documents/control-api-page.ts")).renderControlApi());
write("docs/features.md", (await import("./documents/feature-page.ts")).renderFeatures());
const { withBlockTable } = await import("./documents/block-table.ts");
rewrite("docs/policy.md", withBlockTable);
