// The memory of an idle daemon, some seconds after its start, and which places of it are given back.

import { expect, test } from "bun:test";
import { residentMb } from "../../bench/process-usage.ts";
import { codeOf } from "../../src/host/process/memory/start-pages.ts";
import { eventually } from "../support/eventually.ts";
import { startGatewayProcess } from "../support/gateway.ts";

test("only code that is read from the program's own file is given back", () => {
  const maps = `00200000-01a39000 r--p 00000000 fe:00 21 /opt/iddio
01a40000-0684a000 r-xp 01838000 fe:00 21                            /opt/iddio
0684a000-0685f000 rw-p 06641000 fe:00 21                            /opt/iddio
70cf0d5000-710f0d5000 rwxp 00000000 00:00 0
710f440000-710f596000 r-xp 00026000 fe:00 33                        /usr/lib/x86_64-linux-gnu/libc.so.6
7ffe20e6d000-7ffe20e6f000 r-xp 00000000 00:00 0                     [vdso]
`;
  expect(codeOf(maps, "/opt/iddio")).toEqual([{ start: 0x01a40000n, end: 0x0684a000n }]);
  expect(codeOf(maps, "/opt")).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "an idle daemon takes less than 70 MB, and goes on answering",
  async () => {
    await using gateway = await startGatewayProcess();
    const least = await eventually(
      async () => residentMb(gateway.pid) ?? 0,
      (megabytes) => megabytes < 70,
    );
    expect(least).toBeGreaterThan(10);
    expect((await gateway.control.call("status", {})).daemon).toBe("up");
  },
  120_000,
);
