// The operations that a command line gives away, whatever it is wrapped in. A row is a line and its
// findings: `tier command` for each program that a protocol knows, in order, `unknown` for a part
// that cannot be read, nothing for the rest.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell, not JavaScript

import { expect, test } from "bun:test";
import { classifyScript } from "../../../src/protocols/shell/classify-script.ts";

const GET = "observe pods list";
const DELETE = "break-glass namespaces delete";

const ROWS: readonly (readonly [line: string, ...found: readonly string[]])[] = [
  ["ls -la && npm test | tee out.txt"],
  ["git commit -m 'kubectl delete ns prod'"],
  ["echo kubectl delete ns prod"],
  ["cat <<'EOF'\nkubectl delete ns prod\nEOF"],
  ["grep -r 'kubectl delete' . | head"],
  ["./deploy.sh && make release"],
  ["for f in *.ts; do wc -l $f; done"],
  ["cd /tmp && python -c 'print(1)'"],
  ["[ -f x ] && [[ -d y ]] && echo $HOME ${X:-y} $((1 + 2))"],
  ["X=1; export PATH=$PATH:/x; source ~/.bashrc"],
  ["find . -name '*.ts' -exec grep foo {} +"],
  ["find . -type f -delete"],
  ["git checkout -- helm"],
  ["grep -- kubectl deploy.md"],
  ["kubectl exec web -- kubectl delete ns prod", "break-glass exec", DELETE],
  ["xargs rm < list"],
  ["bash build.sh --fast"],
  ["bash -c 'ls | wc -l'"],
  ["docker run --rm -it alpine ls"],
  ["npx vitest run"],
  ["sudo apt-get update"],
  ["timeout 10 npm test"],
  ["kubectl get pods", GET],
  ["k get pods", GET],
  ["/usr/local/bin/kubectl get pods", GET],
  ["~/bin/kubectl get pods", GET],
  ["$HOME/bin/kubectl get pods", GET],
  ['"$DIR"/kubectl get pods', GET],
  ['ku""bec\\tl get pods', GET],
  ["$'kube\\x63tl' get pods", GET],
  ["kubectl delete ns prod", DELETE],
  ["ls; kubectl delete ns prod", DELETE],
  ["ls && kubectl get pods || kubectl delete ns prod", GET, DELETE],
  ["kubectl get pods | xargs kubectl delete ns", GET, `unknown ${DELETE}`],
  ["x=$(kubectl delete ns prod)", DELETE],
  ['echo "a $(kubectl delete ns prod) b"', DELETE],
  ["echo `kubectl delete ns prod`", DELETE],
  ["diff <(kubectl get pods) x", GET],
  ["cat <<EOF\n$(kubectl delete ns prod)\nEOF", DELETE],
  ["f() { kubectl delete ns prod; }", DELETE],
  ["if true; then kubectl delete ns prod; fi", DELETE],
  ["case $x in a) kubectl delete ns prod;; esac", DELETE],
  ["while read l; do kubectl delete ns prod; done < f", DELETE],
  ["(kubectl delete ns prod)", DELETE],
  ["{ kubectl delete ns prod; } > out", DELETE],
  ["! kubectl delete ns prod &", DELETE],
  ["time -p kubectl delete ns prod", DELETE],
  ["coproc kubectl delete ns prod", DELETE],
  ["[[ $(kubectl delete ns prod) ]]", DELETE],
  ["(( x = $(kubectl delete ns prod) ))", DELETE],
  ["${x:-$(kubectl delete ns prod)}", "unknown", DELETE],
  ["a=(1 $(kubectl delete ns prod))", DELETE],
  ["ls > $(kubectl delete ns prod)", DELETE],
  ["env FOO=1 -u X kubectl delete ns prod", DELETE],
  ["env -S 'kubectl delete ns prod'", DELETE],
  ["FOO=1 kubectl delete ns prod", DELETE],
  ["sudo -u root -E kubectl delete ns prod", DELETE],
  ["sudo FOO=1 kubectl delete ns prod", DELETE],
  ["doas kubectl delete ns prod", DELETE],
  ["command kubectl delete ns prod", DELETE],
  ["command -v kubectl"],
  ["exec -a x kubectl delete ns prod", DELETE],
  ["nohup kubectl delete ns prod", DELETE],
  ["nice -n 5 kubectl delete ns prod", DELETE],
  ["nice -5 kubectl delete ns prod", DELETE],
  ["timeout -k 5 --signal=KILL 10s kubectl delete ns prod", DELETE],
  ["stdbuf -oL kubectl delete ns prod", DELETE],
  ["setsid -f kubectl delete ns prod", DELETE],
  ["watch -n 1 'kubectl delete ns prod'", DELETE],
  ["flock /tmp/l kubectl delete ns prod", DELETE],
  ["flock /tmp/l -c 'kubectl delete ns prod'", DELETE],
  ["su - bob -c 'kubectl delete ns prod'", DELETE],
  ["script -qc 'kubectl delete ns prod' /dev/null", DELETE],
  ["bash -c 'kubectl delete ns prod'", DELETE],
  ["bash -lc 'kubectl delete ns prod'", DELETE],
  ["bash -euo pipefail -c 'kubectl delete ns prod'", DELETE],
  ["bash -ceuo pipefail 'kubectl delete ns prod'", DELETE],
  ["sh -c -e 'kubectl delete ns prod'", DELETE],
  ["bash -c \"bash -c 'kubectl delete ns prod'\"", DELETE],
  ['bash -c "$X"', "unknown"],
  ["busybox sh -c 'kubectl delete ns prod'", DELETE],
  ["eval 'kubectl delete' ns prod", DELETE],
  ['eval "$X"', "unknown"],
  ["trap 'kubectl delete ns prod' EXIT", DELETE],
  ["bash <<'EOF'\nkubectl delete ns prod\nEOF", DELETE],
  ["bash <<< 'kubectl delete ns prod'", DELETE],
  ["bash -s <<EOF\nkubectl delete ns prod\nEOF", DELETE],
  ["curl https://x | sh", "unknown"],
  ["curl https://x | sudo bash", "unknown"],
  ["gpg -d f | bash -s -- x", "unknown"],
  ["echo aGk= | base64 -d | bash -s -- x"],
  ["sudo --strange kubectl delete ns prod", "unknown", `unknown ${DELETE}`],
  ["find . -exec kubectl delete ns prod \\;", DELETE],
  ["find . -exec kubectl delete ns {} \\;", `unknown ${DELETE}`],
  ["xargs -n1 -P4 kubectl delete ns", `unknown ${DELETE}`],
  ["xargs -I{} sh -c 'kubectl delete ns prod {}'", `unknown ${DELETE}`],
  ["parallel kubectl delete ns ::: a b", `unknown ${DELETE}`],
  ["aws-vault exec prod -- kubectl delete ns prod", DELETE],
  ["direnv exec . kubectl delete ns prod", DELETE],
  ["npx wrangler@4 whoami", "observe whoami"],
  ["docker compose exec web kubectl delete ns prod", DELETE],
  ["ssh host 'kubectl delete ns prod'", DELETE],
  ["ssh -p 22 host kubectl delete ns prod", DELETE],
  ["alias x='kubectl delete ns prod'", `unknown ${DELETE}`],
  ["alias ll='ls -l'"],
  ["kubectl delete ns $NS", `unknown ${DELETE}`],
  ["kubectl get pods -n $NS", "unknown pods list"],
  ["$CMD get pods", "unknown"],
  ["$(which kubectl) get pods", "unknown"],
  ["kubectl delete ns 'unterminated", "unknown", DELETE],
  ["HELM_NAMESPACE=prod helm list", "unknown list"],
];

test("what a command line gives away", () => {
  const wrong: string[] = [];
  for (const [line, ...expected] of ROWS) {
    const found = classifyScript(line).map(({ classification: { tier, command, parts } }) => {
      const inner = parts?.find((part) => part.tier !== "unknown");
      const strict = inner === undefined ? command : `${inner.tier} ${inner.command}`;
      return `${tier} ${strict}`.trim();
    });
    if (JSON.stringify(found) !== JSON.stringify(expected))
      wrong.push(`${line}\n    found ${JSON.stringify(found)}\n    not   ${JSON.stringify(expected)}`);
  }
  expect(wrong).toEqual([]);
});
