// How the command line answers when the daemon asks for a person: a code is asked for on the
// terminal, a passkey's page is opened, root is asked for through sudo. Helper programs are started
// by absolute path: an agent may own the PATH.

import { closeSync, existsSync, openSync, readSync, writeSync } from "node:fs";
import type { PresenceQuestion } from "../../api/gate.ts";

const OPENERS = ["/usr/bin/open", "/usr/bin/xdg-open"];

/** The proof for a question; undefined when there is nobody to give it. `last` was sent before and did not do. */
export function showPresence(
  question: PresenceQuestion,
  last: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  switch (question.ask) {
    case "totp": {
      const again = last?.startsWith("totp ") === true ? "Not right, or used before. " : "";
      const code = askOnTerminal(`${again}Code of your authenticator: `);
      return code === undefined || code === "" ? undefined : `totp ${code}`;
    }
    case "passkey":
      return passkey(question, last, env);
    case "root": {
      if (last !== undefined) return undefined;
      process.stderr.write("This needs root once. sudo asks for your password.\n");
      const made = Bun.spawnSync(["/usr/bin/sudo", "-k", "--", "/usr/bin/touch", question.path], {
        stdin: "inherit",
        stdout: "inherit",
        stderr: "inherit",
      });
      return made.success ? `root ${question.nonce}` : undefined;
    }
  }
}

function passkey(
  { ceremony, url }: Extract<PresenceQuestion, { ask: "passkey" }>,
  last: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const proof = `passkey ${ceremony}`;
  // The daemon waits a moment for the touch at each call; another ceremony means that this one is over.
  if (last === proof) return proof;
  if (last !== undefined) return undefined;
  process.stderr.write(`Touch your passkey on this page: ${url}\n`);
  openPage(url, env);
  return proof;
}

/** Shows a page in the browser where there is a desktop; quiet when that fails. */
export function openPage(url: string, env: Readonly<Record<string, string | undefined>>): void {
  const opener = openerOf(env);
  if (opener === undefined) return;
  try {
    Bun.spawn([opener, url], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).unref();
  } catch {
    // The address is on the screen.
  }
}

/** Whether there is a desktop that opens pages. */
export function hasBrowser(env: Readonly<Record<string, string | undefined>>): boolean {
  return openerOf(env) !== undefined;
}

function openerOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const hasDesktop = process.platform === "darwin" || env.DISPLAY || env.WAYLAND_DISPLAY;
  return hasDesktop ? OPENERS.find((each) => existsSync(each)) : undefined;
}

/** One line typed at the terminal, whatever stdin is; undefined without a terminal. */
export function askOnTerminal(prompt: string): string | undefined {
  let terminal: number;
  try {
    terminal = openSync("/dev/tty", "r+");
  } catch {
    return undefined;
  }
  try {
    writeSync(terminal, prompt);
    const bytes = Buffer.alloc(256);
    const length = readSync(terminal, bytes, 0, bytes.length, null);
    return bytes.toString("utf8", 0, length).trim();
  } finally {
    closeSync(terminal);
  }
}
