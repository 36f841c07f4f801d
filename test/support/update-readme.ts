// Writes the list of commands into README.md, docs/commands.md, docs/control-api.md and
// docs/features.md: `bun test/support/update-readme.ts`. The repo tests compare; this is what to
// run when they fail.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderFirstWords } from "../../src/cli/help.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { renderCommandReference } from "./command-reference.ts";
import { renderControlApi } from "./control-api-page.ts";
import { renderFeatures } from "./feature-page.ts";
import { PROJECT_ROOT } from "./source-files.ts";

const path = join(PROJECT_ROOT, "README.md");
const visible = COMMANDS.filter(({ isHidden }) => isHidden !== true);
const block = `<!-- commands -->\n\`\`\`\n${renderFirstWords(visible).join("\n")}\n\`\`\``;
const readme = readFileSync(path, "utf8");
writeFileSync(
  path,
  readme.replace(/<!-- commands -->\n```\n[\s\S]*?```/, () => block),
);
writeFileSync(join(PROJECT_ROOT, "docs", "commands.md"), renderCommandReference());
writeFileSync(join(PROJECT_ROOT, "docs", "control-api.md"), renderControlApi());
writeFileSync(join(PROJECT_ROOT, "docs", "features.md"), renderFeatures());
