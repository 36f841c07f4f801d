import { describe, expect, test } from "bun:test";
import { classifyLines } from "../../src/cli/classify-lines.ts";

const ROW = (id: number) => `${JSON.stringify({ id, argv: ["kubectl", "get", "pods"] })}\n`;

async function answers(
  chunks: Iterable<Uint8Array>,
): Promise<{ id: unknown; tier: string; reason: string }[]> {
  let text = "";
  await classifyLines(
    (async function* () {
      yield* chunks;
    })(),
    (part) => {
      text += part;
    },
  );
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

describe("rows come out in order, one for one", () => {
  const input = Buffer.from([1, 2, 3].map(ROW).join("") + ROW(4).trim());
  for (const size of [1, 7, 64, 100_000]) {
    test(`when they arrive in pieces of ${size} bytes`, async () => {
      const pieces = Array.from({ length: Math.ceil(input.length / size) }, (_, at) =>
        input.subarray(at * size, (at + 1) * size),
      );
      const rows = await answers(pieces);
      expect(rows.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
      expect(new Set(rows.map(({ tier }) => tier))).toEqual(new Set(["observe"]));
    });
  }

  test("when one of them is longer than any row may be", async () => {
    const long = Buffer.alloc(33 * 1024 * 1024, "x");
    const rows = await answers([Buffer.from(ROW(1)), long, Buffer.from(`\n${ROW(2)}`)]);
    expect(rows.map(({ id, tier }) => [id, tier])).toEqual([
      [1, "observe"],
      [null, "unknown"],
      [2, "observe"],
    ]);
  });
});

test("an answer is written before the next row is read", async () => {
  const written: string[] = [];
  await classifyLines(
    (async function* () {
      yield Buffer.from(ROW(1));
      expect(written).toHaveLength(1);
      yield Buffer.from(ROW(2));
      expect(written).toHaveLength(2);
    })(),
    (text) => written.push(text),
  );
});
