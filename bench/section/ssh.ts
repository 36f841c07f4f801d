// The speed of an SSH connection through iddio: bytes up and down and the start of a command
// through the compiled program, against the same ssh and sshd without it. Both are on this machine
// and share its processors.

import { ALLOW_ALL, startSshWorld } from "../../test/support/ssh/ssh-world.ts";
import { findSshTools } from "../../test/support/ssh/sshd.ts";
import type { Section } from "../bench.ts";
import { median } from "../series.ts";

const MEGABYTES = { quick: 200, whole: 500 };
const ROUNDS = { quick: 3, whole: 7 };

/** Throughput and start of SSH. */
export const sshSection: Section = {
  name: "ssh",
  summary: "SSH: bytes up and down, and the start of a command, against ssh without iddio",
  async run({ report, isQuick }) {
    if (findSshTools() === undefined) return report.write("  not measured: ssh, sshd or bwrap is not here");
    await using world = await startSshWorld({ rules: ALLOW_ALL });
    const bytes = (isQuick ? MEGABYTES.quick : MEGABYTES.whole) * 1e6;
    const ways = {
      direct: ["-F", world.sshd.operatorConfig, "-p", String(world.sshd.port), "-l", world.sshd.user],
      "through iddio": ["-F", world.config],
    };
    const timed = async (options: readonly string[], command: string, pipe: string) => {
      const ssh = ["ssh", ...options, "localhost"].map((word) => `'${word}'`).join(" ");
      const started = performance.now();
      const child = Bun.spawn(["sh", "-c", pipe.replace("SSH", `${ssh} '${command}'`)], {
        env: { PATH: process.env.PATH ?? "", ...world.env },
        stdin: "ignore",
        stdout: "ignore",
        stderr: "inherit",
      });
      if ((await child.exited) !== 0) throw new Error(`ssh failed: ${command}`);
      return performance.now() - started;
    };
    const cases = {
      start: ["true", "SSH"],
      down: [`head -c ${bytes} /dev/zero`, "SSH | cat > /dev/null"],
      up: ["cat > /dev/null", `head -c ${bytes} /dev/zero | SSH`],
    } as const;
    const series = new Map<string, number[]>();
    // One round to warm up; the ways alternate, so that what else the machine does falls on both alike.
    for (let round = 0; round <= (isQuick ? ROUNDS.quick : ROUNDS.whole); round += 1)
      for (const [name, [command, pipe]] of Object.entries(cases))
        for (const [way, options] of Object.entries(ways)) {
          const ms = await timed(options, command, pipe);
          if (round > 0) series.set(`${name} ${way}`, [...(series.get(`${name} ${way}`) ?? []), ms]);
        }
    const ms = (name: string) => median(series.get(name) ?? []);
    const rate = (name: string) => bytes / 1e3 / (ms(name) - ms(name.replace(/^\w+/, "start")));
    report.table([
      ["", "direct", "through iddio"],
      ...(["down", "up"] as const).map((name) => [
        `${name}, MB/s`,
        rate(`${name} direct`).toFixed(0),
        rate(`${name} through iddio`).toFixed(0),
      ]),
      ["a command, ms", ms("start direct").toFixed(0), ms("start through iddio").toFixed(0)],
    ]);
    for (const name of ["down", "up"] as const)
      report.bar({
        what: `throughput of ssh ${name} / without iddio`,
        value: rate(`${name} through iddio`) / rate(`${name} direct`),
        limit: 0.4,
        wants: "at least",
      });
  },
};
