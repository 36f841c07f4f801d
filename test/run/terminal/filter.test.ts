// The octets that an agent may send to the person's terminal, byte for byte and cut anywhere.

import { expect, test } from "bun:test";
import { TerminalFilter } from "../../../src/cli/kit/terminal/terminal-filter.ts";

function shown(text: string, pieces: number, allowsClipboard = false): string {
  const filter = new TerminalFilter({ allowsClipboard });
  const bytes = Buffer.from(text, "latin1");
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieces) out.push(filter.push(bytes.subarray(at, at + pieces)));
  return Buffer.concat(out).toString("latin1");
}

const PASSES = {
  "plain text and line ends": "hello\r\n\tworld\x07",
  "UTF-8": Buffer.from("grün 日本 ✓").toString("latin1"),
  "colours and movement": "\x1b[1;31mred\x1b[0m\x1b[2J\x1b[10;5H\x1b[?1049h\x1b[?25l",
  "true colour with colons": "\x1b[38:2::1:2:3mx",
  "character sets": "\x1b(0lqqk\x1b(B",
  "cursor position and attributes reports": "\x1b[6n\x1b[c\x1b[>c",
  "a title": "\x1b]0;vim notes.md\x07",
  "a link": "\x1b]8;;https://example.com/\x1b\\text\x1b]8;;\x1b\\",
  "asking for the background's colour": "\x1b]11;?\x07",
  "a picture": "\x1bP0;1q#0;2;0;0;0~-\x1b\\",
  "kitty's keyboard": "\x1b[>1u\x1b[<u",
};

const CUT = {
  "asking for the clipboard": "\x1b]52;c;?\x07",
  "asking for the clipboard, other end": "\x1b]52;c;?\x1b\\",
  "writing the clipboard": "\x1b]52;c;cm0gLXJm\x07",
  "iTerm's own commands": "\x1b]1337;File=inline=1:AAAA\x07",
  "kitty's remote control": '\x1bP@kitty-cmd{"cmd":"send-text"}\x1b\\',
  "tmux pass-through": "\x1bPtmux;\x1b\x1b]52;c;?\x07\x1b\\",
  "screen pass-through": "\x1bP\x1b]52;c;?\x07\x1b\\",
  DECRQSS: "\x1bP$qm\x1b\\",
  XTGETTCAP: "\x1bP+q544e\x1b\\",
  "the title as typed text": "\x1b[21t",
  "the icon's name as typed text": "\x1b[20t",
  "answer-back": "\x05",
  "identify, old spelling": "\x1bZ",
  "application program command": "\x1b_Gf=100,t=f;L2V0Yy9wYXNzd2Q=\x1b\\",
  "privacy message": "\x1b^x\x1b\\",
  "start of string": "\x1bXx\x1b\\",
  "font query": "\x1b]50;?\x07",
  "an escape inside a harmless command": "\x1b]0;a\x1b[21tb\x07",
};

for (const [name, text] of Object.entries(PASSES))
  test(`passes: ${name}`, () => {
    for (const pieces of [1, 2, 3, 1_000]) expect(shown(`a${text}b`, pieces)).toBe(`a${text}b`);
  });

for (const [name, text] of Object.entries(CUT))
  test(`is cut out: ${name}`, () => {
    for (const pieces of [1, 2, 3, 1_000]) expect(shown(`a${text}b`, pieces)).toBe("ab");
  });

test("a profile may let the clipboard be written, never read", () => {
  expect(shown("\x1b]52;c;aGk=\x07", 100, true)).toBe("\x1b]52;c;aGk=\x07");
  expect(shown("\x1b]52;c;?\x07", 100, true)).toBe("");
});

test("a string without an end is held back, and a very long one is dropped", () => {
  expect(shown("\x1b]52;c;?", 3)).toBe("");
  expect(shown(`a\x1b]0;${"x".repeat(300_000)}\x07b`, 4_096)).toBe("ab");
});

test("it knows whether a full-screen program gave the screen back", () => {
  const filter = new TerminalFilter();
  filter.push(Buffer.from("\x1b[?1049h"));
  expect(filter.isOnAlternateScreen).toBe(true);
  filter.push(Buffer.from("\x1b[?25h\x1b[?1049l"));
  expect(filter.isOnAlternateScreen).toBe(false);
});
