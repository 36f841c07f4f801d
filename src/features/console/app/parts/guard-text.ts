// No string reaches the page with characters that cannot be seen: what stands in an element, a
// tooltip or a label is written out here once more, whichever part of the page drew it. Line feeds
// and tabs stay, because only text with a layout of its own has them.

import { Fragment, options, type VNode } from "preact";
import { SafeLines, writtenOut } from "./safe-text.tsx";

/** Elements whose content is text and nothing else, and those in whose text a person types. */
const TEXT_ONLY = new Set(["option", "title", "script", "style"]);
const TYPED_IN = new Set(["input", "textarea"]);
const SHOWN_ATTRIBUTES = ["title", "aria-label", "placeholder", "alt", "label"] as const;

/** Begins to guard everything that is drawn from now on. */
export function guardAllText(): void {
  const before = options.vnode;
  options.vnode = (vnode) => {
    if (typeof vnode.type === "string" || vnode.type === Fragment) guard(vnode);
    before?.(vnode);
  };
}

function guard(vnode: VNode): void {
  const { type } = vnode;
  const props = vnode.props as Record<string, unknown>;
  if (typeof type === "string")
    for (const name of SHOWN_ATTRIBUTES) {
      const value = props[name];
      if (typeof value === "string") props[name] = writtenOut(value);
    }
  if (typeof type === "string" && TYPED_IN.has(type)) return;
  const isTextOnly = typeof type === "string" && TEXT_ONLY.has(type);
  if (props.children !== undefined) props.children = guarded(props.children, isTextOnly);
}

function guarded(child: unknown, isTextOnly: boolean): unknown {
  if (Array.isArray(child)) return child.map((each) => guarded(each, isTextOnly));
  if (typeof child !== "string") return child;
  const written = writtenOut(child);
  if (written === child) return child;
  return isTextOnly ? written : SafeLines({ text: child });
}
