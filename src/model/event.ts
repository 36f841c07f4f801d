// The events that the daemon sends to its listeners (`iddio events`, `approval watch`). JSON names
// are snake_case. A tag that has shipped keeps its meaning; new ones are added.

/** Every event tag. */
export const EVENT_TAGS = [
  "proxy_mode_changed",
  "policy_reloaded",
  "policy_reload_failed",
  "policy_waiting",
  "settings_reloaded",
  "settings_reload_failed",
  "settings_waiting",
  "mitm",
  "splice",
  "block",
  "allow",
  "escalate",
  "approval_requested",
  "approval_replied",
  "approval_timed_out",
  "approval_withdrawn",
  "approval_seen",
  "grant_added",
  "grant_revoked",
  "host_pinned",
  "host_unpinned",
  "host_suspected",
  "detector_cleared",
  "forward_failed",
  "forward_resumed",
  "fleet_changed",
  "notify_failed",
  "notify_resumed",
  "observe_started",
  "observe_ended",
  "observe_cleared",
  "upstream_added",
  "upstream_removed",
  "update_changed",
  "run_started",
  "run_ended",
  "guard_changed",
  "mcp_server_seen",
  "mcp_review_needed",
] as const;

/** An event's kind. */
export type EventTag = (typeof EVENT_TAGS)[number];

/** One event; `fields` depends on the tag and uses the audit log's field names. */
export interface Event {
  /** Names this event to a reader who wants to go on after it. */
  readonly id: string;
  readonly timestamp_ms: number;
  readonly tag: EventTag;
  readonly fields: Readonly<Record<string, unknown>>;
}
