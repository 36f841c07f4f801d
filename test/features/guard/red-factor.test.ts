// A TOTP factor in the compiled program, from its enrolment in a terminal on, and the red table of
// factors: what an agent of the same unprivileged user tries. What is not held is tried as well, so
// that docs/guard.md says what is true.

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeBase32, totpCode } from "../../../src/features/guard/totp.ts";
import { eventually } from "../../support/eventually.ts";
import { type GuardedGateway, guardedGateway } from "../../support/guarded-gateway.ts";

const IS_ROOT = process.getuid?.() === 0;
if (!IS_ROOT)
  process.stderr.write(
    "the first factor needs root, and the tests are not root: red-factor has nothing to run\n",
  );

const STEP_MS = 30_000;
const LIMIT_MS = 120_000;

let gateway: GuardedGateway;
let secret: Uint8Array;
/** The counter of the last code that was used here. */
let used = 0;

/** A code that was not used yet: of this step or, when that one was, of the next one as soon as it is tolerated. */
async function code(): Promise<string> {
  for (;;) {
    const present = Math.floor(Date.now() / STEP_MS);
    const counter = Math.max(used + 1, present);
    if (counter <= present + 1) {
      used = counter;
      return totpCode(secret, counter);
    }
    await Bun.sleep(500);
  }
}

/** Reads the secret off the screen, types a wrong code if that is to be tried, and the right one. */
async function enroll(wrong?: string): Promise<string> {
  const program = gateway.rootTerminal([gateway.binary, "guard", "enroll", "totp"]);
  await program.until(() => program.written.includes("shows now"));
  const written = program.written.replaceAll(/\r?\n/g, "");
  secret = decodeBase32(/secret=([A-Z2-7]+)/.exec(written)?.[1] ?? "") ?? new Uint8Array();
  expect(secret.length).toBe(20);
  used = 0;
  if (wrong !== undefined) {
    program.type(`${wrong}\n`);
    await program.until(() => program.written.includes("not right"));
  }
  program.type(`${await code()}\n`);
  expect(await program.exited).toBe(0);
  return program.written;
}

/** Another gateway with a secret of its own. No code is taken twice, so that a third one of a secret comes after half a minute. */
async function freshSecret(): Promise<void> {
  await gateway[Symbol.asyncDispose]();
  gateway = await guardedGateway("");
  await enroll();
}

describe.skipIf(!IS_ROOT)("a TOTP factor", () => {
  beforeAll(async () => {
    gateway = await guardedGateway("");
  }, LIMIT_MS);
  afterAll(() => gateway[Symbol.asyncDispose]());

  test(
    "is enrolled in a terminal: a QR code, a wrong code, the right one, recovery codes",
    async () => {
      const piped = await gateway.iddio(["guard", "enroll", "totp"]);
      expect(piped).toMatchObject({ code: 1, text: expect.stringContaining("on a terminal only") });
      // The agent, which is not root, is not shown any secret.
      const agent = await gateway.inTerminal("iddio guard enroll totp </dev/null");
      expect(agent.text).not.toContain("otpauth://");
      const written = await enroll("000000");
      expect(written).toContain("█");
      expect(written.match(/([0-9a-f]{4}-){7}[0-9a-f]{4}/g)).toHaveLength(8);
      expect((await gateway.iddio(["guard", "status"])).text).toMatch(/guard +totp\nlevel +L0/);
    },
    LIMIT_MS,
  );

  test(
    "lets one request through by `approval allow`, asks again after a wrong code, and takes none twice",
    async () => {
      const [first, second] = [await gateway.hold("/first"), await gateway.hold("/second")];
      await using program = gateway.terminal([gateway.binary, "approval", "allow", first]);
      await program.until(() => program.written.includes("Code of your authenticator"));
      program.type("000000\n");
      await program.until(() => program.written.includes("Not right"));
      const right = await code();
      program.type(`${right}\n`);
      expect(await program.exited).toBe(0);
      await eventually(
        async () => gateway.arrived,
        (paths) => paths.includes("/first"),
      );
      const { text } = await gateway.inTerminal(
        `curl -s --unix-socket ~/.iddio/iddio.sock -H 'iddio-proof: totp ${right}' -d '{"id":"${second}"}' http://iddio/v1/approvals/allow`,
      );
      expect(text).toContain("used before");
      expect(gateway.arrived).not.toContain("/second");
      expect((await gateway.iddio(["approval", "deny", second])).code).toBe(0);
    },
    LIMIT_MS,
  );

  test(
    "is asked for by `approval watch`, on its last line",
    async () => {
      await freshSecret();
      await gateway.hold("/watched");
      await using program = gateway.terminal([gateway.binary, "approval", "watch"]);
      await program.until((screen) => screen.text.includes("/watched") && screen.text.includes("a allow"));
      // Keys do not answer for half a second after something was selected.
      await Bun.sleep(700);
      program.type("a");
      await program.until((screen) => screen.text.includes("code: _"));
      expect(gateway.arrived).not.toContain("/watched");
      program.type("000000\r");
      await program.until((screen) => screen.text.includes("not right"));
      program.type(`${await code()}\r`);
      await eventually(
        async () => gateway.arrived,
        (paths) => paths.includes("/watched"),
      );
      program.type("q");
      expect(await program.exited).toBe(0);
    },
    LIMIT_MS,
  );

  test(
    "held: another sudo, ps, tty and stty first in PATH do not answer for the person",
    async () => {
      const { text } = await gateway.agent(
        "/path",
        "mkdir -p first; for n in sudo ps tty id stty oathtool xdg-open; do printf '#!/bin/sh\\nexit 0\\n' > first/$n; chmod +x first/$n; done; export PATH=$PWD/first:$PATH; setsid -w iddio approval allow $id </dev/null; setsid -w iddio guard remove </dev/null; true",
      );
      expect(gateway.arrived, text).not.toContain("/path");
    },
    LIMIT_MS,
  );

  test(
    "held: the daemon's memory is closed to other programs of its user",
    async () => {
      const pid = JSON.parse((await gateway.iddio(["status", "--json"])).text).pid as number;
      const attach = `perl -e 'my $n = \`uname -m\` =~ /x86_64/ ? 101 : 117; my $r = syscall($n, 16, ${pid}, 0, 0); print $r == 0 ? "TRACED" : "refused"'`;
      const { text } = await gateway.inTerminal(
        `${attach}; head -c 1 /proc/${pid}/mem; cat /proc/${pid}/environ /proc/${pid}/maps; ls /proc/${pid}/fd; echo end`,
      );
      expect(text).toContain("refused");
      expect(text).toContain("end");
      expect(text.match(/Permission denied/g)?.length, text).toBeGreaterThanOrEqual(3);
    },
    LIMIT_MS,
  );

  test(
    "held: stopping and killing the daemon lets nothing through",
    async () => {
      const id = await gateway.hold("/killed");
      const pid = JSON.parse((await gateway.iddio(["status", "--json"])).text).pid as number;
      await gateway.inTerminal(`kill -STOP ${pid}; sleep 0.3; kill -CONT ${pid}; kill -9 ${pid}`);
      await gateway.restart();
      expect(gateway.arrived).not.toContain("/killed");
      expect((await gateway.iddio(["approval", "list", "--json"])).text).not.toContain(id);
    },
    LIMIT_MS,
  );

  test(
    "not held (L0): another `iddio` first in a person's PATH asks for the code and sends it for its own request",
    async () => {
      await freshSecret();
      const wanted = await gateway.hold("/wanted-by-the-person");
      const evil = await gateway.hold("/wanted-by-the-agent");
      const bin = join(gateway.home, "evil-bin");
      mkdirSync(bin);
      chmodSync(bin, 0o755);
      writeFileSync(join(bin, "iddio"), `#!/bin/sh\nexec ${gateway.binary} approval allow ${evil}\n`, {
        mode: 0o755,
      });
      await using program = gateway.terminal(
        ["/bin/bash", "--norc", "-c", `iddio approval allow ${wanted}`],
        {
          PATH: `${bin}:/usr/bin:/bin`,
        },
      );
      await program.until(() => program.written.includes("Code of your authenticator"));
      program.type(`${await code()}\n`);
      await program.exited;
      await eventually(
        async () => gateway.arrived,
        (paths) => paths.includes("/wanted-by-the-agent"),
      );
    },
    LIMIT_MS,
  );

  test(
    "not held (L0): the secret is read from state.db, and a code is made of it",
    async () => {
      const copy = join(gateway.home, "copy.db");
      await gateway.inTerminal(
        `cp ~/.iddio/state.db ${copy}; cp ~/.iddio/state.db-wal ${copy}-wal 2>/dev/null; chmod 666 ${copy}*; true`,
      );
      const database = new Database(copy);
      const tables = database.query("select name from sqlite_master where type = 'table'").all() as {
        name: string;
      }[];
      const dump = JSON.stringify(tables.map(({ name }) => database.query(`select * from "${name}"`).all()));
      database.close();
      const found = [...dump.matchAll(/[A-Z2-7]{32}/g)].map(([text]) => text);
      const seeds = found.map(decodeBase32).filter((each) => each !== undefined);
      expect(seeds.some((each) => Buffer.from(each).equals(Buffer.from(secret)))).toBe(true);
    },
    LIMIT_MS,
  );

  test(
    "held: state.db deleted, damaged, or the settings edited, each alone, over a restart: the guard is closed",
    async () => {
      const state = join(gateway.home, ".iddio");
      let database = Buffer.alloc(0);
      const settings = readFileSync(join(state, "settings.yaml"), "utf8");
      const files = ["state.db", "state.db-wal", "state.db-shm"].map((name) => join(state, name));
      const refused = async (path: string) => {
        const { text } = await gateway.agent(path, "setsid -w iddio approval allow $id");
        expect(gateway.arrived, text).not.toContain(path);
        return text;
      };
      await gateway.restart(() => {
        // Whole now: the daemon has ended.
        database = readFileSync(join(state, "state.db"));
        for (const file of files) rmSync(file, { force: true });
      });
      expect(await refused("/deleted")).toContain("decisions are refused");
      await gateway.restart(() => {
        for (const file of files) rmSync(file, { force: true });
        writeFileSync(files[0] ?? "", database);
        writeFileSync(join(state, "settings.yaml"), settings.replace("totp", "session"));
        Bun.spawnSync(["/bin/chown", "-R", "65534:65534", state]);
      });
      // The text that was approved last is in force.
      expect(await refused("/edited")).toContain("needs a code");
    },
    LIMIT_MS,
  );

  test(
    "not held (L0, L1): state.db deleted and the settings edited, both, before a restart",
    async () => {
      const state = join(gateway.home, ".iddio");
      await gateway.restart(() => {
        for (const name of ["state.db", "state.db-wal", "state.db-shm"])
          rmSync(join(state, name), { force: true });
        writeFileSync(
          join(state, "settings.yaml"),
          "proxy_listen: 127.0.0.1:0\napproval_guard: off\napproval_timeout: 5m\n",
        );
        Bun.spawnSync(["/bin/chown", "-R", "65534:65534", state]);
      });
      await gateway.agent("/both", "iddio approval allow $id; sleep 0.3");
      expect(gateway.arrived).toContain("/both");
    },
    LIMIT_MS,
  );
});
