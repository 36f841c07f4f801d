// Completion, first as the registry knows it, then in the real shells, with a daemon and 200
// requests that wait.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { candidatesFor } from "../../src/cli/completion/candidates.ts";
import { COMMANDS, NOUNS } from "../../src/cli/registry.ts";
import { SHELLS, type Shell } from "../../src/text/shell-init.ts";
import { builtBinary } from "../support/built-binary.ts";
import { eventually } from "../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";
import { connectRaw, type RawClient } from "../support/wire/proxy-client.ts";

function words(line: string): string[] {
  const found = candidatesFor(line.split(" "), COMMANDS, NOUNS);
  return found.kind === "words" ? found.words.map(({ value }) => value) : [];
}

describe("by the registry", () => {
  test("every first word of a command, once, and help", () => {
    const firsts = COMMANDS.filter(({ isHidden }) => isHidden !== true).map(({ name }) => name.split(" ")[0]);
    expect(words("").sort()).toEqual([...new Set([...firsts, "help"])].sort() as string[]);
    const found = candidatesFor([""], COMMANDS, NOUNS);
    const all = found.kind === "words" ? found.words : [];
    expect(all.filter(({ about }) => about === "")).toEqual([]);
  });

  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["approval ", ["list", "show", "watch", "allow", "deny", "grants"]],
    ["approval grants ", ["list", "revoke"]],
    ["help approval grants ", ["list", "revoke"]],
    ["approval allow --", ["--reason", "--for", "--rest-of-command", "--digest", "--json", "--help"]],
    ["approval allow a1 ", ["--reason", "--for", "--rest-of-command", "--digest", "--json", "--help"]],
    ["approval allow a1 --reason why --", ["--for", "--rest-of-command", "--digest", "--json", "--help"]],
    ["approval allow a1 --reason=why --", ["--for", "--rest-of-command", "--digest", "--json", "--help"]],
    ["approval allow --reason ", []],
    ["audit tail --filter a=b --", ["--lines", "--filter", "--json", "--help"]],
    ["shell-init ", ["bash", "zsh", "fish"]],
    ["set-proxy-mode ", ["off", "passthrough", "observe", "enforce"]],
    ["observe show --op ", ["allow", "escalate", "deny"]],
    ["observe show --op=", ["--op=allow", "--op=escalate", "--op=deny"]],
    ["no such command ", []],
    ["status --nonsense=", []],
    // Another program's command line is its own.
    ["classify cli kubectl --", []],
  ];
  for (const [line, want] of rows) test(JSON.stringify(line), () => expect(words(line)).toEqual([...want]));

  const questions: readonly (readonly [string, string, readonly string[]])[] = [
    ["approval allow ", "approval", []],
    ["approval allow --reason why ", "approval", []],
    ["approval allow -- ", "approval", []],
    ["approval grants revoke ", "grant", []],
    ["inspect remove kubectl ", "inspect-entry", ["kubectl"]],
    ["policy validate --path ", "file", []],
    ["audit show --host ", "host", []],
    ["unpin ", "pin", []],
    ["settings set ", "setting", []],
  ];
  for (const [line, what, args] of questions)
    test(`${JSON.stringify(line)} asks for ${what}`, () =>
      expect(candidatesFor(line.split(" "), COMMANDS, NOUNS)).toEqual({
        kind: "ask",
        what,
        args,
        prefix: "",
      } as never));
});

const installed = SHELLS.filter((shell) => Bun.which(shell) !== null);
const POLICY = `kubectl:
  inspect: ["*.eks.amazonaws.com", "cluster.example.com:6443"]
  default: escalate
generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
`;

let gateway: GatewayProcess;
let clients: RawClient[];
let env: Record<string, string>;
let ids: string[];

beforeAll(async () => {
  const path = `${dirname(builtBinary())}:${process.env.PATH ?? ""}`;
  gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 60s\n" });
  env = { PATH: path, HOME: gateway.home, IDDIO_HOME: gateway.home, LC_ALL: "C.UTF-8" };
  await mkdir(join(gateway.home, "some dir"));
  await writeFile(join(gateway.home, "some dir", "a file.yaml"), "");
  clients = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const client = await connectRaw(gateway.port);
      client.send(
        `POST http://127.0.0.1:9/n${index} HTTP/1.1\r\nHost: 127.0.0.1:9\r\nContent-Length: 0\r\n\r\n`,
      );
      return client;
    }),
  );
  const approvals = await eventually(
    async () => (await gateway.control.call("approvals_list", {})).approvals,
    (all) => all.length === 200,
  );
  ids = approvals.map(({ id }) => id);
}, 120_000);

afterAll(async () => {
  for (const client of clients) client.socket.destroy();
  await gateway[Symbol.asyncDispose]();
});

/** The shell's own proposals for a line with the cursor at its end. */
async function proposed(shell: Shell, line: string): Promise<string[]> {
  const script = {
    // As readline calls it: words split at blanks, and at `:` and `=` as words of their own.
    bash: `eval "$(iddio completion bash)"
      COMP_LINE=$1; COMP_POINT=\${#1}; COMP_WORDS=(); rest=$1
      while [[ -n $rest ]]; do
        if [[ $rest =~ ^[[:space:]]+ ]]; then rest=\${rest#"$BASH_REMATCH"}; [[ -z $rest ]] && COMP_WORDS+=(""); continue; fi
        [[ $rest =~ ^([:=]+|[^:=[:space:]]+) ]]; COMP_WORDS+=("$BASH_REMATCH"); rest=\${rest#"$BASH_REMATCH"}
      done
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _iddio 2> >(grep -v compopt >&2); printf '%s\\n' "\${COMPREPLY[@]}"`,
    // compadd is what would show the list; here it prints what it is given.
    zsh: `compdef() { }; eval "$(iddio completion zsh)"
      compadd() { local -a v; v=(\${(P)\${@[-1]}}); print -l -- \${(M)v:#\${words[CURRENT]}*} }
      _files() { print -- :files }
      words=(\${(z)1}); [[ $1 == *' ' ]] && words+=(''); CURRENT=$#words; _iddio`,
    fish: `iddio completion fish | source; complete -C $argv[1] | string split -f1 \\t`,
  }[shell];
  const argv = shell === "fish" ? ["--no-config", "-c", script, line] : ["-c", script, shell, line];
  const run = Bun.spawn([shell, ...(shell === "zsh" ? ["-f"] : []), ...argv], {
    env,
    cwd: gateway.home,
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  expect(stderr).toBe("");
  return stdout.split("\n").filter((each) => each !== "");
}

for (const shell of installed) {
  describe(`in ${shell}`, () => {
    const rows: readonly (readonly [string, readonly string[]])[] = [
      ["iddio stat", ["status"]],
      ["iddio approval gr", ["grants"]],
      ["iddio approval grants ", ["list", "revoke"]],
      ["iddio status --q", ["--quiet"]],
      ["iddio inspect remove k", ["kubectl"]],
      ["iddio inspect remove kubectl c", ["cluster.example.com:6443"]],
      ["iddio settings set log", ["log_level="]],
      ["iddio nonsense ", []],
    ];
    for (const [line, want] of rows)
      test(line, async () => expect((await proposed(shell, line)).sort()).toEqual([...want].sort()));

    test("two hundred ids, each whole", async () => {
      expect((await proposed(shell, "iddio approval allow ")).sort()).toEqual([...ids].sort());
      const [one = ""] = ids;
      const digits = one.slice(5, 11);
      expect(await proposed(shell, `iddio approval show ${digits}`)).toContain(one.slice(5));
      expect(await proposed(shell, `iddio approval show appr_${digits}`)).toContain(one);
    });

    test("without a daemon the words of the registry stay", async () => {
      const before = env;
      env = { ...env, IDDIO_HOME: join(gateway.home, "nowhere") };
      expect(await proposed(shell, "iddio approval allow ")).toEqual([]);
      expect(await proposed(shell, "iddio approval gr")).toEqual(["grants"]);
      env = before;
    });
  });
}

test("bash replaces only what stands after the last colon or equals sign", async () => {
  expect(await proposed("bash", "iddio inspect remove kubectl cluster.example.com:6")).toEqual(["6443"]);
  expect(await proposed("bash", "iddio observe show --op=es")).toEqual(["escalate"]);
  expect(await proposed("bash", "iddio observe show --op=")).toEqual(["allow", "escalate", "deny"]);
});

test("the shells are there to try it in", () => {
  expect(installed).toContain("bash");
  if (process.env.IDDIO_REQUIRE_CLIENTS === "1") expect(installed).toEqual([...SHELLS]);
});
