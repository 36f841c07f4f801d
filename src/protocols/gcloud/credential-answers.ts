// Which methods of Google answer with a credential, by the names of the members in their models:
// the lines of data/credential-answers.txt, read at the first question. Knows no tier.

import text from "./data/credential-answers.txt" with { type: "text" };

let known: ReadonlySet<string> | undefined;

/** An operation's name: API, collection words, verb. */
interface Named {
  readonly api: string;
  readonly words: readonly string[];
  readonly verb: string;
}

/** Whether an operation's answer holds a credential. A gRPC call names only its last collection. */
export function answersCredential({ api, words, verb }: Named): boolean {
  known ??= read();
  if (words.length === 1 && known.has(`${api}/${words[0]}.${verb}`)) return true;
  return known.has([api, ...words, verb].join("."));
}

function read(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const id = line.slice(0, line.indexOf("\t"));
    const parts = id.split(".");
    names.add(id);
    names.add(`${parts[0]}/${parts.slice(-2).join(".")}`);
  }
  return names;
}
