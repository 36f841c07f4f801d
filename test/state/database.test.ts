// state.db and the table of upstreams.

import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../src/model/user-error.ts";
import { openDatabase } from "../../src/state/database.ts";
import { Upstreams } from "../../src/state/tables/upstreams.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-db-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const place = () => join(mkdtempSync(join(root, "d-")), "state.db");

function refusal(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error("it was not refused");
}

describe("the database", () => {
  test("and its side files are for the owner only", () => {
    const path = place();
    const before = process.umask(0);
    const database = openDatabase(path);
    process.umask(before);
    new Upstreams(database).add({ host: "h", port: 1, caPem: "", source: "manual" });
    const directory = join(path, "..");
    expect(readdirSync(directory).sort()).toEqual(["state.db", "state.db-shm", "state.db-wal"]);
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    database.close();
  });

  test("that others could read is closed to them", () => {
    const path = place();
    openDatabase(path).close();
    chmodSync(path, 0o644);
    openDatabase(path).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("of a later iddio is refused and left alone", () => {
    const path = place();
    const later = new Database(path);
    later.run("PRAGMA user_version = 999");
    later.close();
    const error = refusal(() => openDatabase(path));
    expect(error.message).toContain("was written by a later iddio (schema 999");
    const again = new Database(path);
    expect(again.query("PRAGMA user_version").get()).toEqual({ user_version: 999 });
    again.close();
  });

  test("that is damaged is an error that says what would be lost", () => {
    const path = place();
    writeFileSync(path, "no database at all ".repeat(100));
    const error = refusal(() => openDatabase(path));
    expect(error.message).toContain(`cannot open '${path}'`);
    expect(error.hint).toContain("move it away");
  });
});

describe("upstreams", () => {
  test("survive a restart with all that was said of them", () => {
    const path = place();
    const database = openDatabase(path);
    const upstreams = new Upstreams(database);
    const full = upstreams.add({
      host: "Cluster.Example.",
      port: 6443,
      caPem: "PEM",
      certificatePath: "/k/config",
      kubeconfigUser: "admin",
      serverName: "kubernetes",
      source: "kubeconfig",
      proxyToken: "t0k3n",
      addedMs: 5,
    });
    const plain = upstreams.add({
      host: "::1",
      port: 443,
      caPem: "P",
      certificatePath: "/c",
      keyPath: "/k",
      source: "manual",
    });
    database.close();
    const again = new Upstreams(openDatabase(path));
    expect(again.list()).toEqual([plain, full]);
    expect(again.get("cluster.example", 6443)).toEqual({ ...full, host: "cluster.example" });
    expect(again.get("CLUSTER.example.", 6443)).toEqual(full);
    expect(again.get("[::1]", 443)).toEqual(plain);
    expect(again.get("cluster.example", 443)).toBeUndefined();
  });

  test("are replaced by host and port, and removed once", () => {
    const upstreams = new Upstreams(openDatabase(place()));
    upstreams.add({ host: "h", port: 1, caPem: "old", keyPath: "/k", source: "manual" });
    upstreams.add({ host: "H", port: 1, caPem: "new", source: "kubeconfig" });
    expect(upstreams.list()).toMatchObject([{ host: "h", port: 1, caPem: "new", source: "kubeconfig" }]);
    expect(upstreams.get("h", 1)?.keyPath).toBeUndefined();
    expect(upstreams.remove("h.", 1)).toBe(true);
    expect(upstreams.remove("h", 1)).toBe(false);
    expect(upstreams.list()).toEqual([]);
  });
});
