// Substitutions that print what is stored: a file as it is, or the lines by which a known tool is
// set up in a shell. Running these is like running a script that is a file.

import { forEachChild, type SyntaxNode, type Word, type WordPart } from "unbash";

const PRINTS_FILES = /^(?:cat|grep|egrep|head|tail|sort|uniq)$/;
const SETS_UP =
  /^(?:\S+ completions?(?: -s)?(?: \w+)?|(?:direnv|starship|zoxide|fnm|mise|rtx|rbenv|pyenv|nodenv|goenv|atuin|fzf|thefuck|brew|opam|conda|register-python-argcomplete|luarocks|ssh-agent|gpg-agent|dircolors|lesspipe|minikube|keychain|vault|sheldon|mcfly|navi|pip|npm|poetry|rustup|tmuxifier|nvm|volta|asdf|devbox|devenv|nix) [\w=./ -]*|(?:ssh-agent|dircolors|lesspipe|thefuck))$/;

/** Whether all substitutions of a word are of this kind, and it has nothing else that is unknown. */
export function isStored({ parts = [] }: Word): boolean {
  let count = 0;
  const isPart = (part: WordPart): boolean => {
    if (part.type === "DoubleQuoted") return part.parts.every(isPart);
    if (part.type !== "CommandExpansion" && part.type !== "ProcessSubstitution") return "value" in part;
    count += 1;
    return part.script !== undefined && printsStored(part.script);
  };
  return parts.every(isPart) && count > 0;
}

function printsStored(script: SyntaxNode): boolean {
  let isPlain = true;
  forEachChild(script, (statement) => {
    if (statement.type !== "Statement") return;
    const all = statement.command.type === "Pipeline" ? statement.command.commands : [statement.command];
    isPlain &&= all.every((each, at) => {
      if (each.type !== "Command" || each.name === undefined) return false;
      const words = [each.name, ...each.args].map(({ text }) => text);
      return PRINTS_FILES.test(words[0] ?? "") || (at === 0 && SETS_UP.test(words.join(" ")));
    });
  });
  return isPlain;
}
