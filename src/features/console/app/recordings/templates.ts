// The page forbids scripts to make markup out of text (Trusted Types). The player makes its buttons
// that way, out of templates that are constants of its code; so exactly such markup passes, and
// nothing that could load, run or lead anywhere.

const TAGS =
  "button|canvas|circle|defs|div|g|kbd|li|line|mask|p|path|polygon|polyline|pre|rect|span|svg|ul|ellipse";
const NAMES =
  "aria-[a-z]+|class|cx|cy|d|fill|fill-rule|clip-rule|height|id|mask|opacity|points|preserveAspectRatio|r|rx|ry|stroke|stroke-linecap|stroke-linejoin|stroke-width|tabindex|title|type|version|viewBox|width|x|x1|x2|xmlns|y|y1|y2";
const MARKUP = new RegExp(
  `^(?:[^<&]|</(?:${TAGS})>|<(?:${TAGS})(?:\\s*(?:${NAMES})=(?:"[^"<>&]*"|[^\\s"'<>=&]+))*\\s*/?>)*$`,
);

let isAllowed = false;

/** Whether markup is such a template. */
export function isTemplate(markup: string): boolean {
  return markup.length < 16_384 && MARKUP.test(markup);
}

interface PolicyFactory {
  createPolicy(name: string, rules: { readonly createHTML: (markup: string) => string | null }): unknown;
}

/** Lets templates pass, from the first recording on. */
export function allowTemplates(): void {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: PolicyFactory };
  if (isAllowed || trustedTypes === undefined) return;
  isAllowed = true;
  trustedTypes.createPolicy("default", { createHTML: (markup) => (isTemplate(markup) ? markup : null) });
}
