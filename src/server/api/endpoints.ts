// Every endpoint of the REST API. The server, the OpenAPI document and the test of isolation read
// this list.

import { APPROVAL_ENDPOINTS } from "./approval-endpoints.ts";
import { AUDIT_ENDPOINTS } from "./audit-endpoints.ts";
import { DEVICE_ENDPOINTS } from "./device-endpoints.ts";
import type { AnyEndpoint } from "./endpoint.ts";
import { FORWARD_ENDPOINTS } from "./forward-endpoints.ts";
import { NOTIFY_ENDPOINTS } from "./notify-endpoints.ts";
import { PEOPLE_ENDPOINTS } from "./people-endpoints.ts";
import { POLICY_ENDPOINTS } from "./policy-endpoints.ts";

/** Every endpoint of the REST API. */
export const ENDPOINTS: readonly AnyEndpoint[] = [
  ...DEVICE_ENDPOINTS,
  ...APPROVAL_ENDPOINTS,
  ...POLICY_ENDPOINTS,
  ...AUDIT_ENDPOINTS,
  ...PEOPLE_ENDPOINTS,
  ...NOTIFY_ENDPOINTS,
  ...FORWARD_ENDPOINTS,
];
