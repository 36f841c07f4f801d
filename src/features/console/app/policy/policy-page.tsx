// Shows the policy as a form, as YAML, and as it was before. Saving shows the changes first. All
// three are one text.

import { useEffect, useRef, useState } from "preact/hooks";
import { onEvent, onRefresh } from "../net/events.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { Empty } from "../parts/empty.tsx";
import { Icon } from "../parts/icon.tsx";
import { Page } from "../parts/page.tsx";
import { clockTime } from "../state/clock.ts";
import { useLoaded } from "../state/load.ts";
import { goTo, route } from "../state/route.ts";
import { base, draft, editDraft, isChanged, isValid, loadPolicy, policyPath, problems } from "./draft.ts";
import { PolicyForm } from "./policy-form.tsx";
import { SaveDialog } from "./save-dialog.tsx";
import type { YamlView } from "./yaml-view.ts";

const VIEWS = [
  ["form", "Form"],
  ["yaml", "YAML"],
  ["history", "History"],
] as const;

/** The page. */
export function PolicyPage() {
  const [isSaving, setSaving] = useState(false);
  const wanted = route.value.rest;
  const view = VIEWS.find(([name]) => name === wanted)?.[0] ?? "form";
  useEffect(() => {
    const read = () => void loadPolicy().catch(() => undefined);
    read();
    const stops = [onRefresh(read), onEvent(({ tag }) => (tag === "policy_reloaded" ? read() : undefined))];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  const errors = problems.value.filter(({ severity }) => severity === "error").length;
  return (
    <Page
      title="Policy"
      about={<span class="mono">{policyPath.value}</span>}
      actions={
        <>
          {isChanged.value ? (
            <button type="button" onClick={() => void loadPolicy(true)}>
              Discard
            </button>
          ) : null}
          <button
            type="button"
            class="primary"
            disabled={!isChanged.value || !isValid.value}
            onClick={() => setSaving(true)}
          >
            Review and save
          </button>
        </>
      }
    >
      <div class="tabs">
        <div role="tablist" aria-label="Views of the policy">
          {VIEWS.map(([name, label]) => (
            <button
              key={name}
              type="button"
              role="tab"
              aria-selected={name === view}
              onClick={() => goTo("policy", name, true)}
            >
              {label}
            </button>
          ))}
        </div>
        <span class="muted" role="status">
          {errors > 0
            ? `${errors} ${errors === 1 ? "problem" : "problems"}`
            : isChanged.value
              ? "Changed, not saved"
              : ""}
        </span>
      </div>
      {base.value === undefined ? (
        <p class="muted">Reading…</p>
      ) : view === "form" ? (
        <PolicyForm />
      ) : view === "yaml" ? (
        <YamlTab />
      ) : (
        <HistoryTab />
      )}
      <p class="page-foot">
        <CliLine label="In a terminal" line="iddio policy edit" />
      </p>
      {isSaving ? <SaveDialog onClose={() => setSaving(false)} /> : null}
    </Page>
  );
}

function YamlTab() {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<YamlView | undefined>(undefined);
  const text = draft.value;
  const found = problems.value;
  useEffect(() => {
    let isGone = false;
    void import("./yaml-view.ts").then(({ openYamlView }) => {
      if (isGone || place.current === null) return;
      view.current = openYamlView(place.current, draft.value, editDraft);
      view.current.setProblems(problems.value);
    });
    return () => {
      isGone = true;
      view.current?.destroy();
      view.current = undefined;
    };
  }, []);
  // The text of now, not of when this was drawn: the editor may be ahead.
  useEffect(() => view.current?.setText(draft.value), [text]);
  useEffect(() => view.current?.setProblems(found), [found]);
  return (
    <>
      <div class="editor" ref={place} />
      {found.length === 0 ? null : (
        <ul class="problem-list" aria-label="Problems">
          {found.map((each) => (
            <li key={`${each.line} ${each.column} ${each.message}`}>
              <button type="button" class="quiet" onClick={() => view.current?.goTo(each.line, each.column)}>
                <Icon name="warning" /> <span class="mono">{`${each.line}:${each.column}`}</span>{" "}
                {each.message}
              </button>
              {each.hint === undefined ? null : <small class="muted">{each.hint}</small>}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function HistoryTab() {
  const { value } = useLoaded("policy_versions", {}, ["policy_reloaded"]);
  const versions = value.value?.versions;
  const [open, setOpen] = useState<string>();
  if (versions === undefined) return <p class="muted">Reading…</p>;
  if (versions.length === 0)
    return (
      <Empty icon="clock" title="No versions yet">
        <p>Each policy that comes into force is kept here, the last fifty.</p>
      </Empty>
    );
  return (
    <ul class="versions">
      {versions.map(({ saved_ms, sha256, text }, index) => (
        <li key={sha256} class="card">
          <div class="row">
            <b>{clockTime(saved_ms)}</b>
            <span class="muted mono">{sha256.slice(0, 12)}</span>
            {index === 0 ? <span class="run">in force</span> : null}
            <span class="spacer" />
            <button
              type="button"
              class="quiet"
              aria-expanded={open === sha256}
              onClick={() => setOpen(open === sha256 ? undefined : sha256)}
            >
              {open === sha256 ? "Hide" : "Show"}
            </button>
            {index === 0 ? null : (
              <button
                type="button"
                onClick={() => {
                  editDraft(text);
                  goTo("policy", "yaml", true);
                }}
              >
                Put back
              </button>
            )}
          </div>
          {open === sha256 ? <pre class="body">{text}</pre> : null}
        </li>
      ))}
    </ul>
  );
}

/** Reads the policy once and changes it, for a page that proposes a rule. */
export async function propose(change: (text: string) => string): Promise<void> {
  if (base.value === undefined) await loadPolicy();
  editDraft(change(draft.value));
  goTo("policy", "form");
}
