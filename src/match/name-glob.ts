// Patterns for names: scopes (`prod-*`) and commands (`pods/* delete`). Case is ignored, because
// some upstreams ignore it too (GitHub's owners and repositories) and a deny that a capital letter
// escapes is no deny.

import { compileGlob, type Glob } from "./glob.ts";

/** A compiled name pattern; `globs` are its alternatives, in lower case, for an index to hold. */
export interface NameGlob {
  readonly globs: readonly Glob[];
  /** Whether the name matches, in any case. */
  test(name: string): boolean;
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** Compiles a name pattern; `*` matches any characters, also `/`. Invisible characters and malformed patterns are problems. */
export function compileNameGlob(text: string): NameGlob | { readonly problem: string } {
  if (UNPRINTABLE.test(text)) return { problem: "the pattern holds an invisible character" };
  if (text.trim() !== text) return { problem: "the pattern begins or ends with white space" };
  const compiled = compileGlob(text.toLowerCase());
  if ("problem" in compiled) return compiled;
  const { globs } = compiled;
  return {
    globs,
    test: (name) => {
      const folded = name.toLowerCase();
      return globs.some((glob) => glob.test(folded));
    },
  };
}
