// A repository in the sandbox: the daily commands of git work, and nothing that the agent writes
// there makes the person's next git command run a program.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { noSandbox, type Sandbox, startSandbox } from "../../support/sandbox/sandbox.ts";

const LONG_MS = 120_000;
const IDENTITY = "-c user.name=t -c user.email=t@example.com";

/** Ways to make git run `$EVIL` outside, in a repository. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  "core.fsmonitor in the configuration": "git config core.fsmonitor $EVIL",
  "the configuration replaced by a rename":
    "printf '[core]\\nfsmonitor = %s\\n' $EVIL > /tmp/c; mv -f /tmp/c .git/config; cp /tmp/c .git/config",
  ".git moved away and made again": "mv .git .g && cp -r .g .git && git config core.fsmonitor $EVIL",
  ".git/commondir that leads elsewhere":
    "cp -r .git evil; git -C . config -f evil/config core.fsmonitor $EVIL; echo ../evil > .git/commondir",
  "commondir replaced":
    "cp -r .git evil; git config -f evil/config core.fsmonitor $EVIL; echo ../evil > /tmp/c; mv -f /tmp/c .git/commondir",
  "a hook": "cp $EVIL .git/hooks/post-index-change; cp $EVIL .git/hooks/pre-commit; chmod +x .git/hooks/*",
  "the hooks' folder moved away":
    "mv .git/hooks .git/h; mkdir .git/hooks; cp $EVIL .git/hooks/post-index-change",
  "config.worktree":
    "printf '[core]\\nfsmonitor = %s\\n' $EVIL > .git/config.worktree; git config extensions.worktreeConfig true",
  "an included file":
    "git config include.path ../evil.config; printf '[core]\\nfsmonitor = %s\\n' $EVIL > evil.config",
  "a submodule's configuration":
    "git -C sub config core.fsmonitor $EVIL; git config -f .git/modules/sub/config core.fsmonitor $EVIL",
  "a submodule's folder moved away":
    "mv .git/modules/sub .git/modules/x; cp -r .git/modules/x .git/modules/sub; git config -f .git/modules/sub/config core.fsmonitor $EVIL",
  "all modules moved away":
    "mv .git/modules .git/m; cp -r .git/m .git/modules; git config -f .git/modules/sub/config core.fsmonitor $EVIL",
  "a nested repository's configuration": "git -C nested config core.fsmonitor $EVIL",
  "the nested repository replaced":
    "mv nested/.git nested/g; cp -r nested/g nested/.git; git -C nested config core.fsmonitor $EVIL",
};

describe.if(noSandbox() === undefined)("a repository", () => {
  let sandbox: Sandbox;
  let evil: string;

  beforeAll(async () => {
    sandbox = await startSandbox();
    evil = join(sandbox.project, "evil.sh");
    const script = `
set -e
export GIT_CONFIG_GLOBAL=/dev/null
git init -q -b main /tmp/source-$$; git -C /tmp/source-$$ ${IDENTITY} commit -q --allow-empty -m one
git init -q -b main .; git ${IDENTITY} commit -q --allow-empty -m first
git -c protocol.file.allow=always submodule --quiet add /tmp/source-$$ sub
git init -q -b main nested; rm -rf /tmp/source-$$
git ${IDENTITY} commit -q -m sub
git worktree add -q ../tree
echo .vscode > .gitignore; mkdir .vscode; echo '{}' > .vscode/settings.json; echo 'export A=1' > .envrc`;
    const { code, stderr } = await sandbox.outside(["/bin/sh", "-c", script]);
    expect([code, stderr]).toEqual([0, ""]);
    await sandbox.write(evil, `#!/bin/sh\necho ran > ${sandbox.home}/EVIL\n`, 0o755);
  }, LONG_MS);

  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  }, LONG_MS);

  test(
    "daily work is quiet: commit, branch, switch, stash, log, gc",
    async () => {
      const { code, stderr } = await sandbox.inside(`set -e
git status -s > /dev/null; echo text > file; git add file; git ${IDENTITY} commit -q -m change
git switch -q -c topic; git switch -q main; echo more >> file; git ${IDENTITY} stash -q; git stash pop -q
git log --oneline > /dev/null; git gc -q; git -C sub log --oneline > /dev/null; git checkout -q file`);
      expect([code, stderr]).toEqual([0, ""]);
    },
    LONG_MS,
  );

  test(
    "the same in another work tree of the repository",
    async () => {
      const { code, stderr } = await sandbox.inside(
        `set -e; git status -s > /dev/null; echo text > other; git add other; git ${IDENTITY} commit -q -m there`,
        { cwd: join(sandbox.home, "tree") },
      );
      expect([code, stderr]).toEqual([0, ""]);
    },
    LONG_MS,
  );

  for (const [name, attempt] of Object.entries(ATTEMPTS))
    test(
      `held: ${name}`,
      async () => {
        const { stdout } = await sandbox.inside(`EVIL=${evil}\n(${attempt}) 2>/dev/null\necho the end`);
        expect(stdout).toContain("the end");
        const git = ["status", "-C sub status", "-C nested status", "-C ../tree status"];
        await sandbox.outside([
          "/bin/sh",
          "-c",
          `${git.map((each) => `git ${each} 2>/dev/null >&2`).join("; ")}; git ${IDENTITY} commit -q --allow-empty -m x 2>/dev/null; true`,
        ]);
        expect(existsSync(join(sandbox.home, "EVIL"))).toBe(false);
      },
      LONG_MS,
    );

  test(
    "the attempts are real: outside of the sandbox they run the program",
    async () => {
      const copy = join(sandbox.home, "copy");
      for (const name of ["core.fsmonitor in the configuration", ".git/commondir that leads elsewhere"]) {
        const script = `cp -r . ${copy}; cd ${copy}; rm -f .git/commondir; EVIL=${evil}\n(${ATTEMPTS[name]}); git status; rm -rf ${copy}`;
        await sandbox.outside(["/bin/sh", "-c", script]);
        expect([name, existsSync(join(sandbox.home, "EVIL"))]).toEqual([name, true]);
        await sandbox.outside(["/bin/rm", join(sandbox.home, "EVIL")]);
      }
    },
    LONG_MS,
  );

  test(
    "new files of this kind are moved away while the agent runs, told at the end, and come back on demand",
    async () => {
      const { code, stderr, stdout } = await sandbox.inside(
        "mkdir -p .claude deep/in && echo {} > .mcp.json && echo x > deep/in/.envrc && touch plain; for i in $(seq 100); do [ -e .mcp.json ] || break; sleep 0.1; done; ls -A . deep/in",
      );
      expect([code, stderr]).toEqual([0, expect.stringContaining("moved away: new files by which programs")]);
      expect(stdout).not.toContain(".mcp.json");
      for (const name of [".claude", ".mcp.json", "deep/in/.envrc"]) {
        expect(stderr).toContain(`  ${join(sandbox.project, name)}\n`);
        expect(existsSync(join(sandbox.project, name))).toBe(false);
      }
      for (const name of ["plain", `${sandbox.project}/.envrc`]) expect(stderr).not.toContain(name);
      expect((await sandbox.inside("true")).stderr).toBe("");
      expect((await sandbox.iddio(["run", "quarantine"])).stdout).toContain(".mcp.json");
      expect((await sandbox.iddio(["run", "restore", ".mcp.json"])).stdout).toContain("restored");
      expect(await Bun.file(join(sandbox.project, ".mcp.json")).text()).toBe("{}\n");
      expect((await sandbox.iddio(["run", "restore", ".mcp.json"])).code).toBe(1);
      await sandbox.outside(["/bin/rm", ".mcp.json"]);
    },
    LONG_MS,
  );

  test(
    "what was given by name may be written and stays",
    async () => {
      const flags = ["--rw", join(sandbox.project, ".vscode")];
      const { code, stderr } = await sandbox.inside("echo '{}' > .vscode/settings.json", { flags });
      expect([code, stderr]).toEqual([0, ""]);
    },
    LONG_MS,
  );

  test(
    "a repository that the agent makes or clones stays and works; what in it would start programs does not",
    async () => {
      const { stderr } = await sandbox.inside(
        `export GIT_CONFIG_GLOBAL=/dev/null; set -e; git init -q -b main plainly; cd plainly; git ${IDENTITY} commit -q --allow-empty -m one; git remote add origin https://a.example/b.git; git config user.name me; git worktree add -q ../side; cd ..; git init -q --bare bare.git; git clone -q plainly copy`,
      );
      expect(stderr).toBe("");
      const bad = `export GIT_CONFIG_GLOBAL=/dev/null; set -e; git clone -q plainly second; git init -q --bare bare2.git; git clone -q plainly copy2; cd second; git config user.name me2; git config core.fsmonitor ${evil}; cp ${evil} .git/hooks/pre-commit; cd ..; git config -f bare2.git/config core.fsmonitor ${evil}; git config -f copy2/.git/config include.path ${evil}; mkdir -p pointer; cp -r second/.git pointer/real; echo "gitdir: real" > pointer/.git; ln -s second linked-tree; mkdir linked; ln -s ../second/.git linked/.git; mkdir .git/modules/fresh; cp -r second/.git/. .git/modules/fresh/`;
      const second = await sandbox.inside(bad);
      expect([second.code, second.stderr]).toEqual([0, expect.stringContaining("moved away")]);
      const look = [
        "plainly",
        "second",
        "bare.git",
        "bare2.git",
        "copy",
        "copy2",
        "pointer",
        "linked",
        ".git/modules/fresh",
        "side",
      ];
      await sandbox.outside([
        "/bin/sh",
        "-c",
        `${look.map((each) => `(cd ${each} && git status; git ${IDENTITY} commit --allow-empty -m x; git log -1)`).join("; ")}`,
      ]);
      expect(existsSync(join(sandbox.home, "EVIL"))).toBe(false);
      const log = await sandbox.outside([
        "/bin/sh",
        "-c",
        "git -C second log --oneline; git -C plainly remote -v; git -C second config user.name",
      ]);
      expect(log.stdout).toContain("one");
      expect(log.stdout).toContain("https://a.example/b.git");
      expect(log.stdout).toContain("me2\n");
    },
    LONG_MS,
  );

  test(
    "held: hooks and configuration in the work tree that the repository's own configuration names",
    async () => {
      const { project } = sandbox;
      await sandbox.outside([
        "/bin/sh",
        "-c",
        "mkdir -p tools/hooks; git config core.hooksPath tools/hooks; git config include.path ../common/gitconfig; mkdir common; git config -f .git/extra user.name me; git config --add include.path extra",
      ]);
      const { stdout } = await sandbox.inside(
        `(cp ${evil} tools/hooks/pre-commit; mv tools t2 && mkdir -p tools/hooks && cp ${evil} tools/hooks/pre-commit; for f in common/gitconfig .git/extra; do git config -f $f core.fsmonitor ${evil}; echo evil >> $f; rm -f $f; done; mv common s2; mkdir -p common; printf '[core]\n fsmonitor = ${evil}\n' > common/gitconfig) 2>/dev/null; echo the end`,
      );
      expect(stdout).toBe("the end\n");
      await sandbox.outside([
        "/bin/sh",
        "-c",
        `git status; git ${IDENTITY} commit -q --allow-empty -m x; git config --unset core.hooksPath; git config --unset-all include.path; rm -rf tools common`,
      ]);
      expect(existsSync(join(sandbox.home, "EVIL"))).toBe(false);
      expect(existsSync(join(project, "t2"))).toBe(false);
    },
    LONG_MS,
  );

  test(
    "held: a nested repository, or a file's folder, moved away and made again",
    async () => {
      await sandbox.outside(["/bin/sh", "-c", "mkdir -p app && echo 'export B=1' > app/.envrc"]);
      const { stdout } = await sandbox.inside(
        `mv nested n2 && mkdir nested && cp -r n2/.git nested/.git && git -C nested config core.fsmonitor ${evil} && echo moved; mv app app2 && mkdir app && echo evil > app/.envrc && echo again; echo evil > app2/.envrc; true`,
      );
      expect(stdout).toContain("moved");
      await sandbox.outside(["/bin/sh", "-c", "git -C nested status; git -C n2 status; true"]);
      expect(existsSync(join(sandbox.home, "EVIL"))).toBe(false);
      expect(existsSync(join(sandbox.project, "app", ".envrc"))).toBe(false);
      await sandbox.outside(["/bin/rm", "-rf", "nested", "app", "app2"]);
      await sandbox.outside(["/bin/mv", "n2", "nested"]);
    },
    LONG_MS,
  );

  test(
    "held: a link in the way does not have other files moved",
    async () => {
      const { home, project } = sandbox;
      await sandbox.outside([
        "/bin/sh",
        "-c",
        `mkdir -p ${home}/.cargo ${home}/victim && echo mine > ${home}/.cargo/config.toml && echo mine > ${home}/victim/.envrc`,
      ]);
      await sandbox.inside(
        `ln -s ${home}/.cargo .cargo; ln -s ${home}/victim sub2; mkdir evil2; ln -s ${home}/victim evil2/.git`,
      );
      expect(await Bun.file(join(home, ".cargo", "config.toml")).text()).toBe("mine\n");
      expect(await Bun.file(join(home, "victim", ".envrc")).text()).toBe("mine\n");
      expect(existsSync(join(project, ".cargo"))).toBe(false);
    },
    LONG_MS,
  );

  test(
    "held: files of the project by which tools run programs are read-only where they are there",
    async () => {
      const { stdout } = await sandbox.inside(
        "for f in .envrc .vscode/settings.json; do echo evil > $f; rm -f $f; mv $f x; done 2>/dev/null; mv .vscode v 2>/dev/null; cat .envrc .vscode/settings.json",
      );
      expect(stdout).toBe("export A=1\n{}\n");
    },
    LONG_MS,
  );
});
