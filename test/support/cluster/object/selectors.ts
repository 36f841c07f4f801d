// Label and field selectors of list and watch requests.

import { type KubeObject, textAt } from "./kube-object.ts";

/** A test for objects; throws nothing, unknown syntax matches nothing. */
export type Selector = (object: KubeObject) => boolean;

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`. */
export function labelSelector(text: string | null): Selector {
  if (text === null || text === "") return () => true;
  const terms = (text.match(/[^,(]+(?:\([^)]*\))?/g) ?? []).map(labelTerm);
  return (object) => terms.every((term) => term(object.metadata.labels ?? {}));
}

function labelTerm(text: string): (labels: Record<string, string>) => boolean {
  const term = text.trim();
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    return (labels) => values.includes(labels[key] ?? "\0") === (operator === "in");
  }
  const comparison = /^([^!=\s]+)\s*(==|=|!=)\s*(.*)$/.exec(term);
  if (comparison !== null) {
    const [, key = "", operator, value = ""] = comparison;
    return (labels) => (labels[key] === value) === (operator !== "!=");
  }
  if (term.startsWith("!")) return (labels) => !(term.slice(1) in labels);
  return (labels) => term in labels;
}

/** Parses `metadata.name=x,status.phase!=Running` over any dotted path. */
export function fieldSelector(text: string | null): Selector {
  if (text === null || text === "") return () => true;
  const terms = text.split(",").map((term) => {
    const [, path = "", operator, value = ""] = /^([^!=]+)(==|=|!=)(.*)$/.exec(term.trim()) ?? [];
    return (object: KubeObject) => (textAt(object, path) === value) === (operator !== "!=");
  });
  return (object) => terms.every((term) => term(object));
}
