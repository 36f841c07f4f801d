// Which places of a work tree a repository's configuration has git run or read: a table of
// configurations.

import { expect, test } from "bun:test";
import { placesIn } from "../../src/features/run/control-files/named-in-git-config.ts";

const TABLE: Readonly<Record<string, readonly string[]>> = {
  "[core]\n\thooksPath = .husky/_": ["hooks /work/.husky/_"],
  '[CORE]\n HOOKSPATH="tools/git hooks" ; ours': ["hooks /work/tools/git hooks"],
  "[core] hookspath = hooks": ["hooks /work/hooks"],
  "[core]\nhooksPath = ../elsewhere # a comment": ["hooks /elsewhere"],
  "[core]\nhooksPath = ~/hooks": [],
  "[include]\npath = ../shared/gitconfig": ["configuration /work/shared/gitconfig"],
  '[includeIf "gitdir:/work/"]\npath = extra': ["configuration /work/.git/extra"],
  "[include]\npath = /etc/gitconfig.d/x": ["configuration /etc/gitconfig.d/x"],
  '[remote "origin"]\npath = x\nhooksPath = y': [],
  "": [],
};

for (const [text, places] of Object.entries(TABLE))
  test(`places in ${JSON.stringify(text)}`, () => {
    const found = placesIn(text, "/work/.git", "/work");
    expect(found.map(({ kind, path }) => `${kind} ${path}`)).toEqual([...places]);
  });
