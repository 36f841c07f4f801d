// The table of blocks in docs/policy.md, written from what each protocol's classifier says.

import { scopeKeywords } from "../../../src/policy/parse/block-keys.ts";
import { CLASSIFIERS } from "../../../src/protocols/registry.ts";

const BLOCK = /<!-- blocks -->\n[\s\S]*?<!-- \/blocks -->/;

/** The page with the table of today. */
export function withBlockTable(page: string): string {
  const rows = CLASSIFIERS.map(({ protocol, covers }) => {
    const scopes = scopeKeywords(protocol).map(({ keyword }) => `\`${keyword}\``);
    return `| \`${protocol}\` | ${covers.replace(/\.$/, "")} | ${scopes.join(", ")} |\n`;
  });
  const table = `| block | covers | scope lists |\n| --- | --- | --- |\n${rows.join("")}`;
  return page.replace(BLOCK, () => `<!-- blocks -->\n${table}<!-- /blocks -->`);
}
