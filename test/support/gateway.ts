// The compiled program as a user has it: `iddio gateway` as a process of its own with a state
// directory of its own, on port 0. Every other command is run as a process too, so that what is
// tested is what is shipped.

import { chownSync, readdirSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ControlClient } from "../../src/api/client.ts";
import type { Approval } from "../../src/api/reports.ts";
import type { Entry } from "../../src/model/entry.ts";
import { builtBinary, placeProgram } from "./built-binary.ts";
import {
  COMPILED_ONCE,
  type Finished,
  type Running,
  type RunOptions,
  runClient,
  startClient,
} from "./clients.ts";
import { eventually } from "./eventually.ts";
import { giveAuthority } from "./shared/authority.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { testSettings } from "./test-settings.ts";

/** A gateway process under test. */
export interface GatewayProcess extends AsyncDisposable {
  readonly home: string;
  readonly pid: number;
  /** host:port on which it serves the proxy. */
  readonly listen: string;
  readonly port: number;
  readonly caPem: string;
  readonly control: ControlClient;
  /** Runs `iddio <args>` against this gateway's state directory. */
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Starts `iddio <args>` beside the test. */
  start(args: readonly string[], options?: RunOptions): Running;
  /**
   * Writes an operator's kubeconfig, runs `iddio kubeconfig` on it and gives the overlay's path. Further arguments
   * go to the command. Throws with the command's own words when it fails.
   */
  overlay(operatorKubeconfig: string, args?: readonly string[]): Promise<string>;
  /** The first approval that waits and fits; waits for it to come. */
  held(fits?: (approval: Approval) => boolean): Promise<Approval>;
  /** Waits for an approval that fits and allows it by command. */
  approve(fits?: (approval: Approval) => boolean): Promise<Approval>;
  /** Waits for an approval that fits and denies it by command. */
  deny(reason: string, fits?: (approval: Approval) => boolean): Promise<Approval>;
  /** Rows of audit.jsonl so far. */
  rows(): Promise<Entry[]>;
  /** Resolves with the rows once `enough` holds for them. */
  rowsWhen(enough: (rows: readonly Entry[]) => boolean): Promise<Entry[]>;
  /** Ends the process with this signal and waits until it is gone. The state directory stays. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** The options of the gateway. */
export interface GatewayOptions {
  /** policy.yaml; the default policy without it. */
  readonly policy?: string;
  /** Lines of settings.yaml beside `proxy_listen`. */
  readonly settings?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Files and sockets that the process may have open. */
  readonly openFiles?: number;
  /** Runs it as this user, with a copy of the program that this user can read; only root can. */
  readonly uid?: number;
  /** Another build of iddio than `dist/iddio`. An earlier one may not know every setting, so it gets only its port. */
  readonly binary?: string;
}

/** A bench and a soak measure the program as it is shipped. */
function isTest(): boolean {
  return process.env.NODE_ENV === "test";
}

/** Starts `dist/iddio gateway`; `await using` stops it and removes its directory. */
export async function startGatewayProcess(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const binary = options.binary ?? builtBinary();
  const directory = await temporaryDirectory();
  const home = directory.path;
  const settings =
    options.binary === undefined ? testSettings(options.settings) : "proxy_listen: 127.0.0.1:0\n";
  await writeFile(join(home, "settings.yaml"), settings);
  if (options.policy !== undefined) await writeFile(join(home, "policy.yaml"), options.policy);
  await giveAuthority(home);
  const env = { HOME: home, IDDIO_HOME: home, ...(isTest() ? COMPILED_ONCE : {}), ...options.env };
  const log = Bun.file(join(home, "gateway.out"));
  const limited = ["/bin/sh", "-c", `ulimit -n ${options.openFiles}; exec "$0" "$@"`];
  const as = options.uid === undefined ? [] : asUser(home, options.uid);
  const program = options.uid === undefined ? binary : copyFor(binary, home);
  const child = Bun.spawn([...(options.openFiles === undefined ? [] : limited), ...as, program, "gateway"], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdin: "ignore",
    stdout: log,
    stderr: log,
  });
  // Whatever becomes of this process, neither the gateway nor its directory outlives it.
  const abandon = () => {
    child.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  };
  process.once("exit", abandon);
  const control = new ControlClient(join(home, "iddio.sock"));
  const status = await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`the gateway ended: ${await log.text()}`);
      return control.call("status", {}).catch(() => undefined);
    },
    (answer) => answer !== undefined,
  );
  const listen = status?.proxy_listen ?? "";

  const run = (args: readonly string[], more: RunOptions = {}) =>
    runClient(binary, args, { ...more, env: { ...env, ...more.env } });
  const held = async (fits: (approval: Approval) => boolean = () => true) => {
    const list = async () => (await control.call("approvals_list", {})).approvals.find(fits);
    const found = await eventually(list, (approval) => approval !== undefined);
    if (found === undefined) throw new Error("unreachable: eventually gave what does not fit");
    return found;
  };
  const succeed = async (args: readonly string[], more: RunOptions = {}) => {
    const { code, stderr } = await run(args, more);
    if (code !== 0) throw new Error(`iddio ${args.join(" ")}: ${stderr}`);
  };
  const rows = async () => parseRows(await readFile(join(home, "audit.jsonl"), "utf8"));
  return {
    home,
    pid: child.pid,
    listen,
    port: Number(listen.split(":").at(-1)),
    caPem: await readFile(join(home, "ca.crt"), "utf8"),
    control,
    run,
    start: (args, more = {}) => startClient(binary, args, { ...more, env: { ...env, ...more.env } }),
    async overlay(text, args = []) {
      const original = join(home, "operator.kubeconfig");
      const overlay = join(home, "kubeconfig");
      await writeFile(original, text, { mode: 0o600 });
      await succeed(["kubeconfig", ...args], { env: { KUBECONFIG: original } });
      return overlay;
    },
    held,
    async approve(fits) {
      const approval = await held(fits);
      await succeed(["approval", "allow", approval.id]);
      return approval;
    },
    async deny(reason, fits) {
      const approval = await held(fits);
      await succeed(["approval", "deny", approval.id, "--reason", reason]);
      return approval;
    },
    rows,
    rowsWhen: (enough) => eventually(rows, enough),
    async kill(signal) {
      child.kill(signal);
      await child.exited;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
      await directory[Symbol.asyncDispose]();
      process.off("exit", abandon);
    },
  };
}

/** Gives the directory away, and says how to become its new owner. */
function asUser(home: string, uid: number): string[] {
  for (const name of ["", ...readdirSync(home)]) chownSync(join(home, name), uid, uid);
  return ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"];
}

/** A checkout of root's can be read by nobody else. */
function copyFor(binary: string, home: string): string {
  const copy = join(home, "iddio-copy");
  placeProgram(copy, binary);
  return copy;
}

function parseRows(text: string): Entry[] {
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Entry);
}
