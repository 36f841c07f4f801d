// Programs of a line that run a text which is not read. Alone they say nothing: they count where
// the line names a guarded program in one of its texts.

import { guardedNameIn } from "./guarded-names.ts";

const DATA_MAX = 256 * 1024;
const COPIED =
  /(?:\/s?bin\/|https?:\/\/\S{1,500}\/)(kubectl|gcloud|gsutil|terraform|tofu|helm|wrangler|flyctl|aws|gh|fly)(?![\w./-])/;

/** The doubts of one line. */
export class LineDoubts {
  #first: { readonly argv: readonly string[]; readonly why: string } | undefined;
  /** The texts of the line that are no words of guarded programs. */
  readonly #data: string[] = [];
  #length = 0;

  /** Adds a program, and why it is a doubt. */
  add(argv: readonly string[], why: string): undefined {
    this.#first ??= { argv, why };
  }

  /** Keeps a text of the line. */
  keep(text: string): void {
    if (this.#length > DATA_MAX) return;
    this.#length += text.length;
    this.#data.push(text);
  }

  /** The guarded program that a text of the line has as a file or an address, which may be there under another name. */
  get copied(): string | undefined {
    return COPIED.exec(this.#data.join("\n"))?.[1];
  }

  /** The first doubt, where a text of the line names a guarded program. */
  get found(): { readonly argv: readonly string[]; readonly reason: string } | undefined {
    if (this.#first === undefined) return undefined;
    const name = guardedNameIn(this.#data.join("\n"));
    const { argv, why } = this.#first;
    return name === undefined ? undefined : { argv, reason: `${why}, and the line names ${name}` };
  }
}
