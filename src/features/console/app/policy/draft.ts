// The policy as it is edited on the page: one text, which the form and the YAML view both show. It
// is the daemon's text until the first change; changes stay in this tab until it is saved or thrown
// away.

import { computed, signal } from "@preact/signals";
import type { ControlMethods } from "../../../../api/methods.ts";
import { call } from "../net/call.ts";

/** The text that the edit began with; undefined before it was read. */
export const base = signal<string | undefined>(undefined);
/** The text as edited. */
export const draft = signal("");
/** The daemon's problems with the draft. */
export const problems = signal<ControlMethods["policy_lint"]["output"]["problems"]>([]);
/** Path of the file, for people. */
export const policyPath = signal("");

/** Whether anything was changed. */
export const isChanged = computed(() => base.value !== undefined && draft.value !== base.value);
/** Whether it can be saved. */
export const isValid = computed(() => problems.value.every(({ severity }) => severity !== "error"));

let timer: ReturnType<typeof setTimeout> | undefined;
let asked = 0;

/** Reads the daemon's text, unless something was changed. */
export async function loadPolicy(isForced = false): Promise<void> {
  if (isChanged.value && !isForced) return;
  const { text, path } = await call("policy_show", {});
  // Somebody may have begun to edit while it was read.
  if (isChanged.value && !isForced) return;
  base.value = text;
  draft.value = text;
  policyPath.value = path;
  check(0);
}

/** Changes the text. */
export function editDraft(text: string): void {
  if (text === draft.value) return;
  draft.value = text;
  check(200);
}

function check(afterMs: number): void {
  clearTimeout(timer);
  asked += 1;
  const own = asked;
  timer = setTimeout(() => {
    call("policy_lint", { text: draft.value, only_problems: true }).then(
      (review) => {
        if (own === asked) problems.value = review.problems;
      },
      () => undefined,
    );
  }, afterMs);
}

/** SHA-256 of a text, as the daemon compares it with the file. */
export async function sha256Hex(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
