// Which places of a work tree a repository's configuration has git run or read: a table of
// configurations.

import { expect, test } from "bun:test";
import { placesIn } from "../../../src/features/run/control-files/named-in-git-config.ts";

const TABLE: Readonly<Record<string, readonly string[]>> = {
  "[core]\n\thooksPath = .husky/_": ["hooks /srv/project/.husky/_"],
  '[CORE]\n HOOKSPATH="tools/git hooks" ; ours': ["hooks /srv/project/tools/git hooks"],
  "[core] hookspath = hooks": ["hooks /srv/project/hooks"],
  "[core]\nhooksPath = ../elsewhere # a comment": ["hooks /srv/elsewhere"],
  "[core]\nhooksPath = ~/hooks": [],
  "[include]\npath = ../common/gitconfig": ["configuration /srv/project/common/gitconfig"],
  '[includeIf "gitdir:/srv/project/"]\npath = extra': ["configuration /srv/project/.git/extra"],
  "[include]\npath = /etc/gitconfig.d/x": ["configuration /etc/gitconfig.d/x"],
  '[remote "origin"]\npath = x\nhooksPath = y': [],
  "": [],
};

for (const [text, places] of Object.entries(TABLE))
  test(`places in ${JSON.stringify(text)}`, () => {
    const found = placesIn(text, "/srv/project/.git", "/srv/project");
    expect(found.map(({ kind, path }) => `${kind} ${path}`)).toEqual([...places]);
  });
