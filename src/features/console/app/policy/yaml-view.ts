// The YAML view: an editor with problems at their lines and completion of the policy's own words.
// Loaded when it is first shown. Its style comes with the page's nonce, because the page allows no
// other.

import { autocompletion, type CompletionContext, closeBrackets } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { ControlMethods } from "../../../../api/methods.ts";
import { PROTOCOLS } from "../../../../model/protocol.ts";
import { TIERS } from "../../../../model/tier.ts";
import { UNSAFE, writtenOut } from "../parts/safe-text.tsx";

/** An editor on the page. */
export interface YamlView {
  /** Shows another text, unless it is the one that is shown. */
  setText(text: string): void;
  setProblems(problems: ControlMethods["policy_lint"]["output"]["problems"]): void;
  /** Puts the cursor there. */
  goTo(line: number, column: number): void;
  destroy(): void;
}

const WORDS: readonly (readonly [word: string, about: string])[] = [
  ...PROTOCOLS.map((each) => [each, "protocol"] as const),
  ...TIERS.map((each) => [each, "tier"] as const),
  ["allow", "forward at once"],
  ["escalate", "hold until a person answers"],
  ["deny", "refuse at once; nothing overrides it"],
  ["inspect", "hosts to look into"],
  ["default", "what happens when no rule matches"],
  ["groups", "names for requests"],
  ["rules", "what happens to a group"],
  ["tiers", "requests of these tiers"],
  ["commands", "requests with these commands"],
  ["names", "names or globs of a scope"],
  ["namespaces", "scope list of kubectl"],
  ["projects", "scope list of gcloud"],
  ["agents", "scope list: names of runs"],
];

const COLOURS = HighlightStyle.define([
  { tag: tags.comment, class: "cm-own-comment" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], class: "cm-own-key" },
  { tag: [tags.string, tags.content], class: "cm-own-text" },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], class: "cm-own-mark" },
]);

/** A character that cannot be seen, as the rest of the page shows it. */
function writtenMark(code: number): HTMLElement {
  const mark = document.createElement("span");
  mark.className = "escaped";
  mark.append(writtenOut(String.fromCodePoint(code)));
  return mark;
}

/** Puts an editor into an element. */
export function openYamlView(parent: HTMLElement, text: string, onEdit: (text: string) => void): YamlView {
  const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ "aria-label": "policy.yaml" }),
        lineNumbers(),
        history(),
        drawSelection(),
        highlightSpecialChars({ specialChars: UNSAFE, render: writtenMark }),
        indentOnInput(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        lintGutter(),
        autocompletion({ override: [complete] }),
        yaml(),
        syntaxHighlighting(COLOURS),
        keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onEdit(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText(next) {
      if (next === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    setProblems(problems) {
      view.dispatch(
        setDiagnostics(
          view.state,
          problems.map((each) => diagnosticOf(view.state, each)),
        ),
      );
    },
    goTo(line, column) {
      const at = placeOf(view.state, line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

function complete(context: CompletionContext) {
  const word = context.matchBefore(/[\w-]+/);
  if (word === null && !context.explicit) return null;
  return { from: word?.from ?? context.pos, options: WORDS.map(([label, detail]) => ({ label, detail })) };
}

function diagnosticOf(
  state: EditorState,
  { line, column, severity, message, hint }: ControlMethods["policy_lint"]["output"]["problems"][number],
): Diagnostic {
  const from = placeOf(state, line, column);
  const { to } = state.doc.lineAt(from);
  return {
    from,
    to: Math.max(from, to),
    severity,
    message: hint === undefined ? message : `${message}. ${hint}`,
  };
}

function placeOf(state: EditorState, line: number, column: number): number {
  const { from, to } = state.doc.line(Math.min(Math.max(1, line), state.doc.lines));
  return Math.min(from + Math.max(0, column - 1), to);
}
