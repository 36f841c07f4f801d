// Shows the daemon's settings and state: mode, settings, the guard and its factor, the console's
// sessions, and doctor's list with the command that fixes each finding.

import { useState } from "preact/hooks";
import { LEVEL_MEANING } from "../../../../model/level.ts";
import { MODES, type Mode } from "../../../../model/mode.ts";
import { call } from "../net/call.ts";
import { sessionId } from "../net/session.ts";
import { giveTouch, readTouch } from "../net/touch.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { ProblemNotice } from "../parts/empty.tsx";
import { Icon } from "../parts/icon.tsx";
import { ActButton, Page, Section } from "../parts/page.tsx";
import { Raise } from "../parts/raise.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { say } from "../parts/toast.tsx";
import { ago, clockTime } from "../state/clock.ts";
import { useLoaded } from "../state/load.ts";

const MODE_MEANINGS: Readonly<Record<Mode, string>> = {
  off: "requests pass unseen and unrecorded",
  passthrough: "requests pass, and who connected where is recorded",
  observe: "requests are judged and recorded, and none is blocked",
  enforce: "the policy decides each request",
};

/** The page. */
export function SettingsPage() {
  const status = useLoaded("status", {}, [
    "proxy_mode_changed",
    "settings_reloaded",
    "policy_reloaded",
    "guard_changed",
  ]);
  const found = status.value.value;
  return (
    <Page title="Settings and health">
      <ProblemNotice error={status.problem.value} />
      {found === undefined ? null : (
        <div class="tiles">
          <div class="card">
            <h2 class="label">Mode</h2>
            <p class="big">{found.proxy_mode}</p>
            <p class="muted">{MODE_MEANINGS[found.proxy_mode]}</p>
            <div class="row">
              {MODES.filter((mode) => mode !== found.proxy_mode).map((mode) => (
                <ActButton
                  key={mode}
                  title={MODE_MEANINGS[mode]}
                  act={() => call("mode_set", { proxy_mode: mode }).then(() => say(`The mode is ${mode}`))}
                >
                  {mode}
                </ActButton>
              ))}
            </div>
          </div>
          <div class="card">
            <h2 class="label">Daemon</h2>
            <p class="big">{found.build_version}</p>
            <p class="muted">
              {found.proxy_listen}, started {ago(Date.now() - found.uptime_ms)}
            </p>
            <p class="muted">{found.policy === "loaded" ? "policy loaded" : found.policy}</p>
          </div>
          <GuardCard />
        </div>
      )}
      <DoctorSection />
      <SettingsSection />
      <SessionsSection />
    </Page>
  );
}

function GuardCard() {
  const guard = useLoaded("guard_status", {}, ["guard_changed", "settings_reloaded"]);
  const found = guard.value.value;
  const [codes, setCodes] = useState<readonly string[]>();
  const enrol = async () => {
    const { enrolment, url = "" } = await call("guard_enroll", { factor: "passkey" });
    const id = new URL(url).pathname.slice(1);
    await giveTouch(id, await readTouch(id));
    setCodes((await call("guard_confirm", { enrolment })).codes);
    guard.reload();
  };
  if (found === undefined) return null;
  return (
    <div class="card">
      <h2 class="label">Guard of approvals</h2>
      <p class="big">
        {found.level} <small class="muted">of L0 to L4, guard: {found.guard}</small>
      </p>
      <p class="muted">{LEVEL_MEANING[found.level].replaceAll("`", "")}</p>
      <p class="muted">{found.problem ?? found.why}</p>
      <div class="row">
        <ActButton class={found.guard === "passkey" ? "" : "primary"} act={enrol}>
          <Icon name="key" /> {found.guard === "passkey" ? "Replace the passkey" : "Set up a passkey"}
        </ActButton>
        <Raise text={found.raise} />
      </div>
      {codes === undefined ? null : (
        <Dialog title="Recovery codes, shown once" onClose={() => setCodes(undefined)}>
          <p>Each opens one enrolment if the passkey is lost. Keep them where no agent reads.</p>
          <pre class="body">{codes.join("\n")}</pre>
          <div class="row end">
            <button type="button" class="primary" onClick={() => setCodes(undefined)}>
              I have kept them
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

const VERDICTS = { ok: "check", warn: "warning", fail: "close", skip: "more" } as const;

function DoctorSection() {
  const doctor = useLoaded("doctor_examine", {});
  const findings = doctor.value.value?.findings;
  const bad = findings?.filter(({ verdict }) => verdict === "warn" || verdict === "fail") ?? [];
  const others = findings?.filter(({ verdict }) => verdict === "ok" || verdict === "skip") ?? [];
  return (
    <Section title="Health" about="What iddio doctor finds">
      <ProblemNotice error={doctor.problem.value} />
      {findings === undefined ? <p class="muted">Looking…</p> : bad.length === 0 ? <p>All is well.</p> : null}
      <ul class="findings">
        {bad.map((each) => (
          <li key={each.check} class={`finding finding-${each.verdict}`}>
            <Icon name={VERDICTS[each.verdict]} />
            <div>
              <b>{each.check}</b> <Safe text={each.detail} />
              <small class="muted mono">
                <Safe text={each.looked_at} />
              </small>
              {each.fix === undefined ? null : /^(?:(?:sudo )?iddio |eval ")/.test(each.fix) ? (
                <CliLine line={each.fix} />
              ) : (
                <p>{each.fix}</p>
              )}
            </div>
          </li>
        ))}
      </ul>
      {others.length === 0 ? null : (
        <details>
          <summary>{others.length} more, all well</summary>
          <ul class="findings">
            {others.map((each) => (
              <li key={each.check} class={`finding finding-${each.verdict}`}>
                <Icon name={VERDICTS[each.verdict]} />
                <div>
                  <b>{each.check}</b> <Safe text={each.detail} />
                </div>
              </li>
            ))}
          </ul>
        </details>
      )}
      <p class="row">
        <ActButton act={async () => doctor.reload()}>Look again</ActButton>
        <CliLine line="iddio doctor" />
      </p>
    </Section>
  );
}

function SettingsSection() {
  const settings = useLoaded("settings_get", {}, ["settings_reloaded", "guard_changed"]);
  const entries = Object.entries(settings.value.value?.settings ?? {});
  return (
    <Section title="Settings" about="Of settings.yaml. A value that you change gets a button that sets it">
      <ProblemNotice error={settings.problem.value} />
      <dl class="settings">
        {entries.map(([name, value]) => (
          <Setting
            key={`${name} ${JSON.stringify(value)}`}
            name={name}
            value={typeof value === "string" ? value : JSON.stringify(value)}
            onSaved={settings.reload}
          />
        ))}
      </dl>
    </Section>
  );
}

function Setting({
  name,
  value,
  onSaved,
}: {
  readonly name: string;
  readonly value: string;
  readonly onSaved: () => void;
}) {
  const [typed, setTyped] = useState(value);
  const save = async () => {
    const { note } = await call("settings_set", { name, value: typed });
    say(note === undefined ? `${name} is ${typed}` : `${name} is ${typed}: ${note}`);
    onSaved();
  };
  return (
    <div>
      <dt>
        <label for={`setting-${name}`} class="mono">
          {name}
        </label>
      </dt>
      <dd class="row">
        <input
          id={`setting-${name}`}
          class="mono"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        {typed === value ? null : (
          <ActButton class="primary" act={save}>
            Set
          </ActButton>
        )}
      </dd>
    </div>
  );
}

function SessionsSection() {
  const sessions = useLoaded("console_sessions", {});
  return (
    <Section title="Sessions of this console">
      <ul class="lines">
        {(sessions.value.value?.sessions ?? []).map((each) => (
          <li key={each.id}>
            <span class="mono">{each.id}</span>
            {each.id === sessionId() ? <span class="run">this tab</span> : null}
            <small class="muted">
              may {each.may_decide ? "decide" : "look"}, opened {clockTime(each.opened_ms)}
              {each.opened_by === undefined ? "" : ` from ${each.opened_by}`}, ends {clockTime(each.ends_ms)}
            </small>
            <span class="spacer" />
            <ActButton
              class="quiet"
              act={() => call("console_revoke", { id: each.id }).then(sessions.reload)}
            >
              End
            </ActButton>
          </li>
        ))}
      </ul>
      <CliLine line="iddio console sessions" />
    </Section>
  );
}
