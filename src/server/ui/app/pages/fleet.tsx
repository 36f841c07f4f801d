// The devices: who has them, when they were seen, which policy they have. Enrolling one begins
// here. A machine's own name is only shown; its id counts.

import { useState } from "preact/hooks";
import { CliLine } from "../../../../features/console/app/parts/cli-line.tsx";
import { Empty, ProblemNotice } from "../../../../features/console/app/parts/empty.tsx";
import { ActButton, Page } from "../../../../features/console/app/parts/page.tsx";
import { Safe } from "../../../../features/console/app/parts/safe-text.tsx";
import { agoText, askServer, type List, me, useReading } from "../net.ts";

interface Device {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly ring: number;
  readonly version: string;
  readonly mode: string;
  readonly state: string;
  readonly seen_ms: number;
  readonly owner: { readonly name: string };
  readonly policy?: { readonly revision: number };
  readonly refused?: string;
  readonly alerts: readonly string[];
}

/** The page. */
export function FleetPage() {
  const devices = useReading<List<Device>>("devices?limit=500");
  const [token, setToken] = useState("");
  const mayAdminister = me.value?.rights.includes("administer") === true;
  const items = devices.value.value?.items;
  return (
    <Page
      title="Fleet"
      about={items === undefined ? undefined : `${items.length} devices`}
      actions={
        mayAdminister ? (
          <ActButton
            act={async () => {
              const made = await askServer<{ token: string }>("enroll-tokens", { owner: me.value?.id ?? "" });
              setToken(made.token);
            }}
            class="primary"
          >
            Enrol a device of mine
          </ActButton>
        ) : undefined
      }
    >
      <ProblemNotice error={devices.problem.value} />
      {token === "" ? null : (
        <p class="card">
          Type this on the device within a day. It is shown once.{" "}
          <CliLine line={`iddio enroll ${location.origin} --token ${token}`} />
        </p>
      )}
      {items?.length === 0 ? <Empty icon="runs" title="No device is enrolled" /> : null}
      <table>
        <thead>
          <tr>
            <th>Device</th>
            <th>Owner</th>
            <th>Group</th>
            <th>Mode</th>
            <th>Policy</th>
            <th>Seen</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {items?.map((device) => (
            <tr key={device.id}>
              <th scope="row">
                <Safe text={device.name} /> <small class="muted mono">{device.id}</small>
                {[...device.alerts, device.refused ?? ""].filter(Boolean).map((text) => (
                  <small key={text} class="differs">
                    <Safe text={text} />
                  </small>
                ))}
              </th>
              <td>
                <Safe text={device.owner.name} />
              </td>
              <td>{device.group}</td>
              <td>
                <Safe text={device.mode} />
              </td>
              <td class="number">{device.policy?.revision ?? "-"}</td>
              <td>{device.state === "revoked" ? "revoked" : agoText(device.seen_ms)}</td>
              <td>
                {mayAdminister && device.state === "active" ? (
                  <ActButton
                    act={async () => {
                      await askServer(`devices/${device.id}/revoke`, { reason: "revoked on the page" });
                      await devices.reload();
                    }}
                    class="deny"
                    label={`Revoke ${device.name}`}
                  >
                    Revoke
                  </ActButton>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Page>
  );
}
