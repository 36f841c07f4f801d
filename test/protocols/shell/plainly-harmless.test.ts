// The quick answer of a hook: what it calls harmless, the whole reader has nothing to say about
// either.

import { expect, test } from "bun:test";
import { CLASSIFIERS } from "../../../src/protocols/registry.ts";
import { classifyScript } from "../../../src/protocols/shell/classify-script.ts";
import { JUDGED_PROGRAMS } from "../../../src/protocols/shell/guarded-names.ts";
import { isPlainlyHarmless } from "../../../src/protocols/shell/plainly-harmless.ts";

const HARMLESS = [
  "ls -la",
  "npm test",
  "git status && git diff --stat",
  "cat src/main.ts | grep -n import | head -20",
  "cd /srv/project; make -j4 all",
  "NODE_ENV=test node dist/index.js --port=3000",
  "echo finished",
];

const NOT_PLAIN = [
  "kubectl get pods",
  "/usr/local/bin/kubectl.exe delete pod x",
  "ls && k delete ns prod",
  "env A=b kubectl get pods",
  "find . -name x",
  "sh deploy.sh",
  "echo x | bash",
  "X=kubectl run",
  "ls $(echo x)",
  "ls > out",
  "'kubectl' get",
  "kube\\ctl get",
  "if ls",
  "ls &&",
  "| ls",
  "ls & rm x",
  "ls\nrm x",
  "ssh host uname",
  "KUBECTL delete pod x",
  "helm3 uninstall x",
  "kubectl-1.31 delete pod x",
  "python3 -m awscli s3 rm s3://x",
  "echo a3ViZWN0bCBkZWxldGUgcG9kIHg= | base64 -d | python3",
  "cat x | . /dev/stdin",
  "=kubectl delete pod x",
  "",
];

test("what is most of an agent's work is answered at once", () => {
  for (const text of HARMLESS) expect([text, isPlainlyHarmless(text)]).toEqual([text, true]);
  for (const text of NOT_PLAIN) expect([text, isPlainlyHarmless(text)]).toEqual([text, false]);
});

test("every program that a classifier reads is known here", () => {
  const programs = CLASSIFIERS.flatMap((classifier) => classifier.programs);
  expect(programs.filter((program) => !JUDGED_PROGRAMS.has(program))).toEqual([]);
});

test("nothing that is called harmless concerns a protocol, in ten thousand scripts of any words", () => {
  const words =
    "ls git npm npx docker exec run -- -c -x . source sudo env nohup timeout 5 xargs find -exec kubectl /bin/aws gh delete get pods A=b A=kubectl k tf helm apply ssh scp host: if then fi for do done while case esac function time ! alias trap eval sh bash cat - --flag=kubectl x.exe terraform.exe % @ : + = export set busybox watch parallel entr command builtin hash -p ln cp mv python3 -m awscli aws-cli . make -f at crontab base64 -d a3ViZWN0bA== 6b75626563746c tool helm3 kubectl-1.3 KUBECTL Gh kubecolor minikube node -e coproc enable read test -v PAGER=k EDITOR=less =gh".split(
      " ",
    );
  const joints = [" ", " ", " ", " ", " && ", " || ", " | ", "; ", " ;", ""];
  let seed = 20_261_129;
  const next = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  let harmless = 0;
  for (let round = 0; round < 10_000; round += 1) {
    let text = "";
    for (let count = 1 + next(5); count > 0; count -= 1)
      text += `${words[next(words.length)]}${joints[next(joints.length)]}`;
    if (!isPlainlyHarmless(text)) continue;
    harmless += 1;
    const seen: string[] = [];
    const parts = classifyScript(text, (name) => seen.push(name));
    expect([text, parts, seen.filter((name) => JUDGED_PROGRAMS.has(name))]).toEqual([text, [], []]);
  }
  expect(harmless).toBeGreaterThan(50);
});
