// Labels that hold for a whole request, put on an answer and on each of its parts: policy decides
// every part on its own labels.

import type { Classification } from "../model/classification.ts";

/** The answer with these labels, whatever labels it had. */
export function withLabels(answer: Classification, labels: Readonly<Record<string, string>>): Classification {
  const { parts, ...whole } = answer;
  if (parts === undefined) return { ...whole, labels };
  return { ...whole, labels, parts: parts.map((part) => withLabels(part, labels)) };
}
