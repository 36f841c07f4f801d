// Which lines of a repository's configuration are left: what git writes itself stays byte for byte,
// everything by which a program is started goes.

import { expect, test } from "bun:test";
import { harmlessPart } from "../../../src/features/run/control-files/harmless-git-config.ts";

const WRITTEN = `[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[remote "origin"]
\turl = git@github.com:a/b.git
\tfetch = +refs/heads/*:refs/remotes/origin/*
[branch "topic/x\\"y"]
\tremote = origin
\tmerge = refs/heads/topic
# a remark
[submodule "sub"]
\turl = https://a.example/sub.git
\tactive = true
`;

test("what git writes stays byte for byte", () => {
  expect(harmlessPart(WRITTEN)).toBe(WRITTEN);
});

const EVIL = [
  "[core]\n\tfsmonitor = /tmp/x",
  "[core]\n\thooksPath = x",
  "[core]\n\tFSMONITOR = x",
  "[core] fsmonitor = x",
  "[core]\n\tbare = false\\\n\tfsmonitor = x",
  "[core]\n\teditor = x",
  "[core]\n\tsshCommand = x",
  "[core]\n\tgitProxy = x",
  "[core]\n\tpager = x",
  "[core]\n\tattributesFile = x",
  "[include]\n\tpath = x",
  '[includeIf "gitdir:/"]\n\tpath = x',
  '[filter "a"]\n\tclean = x',
  '[diff "a"]\n\tcommand = x',
  '[merge "a"]\n\tdriver = x',
  "[alias]\n\tst = !x",
  "[credential]\n\thelper = !x",
  '[credential "https://a"]\n\thelper = x',
  "[gpg]\n\tprogram = x",
  "[pager]\n\tstatus = x",
  "[protocol]\n\tallow = always",
  '[remote "origin"]\n\turl = ext::sh -c x',
  '[remote "origin"]\n\turl = "ext::sh -c x"',
  '[remote "origin"]\n\turl = --upload-pack=x',
  '[remote "origin"]\n\tuploadpack = x',
  '[remote "origin"]\n\tvcs = x',
  '[submodule "s"]\n\tupdate = !x',
  "[core.x]\n\tfsmonitor = x",
  "[uploadpack]\n\tpackObjectsHook = x",
  "[sequence]\n\teditor = x",
  '[url "ext::x"]\n\tinsteadOf = https://',
];

for (const text of EVIL)
  test(`goes: ${JSON.stringify(text)}`, () => {
    const left = harmlessPart(text);
    expect(left).not.toMatch(/x$|x\n|ext::|always|--upload/m);
  });
