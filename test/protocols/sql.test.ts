// The tier of an SQL text, whatever stands in its strings, names and comments, and however a
// dialect ends them.

import { describe, expect, test } from "bun:test";
import type { Tier } from "../../src/model/tier.ts";
import { judgeSql } from "../../src/protocols/sql.ts";

const ROWS: readonly (readonly [sql: string, tier: Tier])[] = [
  ["SELECT 1", "observe"],
  ["  select * from t where a = 'DROP TABLE t' -- delete\n", "observe"],
  ["WITH x AS (SELECT 1) SELECT * FROM x", "observe"],
  ["SELECT a /* DROP TABLE t */ FROM t", "observe"],
  ['SELECT `drop`, "delete" FROM t FOR UPDATE', "observe"],
  ["SELECT TRUNCATE(1.5, 1), REPLACE(a, 'b', 'c') FROM t", "observe"],
  ["SELECT deleted, updated_at, created FROM drops", "observe"],
  ["SHOW TABLES", "observe"],
  ["EXPLAIN SELECT 1", "observe"],
  ["PRAGMA table_info(t)", "observe"],
  ['SELECT * FROM "t" WHERE pk = ?', "observe"],
  ["PRAGMA writable_schema = 1", "modify"],
  ["INSERT INTO t VALUES ('DROP TABLE t')", "modify"],
  ["INSERT INTO t VALUE {'pk':'a'}", "modify"],
  ["UPDATE t SET a = 'it''s; DELETE FROM t'", "modify"],
  ["CREATE TABLE t (a INT REFERENCES u ON DELETE CASCADE, user TEXT)", "modify"],
  ["SELECT * INTO u FROM t", "modify"],
  ["UNLOAD (SELECT 1) TO 's3://b/p'", "modify"],
  ["REPLACE INTO t VALUES (1)", "modify"],
  ["VACUUM", "modify"],
  ["SELECT 1; DROP TABLE t", "sensitive"],
  ["delete from t", "sensitive"],
  ["TRUNCATE t", "sensitive"],
  ["ALTER TABLE t DROP PARTITION (a=1)", "sensitive"],
  ["WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "sensitive"],
  ["SELECT 1 /* ' */; DROP TABLE t; -- '", "sensitive"],
  ["SELECT 'a\\'; DROP TABLE t; --'", "sensitive"],
  ["SELECT 'a\\' FROM t; DROP TABLE t; --'", "sensitive"],
  ['SELECT "a"; DROP TABLE t', "sensitive"],
  ["SELECT /*!50000 1 */; /*! DROP TABLE t */", "sensitive"],
  ["SELECT 1 --1; DROP TABLE t", "sensitive"],
  ["SELECT 1 # '\n; DROP TABLE t -- '", "sensitive"],
  ["SELECT $$ ' $$; DROP TABLE t; --'", "sensitive"],
  ["SELECT 1 /* /* */ ; DROP TABLE t -- */", "sensitive"],
  // A lone carriage return ends a comment, or it does not.
  ["SELECT 1 -- a\r; DROP TABLE t", "sensitive"],
  ["SELECT 1 -- a\r '\n; DROP TABLE t --'", "sensitive"],
  // SQLite's names in square brackets.
  ["SELECT 1 AS [']; DROP TABLE t; --']", "sensitive"],
  ["SELECT 1 `'` ; DROP TABLE t", "sensitive"],
  ["SELECT a[1], '[' FROM t; SELECT 'x' AS b", "observe"],
  ["WITH x AS (SELECT 1 AS key) UPDATE t SET a = 1", "modify"],
  ["WITH x AS (SELECT SUBSTRING('a' FOR no) key) UPDATE t SET a = 1", "modify"],
  ["SELECT a FROM t FOR NO KEY UPDATE", "observe"],
  ["SELECT 1;\u00a0DROP\u00a0TABLE t", "sensitive"],
  ['SELECT "pg_terminate_backend"(1)', "sensitive"],
  ['SELECT "delete"(1), "t"."drop" FROM t', "observe"],
  ["SELECT aws_lambda.invoke('a', '{}')", "sensitive"],
  ["SELECT * FROM aws_s3.query_export_to_s3('SELECT 1', 'b')", "sensitive"],
  ["DO $$ BEGIN PERFORM 1; END $$", "sensitive"],
  ["CALL wipe()", "sensitive"],
  ["EXECUTE IMMEDIATE 'x'", "sensitive"],
  ["SELECT pg_terminate_backend(1)", "sensitive"],
  ["SELECT load_extension('x')", "sensitive"],
  ["g.V().drop()", "sensitive"],
  ["MATCH (n) DETACH DELETE n", "sensitive"],
  ["GRANT ALL ON t TO x", "break-glass"],
  ["select 1; revoke all on t from x", "break-glass"],
  ["CREATE OR REPLACE USER x", "break-glass"],
  ["ALTER ROLE x SUPERUSER", "break-glass"],
  ["CREATE ROW ACCESS POLICY p ON t", "break-glass"],
  ["ALTER TABLE t OWNER TO x", "break-glass"],
  ["COPY t TO PROGRAM 'sh'", "break-glass"],
];

describe("the strictest statement counts", () => {
  for (const [sql, tier] of ROWS)
    test(sql, () => {
      expect(judgeSql([sql])?.tier).toBe(tier);
      expect(judgeSql(["SELECT 1", sql])?.tier).toBe(tier);
      expect(judgeSql([`SELECT 1;\n${sql}`])?.tier).toBe(tier === "observe" ? "observe" : tier);
    });
});

test("no statement that tells what it does, no finding", () => {
  for (const sql of ["", " ;; ", "-- only a comment", "example", "SELECT 1; example"])
    expect(judgeSql([sql])).toBeUndefined();
});

test("a quarter of a megabyte of anything is read in one pass", () => {
  const slow: string[] = [];
  for (const unit of [
    "a ",
    "'",
    "\\'",
    "(",
    "/*",
    "$$",
    "--",
    "a(",
    "$a$ ",
    "'\\",
    "ALTER ",
    ";a",
    "E'",
    "[",
    "\r-- '",
    '"abcdef"(',
  ]) {
    const text = unit.repeat(Math.floor((256 * 1024 - 1) / unit.length));
    const before = process.cpuUsage();
    judgeSql([text]);
    const { user, system } = process.cpuUsage(before);
    // One pass takes some 20 ms of a processor; a second loop over the text takes minutes.
    if (user + system > 5_000_000) slow.push(`${unit}: ${(user + system) / 1000} ms`);
  }
  expect(slow).toEqual([]);
}, 120_000);
