// Light, dark, or as the system has it. Kept in this browser; it is no secret.

import { effect, signal } from "@preact/signals";

const THEMES = ["system", "light", "dark"] as const;
const KEPT = "iddio-theme";

type Theme = (typeof THEMES)[number];

/** The theme in use. */
export const theme = signal<Theme>(THEMES.find((each) => each === localStorage.getItem(KEPT)) ?? "system");

effect(() => {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

/** Goes on to the next theme. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
  localStorage.setItem(KEPT, theme.value);
}
