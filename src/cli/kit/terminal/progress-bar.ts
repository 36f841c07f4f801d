// A bar on stderr while something is downloaded: in a terminal only, on one line, gone when it is
// done. Draws at most ten times a second, whatever it is told.

import { isTerminal } from "../../../host/process/descriptor-io.ts";
import type { Output } from "../output.ts";

/** A bar that may be shown again at any time; disposing it clears its line. */
export interface ProgressBar extends Disposable {
  show(received: number, total: number): void;
}

const WIDTH = 30;
const EVERY_MS = 100;

/** A bar, or nothing where stderr is no terminal. */
export function progressBar(_output: Output): ProgressBar {
  const { writeSync } = process.getBuiltinModule("node:fs");
  if (!isTerminal(2) || process.env.TERM === "dumb") return { show() {}, [Symbol.dispose]() {} };
  let shownMs = 0;
  return {
    show(received, total) {
      if (performance.now() - shownMs < EVERY_MS && received !== total) return;
      shownMs = performance.now();
      writeSync(2, `\r\x1b[2K${renderProgress(received, total)}`);
    },
    [Symbol.dispose]() {
      if (shownMs > 0) writeSync(2, "\r\x1b[2K");
    },
  };
}

/** The line: a bar and percent when the total is known, else the amount so far. */
export function renderProgress(received: number, total: number): string {
  const megabytes = (received / 1e6).toFixed(1);
  if (total <= 0) return `${megabytes} MB`;
  const share = Math.min(1, received / total);
  const full = Math.round(share * WIDTH);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${"#".repeat(full)}${" ".repeat(WIDTH - full)}] ${percent}%  ${megabytes} of ${(total / 1e6).toFixed(1)} MB`;
}
