// How many audit rows a second are durable, by how many requests wait at once, against what one
// write and one fdatasync a batch of the same size allow on this disk with nothing else to do.
// Median of five rounds each. Usage: bun bench/journal.ts [directory]

import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Journal } from "../src/state/journal/journal.ts";
import { auditRow } from "./audit-row.ts";

const ROUNDS = 5;
const ROUND_MS = 600;
const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), "iddio-bench-"));

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function journalRate(writers: number): Promise<{ rate: number; lagMs: number }> {
  const journal = await Journal.open(join(directory, "journal.jsonl"));
  const start = performance.now();
  let rows = 0;
  let lagMs = 0;
  let ticked = performance.now();
  const ticker = setInterval(() => {
    lagMs = Math.max(lagMs, performance.now() - ticked - 1);
    ticked = performance.now();
  }, 1);
  const write = async () => {
    while (performance.now() - start < ROUND_MS) {
      await journal.append(auditRow(rows));
      rows++;
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  const elapsed = performance.now() - start;
  clearInterval(ticker);
  await journal.close();
  return { rate: (rows / elapsed) * 1000, lagMs };
}

function boundRate(batch: number): number {
  const file = openSync(join(directory, "bound.jsonl"), "a");
  const bytes = Buffer.from(`${JSON.stringify(auditRow(0))}\n`.repeat(batch));
  const start = performance.now();
  let rows = 0;
  while (performance.now() - start < ROUND_MS) {
    writeSync(file, bytes);
    fdatasyncSync(file);
    rows += batch;
  }
  closeSync(file);
  return (rows / (performance.now() - start)) * 1000;
}

try {
  process.stdout.write(
    "requests waiting   durable rows/s   spread          bound rows/s   ratio   longest stall\n",
  );
  for (const writers of [1, 8, 64, 256, 1024]) {
    const rates: number[] = [];
    const bounds: number[] = [];
    let lag = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { rate, lagMs } = await journalRate(writers);
      rates.push(rate);
      lag = Math.max(lag, lagMs);
      bounds.push(boundRate(writers));
    }
    const spread = `${Math.round(Math.min(...rates))}-${Math.round(Math.max(...rates))}`;
    const ratio = (median(rates) / median(bounds)).toFixed(2);
    const cells = [
      String(writers).padEnd(18),
      String(Math.round(median(rates))).padEnd(16),
      spread.padEnd(15),
      String(Math.round(median(bounds))).padEnd(14),
      ratio.padEnd(7),
      `${lag.toFixed(1)} ms`,
    ];
    process.stdout.write(`${cells.join(" ")}\n`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
