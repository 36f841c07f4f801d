// One client's scene: a stand-in for its vendor, the compiled gateway before it, and the
// environment that `iddio shell-init` gives a shell, taken from a real bash that evaluated it.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Approval } from "../../../src/api/reports.ts";
import { pemCertificates } from "../../../src/text/pem-certificates.ts";
import { type Finished, type RunOptions, runClient } from "../clients.ts";
import { type GatewayProcess, startGatewayProcess } from "../gateway.ts";
import type { ForkedProgram } from "../programs/forked-program.ts";
import { type StandIn, type StandInRequest, startStandIn, type Vendor } from "./stand-in.ts";

/** The options of a scene. */
export interface SceneOptions {
  /** Hosts of the vendor, without port; all of them on 443. */
  readonly hosts: readonly string[];
  readonly vendor: Vendor;
  readonly policy: string;
  readonly settings?: string;
  readonly versions?: readonly ("h2" | "http/1.1")[];
}

type Fits = (approval: Approval) => boolean;

/** A running scene. */
export interface Scene extends AsyncDisposable {
  readonly standIn: StandIn;
  readonly gateway: GatewayProcess;
  /** The client's home and working directory. */
  readonly home: string;
  /** The environment of a shell that evaluated `iddio shell-init`. */
  readonly shell: Readonly<Record<string, string>>;
  /** A file in `home`; gives its path. */
  file(name: string, content: string | Uint8Array): Promise<string>;
  /** Runs a client in that environment, with `env` over it. */
  run(program: string | ForkedProgram, args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Waits until a running client is held for what fits. Throws when it ends unasked. */
  held(client: Promise<Finished>, fits?: Fits): Promise<Approval>;
  /** Waits for the same and allows it by command. */
  approve(client: Promise<Finished>, fits?: Fits): Promise<Approval>;
  /** Waits for the same and denies it with these words. */
  deny(client: Promise<Finished>, reason: string, fits?: Fits): Promise<Approval>;
  /** Requests that reached the vendor and whose `<METHOD> https://<host><target>` matches. */
  reached(pattern: RegExp): readonly StandInRequest[];
}

/** Clients in Python take seconds to start when several do at once. */
const RUN_MS = 90_000;
const STEER = join(import.meta.dir, "steer-names.ts");

/** Starts a scene; `await using` ends it. */
export async function startScene(options: SceneOptions): Promise<Scene> {
  const standIn = await startStandIn(options.hosts, options.vendor, options.versions);
  const gateway = await startGatewayProcess({
    policy: options.policy,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    env: { BUN_OPTIONS: `--preload ${STEER}`, IDDIO_TEST_STAND_IN: String(standIn.port) },
  });
  for (const host of options.hosts)
    await gateway.control.call("upstreams_add", { host, port: 443, ca_pem: standIn.caPem, source: "manual" });
  await shortenBundle(gateway);
  const home = join(gateway.home, "client");
  await mkdir(home);
  const shell = await shellOf(gateway, home);
  return {
    standIn,
    gateway,
    home,
    shell,
    async file(name, content) {
      const path = join(home, name);
      await writeFile(path, content);
      return path;
    },
    run(program, args, more = {}) {
      const all = { cwd: home, timeoutMs: RUN_MS, ...more, env: { ...shell, ...more.env } };
      return typeof program === "string" ? runClient(program, args, all) : program.run(args, all);
    },
    held: (client, fits = () => true) => asked(gateway, client, fits),
    async approve(client, fits = () => true) {
      const approval = await asked(gateway, client, fits);
      return settled(gateway, approval, ["allow", approval.id]);
    },
    async deny(client, reason, fits = () => true) {
      const approval = await asked(gateway, client, fits);
      return settled(gateway, approval, ["deny", approval.id, "--reason", reason]);
    },
    reached: (pattern) =>
      standIn.requests.filter(({ method, host, target }) =>
        pattern.test(`${method} https://${host}${target}`),
      ),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await standIn[Symbol.asyncDispose]();
    },
  };
}

/**
 * Of the system's roots the first five stay, and iddio's own. OpenSSL reads a hundred and forty in 40 ms of processor
 * time, in each start of a client, and no server here has a certificate of theirs. doctor-live.test.ts starts the
 * same clients with all of them.
 */
async function shortenBundle(gateway: GatewayProcess): Promise<void> {
  const path = join(gateway.home, "ca-bundle.pem");
  const roots = pemCertificates(await readFile(path, "latin1"));
  await writeFile(path, `${[...roots.slice(0, 5), roots.at(-1)].join("\n")}\n`);
}

/** Clients may take long to start on a busy machine, so only their end ends the waiting. */
async function asked(gateway: GatewayProcess, client: Promise<Finished>, fits: Fits): Promise<Approval> {
  let ended: Finished | undefined;
  void client.then((finished) => {
    ended = finished;
  });
  for (;;) {
    const { approvals } = await gateway.control.call("approvals_list", {});
    const found = approvals.find(fits);
    if (found !== undefined) return found;
    if (ended !== undefined)
      throw new Error(`it ended with ${ended.code} before it was held: ${ended.stderr}${ended.stdout}`);
    await Bun.sleep(10);
  }
}

async function settled(
  gateway: GatewayProcess,
  approval: Approval,
  args: readonly string[],
): Promise<Approval> {
  const { code, stderr } = await gateway.run(["approval", ...args]);
  if (code !== 0) throw new Error(`iddio approval ${args.join(" ")}: ${stderr}`);
  return approval;
}

async function shellOf(gateway: GatewayProcess, home: string): Promise<Readonly<Record<string, string>>> {
  const { stdout: snippet } = await gateway.run(["shell-init", "bash"]);
  const env = { HOME: home };
  const { stdout, stderr } = await runClient("bash", ["-c", `${snippet}\nexec env -0`], { env });
  const variables = Object.fromEntries(
    stdout
      .split("\0")
      .flatMap((line) => (line.includes("=") ? [line.split(/=(.*)/s) as [string, string]] : [])),
  );
  if (variables.HTTPS_PROXY === undefined) throw new Error(`shell-init did not set a proxy: ${stderr}`);
  return variables;
}
