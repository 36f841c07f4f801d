// The compiled program as a server, on PostgreSQL: what an operator types, from an empty database
// to an end by a signal.

import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { builtBinary } from "../support/built-binary.ts";
import { runClient } from "../support/clients.ts";
import { postgresFolder, startPostgres } from "../support/server/postgres-cluster.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LONG = 120_000;
const isThere = postgresFolder() !== undefined || process.env.IDDIO_REQUIRE_CLIENTS === "1";

if (!isThere) test("PostgreSQL is not installed", () => undefined);
else
  test(
    "from an empty database to an API token, a page, metrics, and an end",
    async () => {
      await using folder = await temporaryDirectory();
      await using cluster = await startPostgres();
      const secret = join(folder.path, "secret");
      await writeFile(secret, randomBytes(32).toString("base64"));
      const env = {
        HOME: folder.path,
        IDDIO_HOME: folder.path,
        DATABASE_URL: await cluster.database("iddio"),
      };
      const run = (args: readonly string[]) =>
        runClient(builtBinary(), ["server", ...args, "--secret-file", secret], { env });

      const early = await run(["--listen", "127.0.0.1:0"]);
      expect([early.code, early.stderr.includes("iddio server migrate")]).toEqual([1, true]);
      expect((await run(["migrate"])).stdout).toContain("the database is at step");
      const away = await runClient(builtBinary(), ["server", "migrate", "--secret-file", secret], {
        env: { ...env, DATABASE_URL: "postgres://nobody:hidden@127.0.0.1:1/none" },
      });
      expect(away.code).toBe(1);
      expect(away.stderr).not.toContain("hidden");
      expect((await run(["tenant", "set", "acme", "--title", "Acme"])).stdout).toBe("made tenant acme\n");
      expect((await run(["tenant", "set", "acme"])).stdout).toBe("changed tenant acme\n");
      expect((await run(["tenant", "list"])).stdout).toContain("acme");
      const token = (await run(["token", "acme"])).stdout.trim();
      expect(token).toStartWith("idat_");
      const made = (await run(["key", "rotate", "acme", "--after", "1h"])).stdout;
      const keys = JSON.parse((await run(["key", "list", "acme", "--json"])).stdout) as {
        id: string;
        state: string;
      }[];
      expect([made.includes(keys[0]?.id ?? "none"), ...keys.map(({ state }) => state)]).toEqual([
        true,
        "pinned",
        "signs",
      ]);
      expect((await run(["key", "retire", "acme", keys[1]?.id ?? ""])).stderr).toContain(
        "is the key that signs",
      );
      expect((await run(["key", "retire", "acme", keys[0]?.id ?? ""])).stdout).toBe(
        `retired ${keys[0]?.id}\n`,
      );
      expect((await run(["epoch", "acme"])).stdout).toBe("acme is in epoch 2\n");
      expect(await run(["export", "acme", "--from", "2026-11-01"])).toMatchObject({ code: 0, stdout: "" });
      expect((await run(["export", "acme", "--from", "soon"])).code).toBe(2);
      const open = await run(["--listen", "0.0.0.0:0"]);
      expect([open.code, open.stderr.includes("without TLS")]).toEqual([1, true]);

      const child = Bun.spawn([builtBinary(), "server", "--listen", "127.0.0.1:0", "--secret-file", secret], {
        env: { PATH: process.env.PATH ?? "", ...env },
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
      });
      let said = "";
      const decoder = new TextDecoder();
      const reader = child.stderr.getReader();
      while (!said.includes("listens on")) {
        const { done, value } = await reader.read();
        if (done) throw new Error(said);
        said += decoder.decode(value);
      }
      const url = /listens on (http\S+);/.exec(said)?.[1] ?? "";
      const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers });
      expect((await get("/readyz")).status).toBe(200);
      const me = await get("/api/v1/me", { authorization: `Bearer ${token}` });
      expect(await me.json()).toMatchObject({ name: "operator", tenant: "acme", via: "token" });
      const metrics = await (await get("/metrics")).text();
      expect(metrics).toContain('iddio_requests_total{part="api",code="200"} 1');
      const page = await get("/");
      const html = await page.text();
      expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
      const script = /src="\.?(\/?[^"]+\.js)"/.exec(html)?.[1] ?? "";
      const scriptAnswer = await get(script.startsWith("/") ? script : `/${script}`);
      expect([scriptAnswer.status, scriptAnswer.headers.get("content-type")]).toEqual([
        200,
        "text/javascript; charset=utf-8",
      ]);
      expect((await get("/", { host: "evil.example.com" })).status).toBe(200);
      expect(
        (await get("/api/v1/me", { host: "evil.example.com", authorization: `Bearer ${token}` })).status,
      ).toBe(421);
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
    },
    LONG,
  );
