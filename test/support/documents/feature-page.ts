// docs/features.md, written from the list of features.

import { FEATURES } from "../../../src/features/features.ts";

/** The page. */
export function renderFeatures(): string {
  const parts = FEATURES.map((feature) => {
    const { name, about, commands = [], methods = [], settings = [], tables = [], stages = [] } = feature;
    const visible = commands.filter(({ isHidden }) => isHidden !== true);
    const rows: [string, readonly string[]][] = [
      ["Commands", visible.map((command) => command.name)],
      ["Settings", settings],
      ["Control methods", methods],
      ["Tables of state.db", tables],
      ["Stages", stages],
    ];
    const lines = rows
      .filter(([, names]) => names.length > 0)
      .map(([what, names]) => `- ${what}: ${names.map((each) => `\`${each}\``).join(", ")}`);
    return [`## ${name}`, "", `${about}.`, ...(lines.length === 0 ? [] : ["", ...lines]), ""].join("\n");
  });
  return [
    "# Features",
    "",
    "What each folder of `src/features/` brings, as its `feature.ts` says. Written by `bun test/support/update-readme.ts`.",
    "",
    ...parts,
  ].join("\n");
}
