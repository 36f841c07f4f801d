// Programs that give another program a further name: `alias x=kubectl`, `hash -p`, `ln -s`, and
// copies. Whatever follows in the line may be called by it.

import { programName } from "../../argv.ts";
import { type ShellWord, sureWord } from "../word.ts";

/** The names that a program gives, each with the words that it then stands for. */
export function namesGivenBy(
  program: string,
  args: readonly ShellWord[],
  isKnown: (program: string) => boolean,
): readonly (readonly [name: string, words: readonly ShellWord[]])[] {
  const operands = args.filter(({ text }) => !text.startsWith("-"));
  const [target, ...names] = operands;
  switch (program) {
    case "alias":
      return operands.flatMap(({ text }) => {
        const [, name, command = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
        return name === undefined ? [] : [[name, command.trim().split(/\s+/).map(sureWord)] as const];
      });
    case "hash":
      return target === undefined || !args.some(({ text }) => /^-\w*p/.test(text))
        ? []
        : names.map(({ text }) => [text, [target]] as const);
    case "ln":
    case "cp":
    case "mv":
    case "install": {
      const guarded = operands.slice(0, -1).find(({ text }) => isKnown(text));
      return guarded === undefined ? [] : [[programName(operands.at(-1)?.text), [guarded]]];
    }
    default:
      return [];
  }
}
