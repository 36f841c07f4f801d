// The file that imports every protocol's classifier, written from the list of protocols. Bun needs
// static imports to put them into one binary; this keeps anyone from writing them by hand.

import { PROTOCOLS } from "../../../src/model/protocol.ts";

/** Where it is, from the project's root. */
export const CLASSIFIER_LIST = "src/protocols/listed.ts";

/** The text of the file: `acme/classify.ts` exports `acmeClassifier`. */
export function renderClassifierList(protocols: readonly string[] = PROTOCOLS): string {
  const imports = [...protocols]
    .sort()
    .map((name) => `import { ${nameOf(name)} } from "./${name}/classify.ts";\n`);
  imports.splice(
    [...protocols].sort().findIndex((name) => name > "classifier.ts"),
    0,
    CONTRACT,
  );
  return `${HEADER}\n${imports.join("")}\n${DOCSTRING}\n${LIST}${protocols.map((name) => `  ${nameOf(name)},\n`).join("")}];\n`;
}

const HEADER = `// Written by \`bun test/support/update-readme.ts\` from the list in src/model/protocol.ts; never by
// hand. The imports are static, because a compiled binary has no folder to look through.
`;
const CONTRACT = `import type { Classifier } from "./classifier.ts";\n`;
const DOCSTRING = "/** The classifier of each protocol, in print order. */";
const LIST = "export const LISTED: readonly Classifier[] = [\n";

function nameOf(protocol: string): string {
  return `${protocol.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}Classifier`;
}
