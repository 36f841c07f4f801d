// The answer of whatever opens a program that starts others: each is words, or a text for a shell,
// or cannot be read.

import type { ShellWord } from "../word.ts";

/** A program that a wrapper starts. */
export type Opened =
  | { readonly kind: "words"; readonly words: readonly ShellWord[] }
  | { readonly kind: "script"; readonly script: ShellWord }
  | { readonly kind: "unreadable"; readonly why: string };
