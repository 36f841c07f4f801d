import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderShellInit, renderShellUnset, SHELLS, type Shell } from "../../src/text/shell-init.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** A path with everything that a shell could trip over. */
let root: string;
let program: string;
let kubeconfig: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  root = join(directory.path, 'it\'s a "$HOME" `x` \\ dir;&');
  await mkdir(root);
  program = join(root, "iddio");
  kubeconfig = join(root, "kubeconfig");
  await writeFile(program, '#!/bin/sh\n[ "$1 $2" = "status --quiet" ] || exit 2\nexit "$TEST_DAEMON"\n');
  await chmod(program, 0o755);
});
afterAll(() => directory[Symbol.asyncDispose]());

/** The snippet, for a proxy on this port. */
function init(shell: Shell, port = 9443): string {
  return renderShellInit(shell, {
    program: [program],
    home: root,
    proxyUrl: `http://127.0.0.1:${port}`,
    bundle: join(root, "ca-bundle.pem"),
    kubeconfig,
  });
}

function unset(shell: Shell): string {
  return renderShellUnset(shell, { bundle: join(root, "ca-bundle.pem"), kubeconfig });
}

/** Sources snippets in the real shell, by default the one that sets, and gives the variables that it exported. */
function sourced(shell: Shell, env: Record<string, string>, snippet = init(shell)): Map<string, string> {
  const flags = shell === "bash" ? ["--norc", "--noprofile"] : shell === "zsh" ? ["-f"] : ["--no-config"];
  const run = Bun.spawnSync([shell, ...flags, "-c", `${snippet}env -0`], {
    env: { PATH: process.env.PATH ?? "", HOME: root, TEST_DAEMON: "0", ...env },
  });
  expect(run.stderr.toString()).toBe("");
  expect(run.exitCode).toBe(0);
  return new Map(
    run.stdout
      .toString()
      .split("\0")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

const installed = SHELLS.filter((shell) => Bun.which(shell) !== null);

for (const shell of installed) {
  describe(`in ${shell}`, () => {
    test("the proxy and CA variables are set while the daemon is up, whatever is in the paths", () => {
      const env = sourced(shell, {});
      for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]) {
        expect(env.get(name)).toBe("http://127.0.0.1:9443");
      }
      for (const name of [
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "AWS_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "CURL_CA_BUNDLE",
        "PIP_CERT",
        "CARGO_HTTP_CAINFO",
        "DENO_CERT",
        "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
      ]) {
        expect(env.get(name)).toBe(join(root, "ca-bundle.pem"));
      }
      expect(env.get("NODE_USE_ENV_PROXY")).toBe("1");
      expect(env.get("IDDIO_PROXY")).toBe("http://127.0.0.1:9443");
      expect(env.get("NO_PROXY")).toBe("localhost,127.0.0.1,::1");
      expect(env.get("no_proxy")).toBe("localhost,127.0.0.1,::1");
    });

    test("nothing is set while the daemon is down", () => {
      const env = sourced(shell, { TEST_DAEMON: "1", NO_PROXY: "a" });
      expect(env.get("HTTPS_PROXY")).toBeUndefined();
      expect(env.get("SSL_CERT_FILE")).toBeUndefined();
      expect(env.get("NO_PROXY")).toBe("a");
    });

    test("a NO_PROXY that is there is kept and added to once", () => {
      const env = sourced(shell, { NO_PROXY: "corp.example", no_proxy: "127.0.0.1,x" });
      expect(env.get("NO_PROXY")).toBe("corp.example,localhost,127.0.0.1,::1");
      expect(env.get("no_proxy")).toBe("127.0.0.1,x");
    });

    test("KUBECONFIG points to the overlay only when the overlay is there", async () => {
      expect(sourced(shell, { KUBECONFIG: "/own" }).get("KUBECONFIG")).toBe("/own");
      await writeFile(kubeconfig, "");
      expect(sourced(shell, { KUBECONFIG: "/own" }).get("KUBECONFIG")).toBe(kubeconfig);
      await Bun.file(kubeconfig).delete();
    });

    describe("taken back, every variable is what it was", () => {
      const nothing = { TEST_DAEMON: "0" };
      const own = {
        HTTPS_PROXY: "http://it's-$corp:3128",
        https_proxy: "",
        SSL_CERT_FILE: "/own `roots`.pem",
        NODE_USE_ENV_PROXY: "0",
        NO_PROXY: "corp.example",
        no_proxy: "127.0.0.1",
        KUBECONFIG: "/own",
      };
      const rows: readonly (readonly [string, Record<string, string>, () => string])[] = [
        ["that is nothing", nothing, () => init(shell) + unset(shell)],
        ["or something of its own", own, () => init(shell) + unset(shell)],
        ["also when it was set twice", own, () => init(shell) + init(shell) + unset(shell)],
        ["also when the address changed between", own, () => init(shell) + init(shell, 9444) + unset(shell)],
        ["also when it is taken back twice", own, () => init(shell) + unset(shell) + unset(shell)],
        ["also when it was never set", own, () => unset(shell)],
      ];
      for (const [name, env, snippet] of rows)
        test(name, async () => {
          await writeFile(kubeconfig, "");
          const before = sourced(shell, env, "");
          expect(sourced(shell, env, snippet())).toEqual(before);
          await Bun.file(kubeconfig).delete();
        });

      test("but what was changed since stays", () => {
        const change = shell === "fish" ? "set -gx HTTPS_PROXY mine\n" : "export HTTPS_PROXY=mine\n";
        const env = sourced(shell, own, init(shell) + change + unset(shell));
        expect(env.get("HTTPS_PROXY")).toBe("mine");
        expect(env.get("SSL_CERT_FILE")).toBe("/own `roots`.pem");
      });

      test("and both work where a mistake ends the shell", () => {
        if (shell === "fish") return;
        const before = sourced(shell, own, "");
        expect(sourced(shell, own, `set -eu\n${init(shell)}${unset(shell)}`)).toEqual(before);
      });
    });
  });
}

test("the shells are there to try the snippet in", () => {
  expect(installed).toContain("bash");
  if (process.env.IDDIO_REQUIRE_CLIENTS === "1") expect(installed).toEqual([...SHELLS]);
});
