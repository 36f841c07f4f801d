// Which hosts are looked into and which never are, the detector's findings, the trusted
// certificates; and for any host, the treatment and the reason.

import { useState } from "preact/hooks";
import type { ControlMethods } from "../../../../api/methods.ts";
import { hostText } from "../../../../text/host-port.ts";
import { call } from "../net/call.ts";
import { CliLine } from "../parts/cli-line.tsx";
import { ProblemNotice } from "../parts/empty.tsx";
import { Icon } from "../parts/icon.tsx";
import { ActButton, Page, Section } from "../parts/page.tsx";
import { Safe } from "../parts/safe-text.tsx";
import { say, sayProblem } from "../parts/toast.tsx";
import { ago } from "../state/clock.ts";
import { useLoaded } from "../state/load.ts";
import { hrefOf } from "../state/route.ts";

/** The page. */
export function InspectPage() {
  const inspect = useLoaded("inspect_summary", {}, ["policy_reloaded"]);
  const pins = useLoaded("pins_list", {}, ["host_pinned", "host_unpinned"]);
  const detector = useLoaded("detector_list", {}, [
    "host_suspected",
    "detector_cleared",
    "host_pinned",
    "host_unpinned",
  ]);
  const upstreams = useLoaded("upstreams_list", {}, ["upstream_added", "upstream_removed"]);
  const pinned = pins.value.value?.pins ?? [];
  const suspects = detector.value.value?.suspects ?? [];
  return (
    <Page
      title="Inspect and pins"
      about="Hosts on the inspect list are looked into; every other host passes through untouched"
    >
      <TryHost pins={pinned} suspects={suspects} />
      <Section
        title="Looked into"
        about={
          <>
            From the policy; <a href={hrefOf("policy", "form")}>change it there</a>
          </>
        }
      >
        <ProblemNotice error={inspect.problem.value} />
        <dl class="facts wide-names">
          {(inspect.value.value?.protocols ?? []).map(({ protocol, entries }) => (
            <div key={protocol}>
              <dt>{protocol}</dt>
              <dd>
                <ul class="chips">
                  {entries.map((entry) => (
                    <li key={entry} class="chip mono">
                      {entry}
                    </li>
                  ))}
                </ul>
              </dd>
            </div>
          ))}
        </dl>
        <CliLine line='iddio inspect add kubectl "*.example.com"' />
      </Section>
      <Section title="Pinned" about="Never looked into, whatever the policy says">
        <AddPin />
        <ul class="lines">
          {pinned.map((pin) => (
            <li key={`${pin.host} ${pin.port}`}>
              <span class="mono">
                <Safe text={hostText({ host: pin.host, port: pin.port ?? 0 })} />
              </span>
              <small class="muted">
                {pin.note} {pin.source === "detector" ? "from the detector" : ""} {ago(pin.added_ms)}
              </small>
              <span class="spacer" />
              <ActButton
                class="quiet"
                act={() =>
                  call("pins_remove", {
                    host: pin.host,
                    ...(pin.port === undefined ? {} : { port: pin.port }),
                  }).then(() => say(`${pin.host} is looked into again`))
                }
              >
                Unpin
              </ActButton>
            </li>
          ))}
          {pinned.length === 0 ? <li class="muted">Nothing is pinned.</li> : null}
        </ul>
      </Section>
      <Section
        title="The detector"
        about={`Hosts whose TLS could not be opened. Setting: ${detector.value.value?.setting ?? "off"}`}
      >
        <ul class="lines">
          {suspects.map((each) => (
            <li key={`${each.host} ${each.port} ${each.failed}`}>
              <span class="mono">
                <Safe text={hostText(each)} />
              </span>
              <small class="muted">
                <Safe text={each.reason} /> {each.count}× {ago(each.last_ms)}
              </small>
              <span class="spacer" />
              <ActButton
                class="quiet"
                act={() =>
                  call("detector_promote", { host: each.host, port: each.port }).then(() =>
                    say(`${each.host} is pinned`),
                  )
                }
              >
                Pin
              </ActButton>
            </li>
          ))}
          {suspects.length === 0 ? <li class="muted">Nothing was found.</li> : null}
        </ul>
      </Section>
      <Section title="Upstreams" about="Private certificate authorities and client certificates">
        <ul class="lines">
          {(upstreams.value.value?.upstreams ?? []).map((each) => (
            <li key={`${each.host} ${each.port}`}>
              <span class="mono">
                <Safe text={hostText(each)} />
              </span>
              <small class="muted">
                {each.source} {each.ca_fingerprint?.slice(0, 20)}
              </small>
              <span class="spacer" />
              <ActButton
                class="quiet"
                act={() => call("upstreams_remove", { host: each.host, port: each.port })}
              >
                Forget
              </ActButton>
            </li>
          ))}
          {upstreams.value.value?.upstreams.length === 0 ? (
            <li>
              <CliLine label="None. Register the clusters of your kubeconfig:" line="iddio kubeconfig" />
            </li>
          ) : null}
        </ul>
      </Section>
    </Page>
  );
}

function AddPin() {
  const [host, setHost] = useState("");
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const [, name = "", port] = /^(.*?)(?::(\d+))?$/.exec(host.trim()) ?? [];
        if (name === "") return;
        call("pins_add", { host: name, ...(port === undefined ? {} : { port: Number(port) }) }).then(() => {
          setHost("");
          say(`${name} is never looked into`);
        }, sayProblem);
      }}
    >
      <input
        aria-label="Host to pin"
        placeholder="host or host:port"
        value={host}
        onInput={(event) => setHost(event.currentTarget.value)}
      />
      <button type="submit">Pin</button>
      <CliLine line="iddio pin example.com" />
    </form>
  );
}

type Pin = ControlMethods["pins_list"]["output"]["pins"][number];
type Suspect = ControlMethods["detector_list"]["output"]["suspects"][number];

interface Answer {
  readonly host: string;
  readonly what: string;
  readonly why: string;
  readonly isOpened: boolean;
}

function TryHost({
  pins,
  suspects,
}: {
  readonly pins: readonly Pin[];
  readonly suspects: readonly Suspect[];
}) {
  const [typed, setTyped] = useState("");
  const [answer, setAnswer] = useState<Answer>();
  const ask = async () => {
    const host = typed.trim();
    if (host === "") return;
    const [name = ""] = host.split(":");
    const pin = pins.find((each) => each.host === name);
    const suspect = suspects.find((each) => each.host === name && each.state === "pinned");
    if (pin !== undefined)
      return setAnswer({
        host,
        what: "passes through untouched",
        why: `it is pinned${pin.note === "" ? "" : `: ${pin.note}`}`,
        isOpened: false,
      });
    if (suspect !== undefined)
      return setAnswer({
        host,
        what: "passes through untouched, for a while",
        why: `the detector: ${suspect.reason}`,
        isOpened: false,
      });
    const found = await call("decide", { method: "GET", host, path: "/" });
    setAnswer(
      found.decision === "splice"
        ? {
            host,
            what: "passes through untouched",
            why: "no entry of the inspect list covers it",
            isOpened: false,
          }
        : {
            host,
            what: `is looked into as ${found.classification?.protocol ?? "generic"}`,
            why:
              found.classification?.entry === undefined
                ? found.reason
                : `the entry "${found.classification.entry}" covers it`,
            isOpened: true,
          },
    );
  };
  return (
    <section class="card try-host">
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          ask().catch(sayProblem);
        }}
      >
        <label class="row" for="try-host">
          <b>Try a host</b>
        </label>
        <input
          id="try-host"
          class="grow"
          placeholder="api.example.com"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="submit">Ask</button>
      </form>
      <p role="status">
        {answer === undefined ? (
          <span class="muted">What happens to a host, and why.</span>
        ) : (
          <>
            <Icon name={answer.isOpened ? "inspect" : "close"} /> <b class="mono">{answer.host}</b>{" "}
            {answer.what}: {answer.why}.
          </>
        )}
      </p>
    </section>
  );
}
