// The scripts that `iddio completion` prints. They hold no words of their own: at each Tab the
// shell asks `iddio __complete`, which answers by the registry and the daemon, one
// `value<Tab>description` a line, or the single line `:files`.

import type { Shell } from "./shell-init.ts";

/** The script for one shell; ends with a line feed. */
export function renderCompletion(shell: Shell): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell];
}

// Bash splits words at `:` and `=` too, and replaces only the piece after them: the pieces are put together
// again by looking for a blank between them, and the text before the last piece is cut off the answers.
const BASH = `# iddio: completion for bash; source it, or put it into a directory that bash-completion reads
_iddio() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() word rest i
  rest=$line
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((i > 0)) && [[ $rest == "$word"* && $rest != [[:space:]]* && -n $word ]]; then
      words[\${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    rest=\${rest#"\${rest%%[![:space:]]*}"}
    rest=\${rest#"$word"}
  done
  local typed=\${words[\${#words[@]} - 1]} value about
  local cut=\${typed%"\${COMP_WORDS[COMP_CWORD]}"}
  [[ \${COMP_WORDS[COMP_CWORD]} == [:=] ]] && cut=$typed
  COMPREPLY=()
  while IFS=$'\\t' read -r value about; do
    if [[ $value == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    [[ $value == *= ]] && compopt -o nospace 2>/dev/null
    COMPREPLY+=("$(printf %q "\${value#"$cut"}")")
  done < <(command iddio __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _iddio iddio
`;

const ZSH = `#compdef iddio
# iddio: completion for zsh; source it after compinit, or put it as _iddio into a directory of $fpath
_iddio() {
  local -a values abouts shown open
  local value about
  local -i width=0 at
  while IFS=$'\\t' read -r value about; do
    if [[ $value == :files ]]; then
      _files
      return
    fi
    values+=("$value")
    abouts+=("$about")
    (( \${#value} > width )) && width=\${#value}
  done < <(command iddio __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( \${#values} )) || return 1
  for (( at = 1; at <= \${#values}; at++ )); do
    shown+=("\${(r:width:)values[at]}\${abouts[at]:+  $abouts[at]}")
  done
  open=(\${(M)values:#*=})
  if (( \${#open} )); then
    compadd -l -S '' -d shown -a values
  else
    compadd -l -d shown -a values
  fi
}
if [[ \${funcstack[1]} == _iddio ]]; then
  _iddio "$@"
else
  compdef _iddio iddio
fi
`;

const FISH = `# iddio: completion for fish; source it, or put it as iddio.fish into ~/.config/fish/completions
function __iddio_complete
  set -l words (commandline -opc)[2..-1] (commandline -ct)
  set -l found (command iddio __complete -- $words 2>/dev/null)
  if test "$found[1]" = ':files'
    __fish_complete_path (commandline -ct)
  else if set -q found[1]
    printf '%s\\n' $found
  end
end
complete -c iddio -f -a '(__iddio_complete)'
`;
