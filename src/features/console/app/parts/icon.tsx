// The console's icons, drawn as strokes on a grid of 20. Always beside words, so hidden from screen
// readers. None is loaded from anywhere.

const PATHS = {
  approvals:
    "M10 3.2 4.5 5.4v4.3c0 3.4 2.3 5.9 5.5 7.1 3.2-1.2 5.5-3.7 5.5-7.1V5.4L10 3.2Zm-2.3 6.9 1.7 1.7 3.2-3.4",
  activity: "M3 10.5h3l2-5.5 3.5 10 2.2-4.5H17",
  policy: "M6 3.5h6l3 3v10H6a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1Zm6 0v3h3M8 10.5h4.5M8 13.5h4.5",
  observe:
    "M2.5 10S5.2 5.2 10 5.2 17.5 10 17.5 10 14.8 14.8 10 14.8 2.5 10 2.5 10Zm7.5 2.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z",
  inspect: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Zm4-1.5 4 4",
  recordings:
    "M4 4.5h12a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1Zm4.5 3.2v4.6l3.8-2.3-3.8-2.3Z",
  undo: "M7 5.5 3.5 9 7 12.5M4 9h7.5a4 4 0 0 1 0 8H9",
  runs: "M4.5 4h11a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1Zm1.8 4 2 2-2 2M10.5 12.5h3",
  mcp: "M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0V7Zm5 8v3",
  settings: "M4 6h7m4 0h1M4 14h1m4 0h7M13 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM7 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  check: "m4.5 10.5 3.5 3.5 7.5-8",
  close: "M5 5l10 10M15 5 5 15",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-10.5V10l2.3 1.5",
  copy: "M7.5 7.5h8v8h-8v-8Zm-3 5v-8h8",
  more: "m5.5 8 4.5 4.5L14.5 8",
  command: "m4.5 6 3.5 4-3.5 4M10.5 14h5",
  sun: "M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM10 2.5v1.7m0 11.6v1.7M2.5 10h1.7m11.6 0h1.7M4.7 4.7l1.2 1.2m8.2 8.2 1.2 1.2m0-10.6-1.2 1.2m-8.2 8.2-1.2 1.2",
  warning: "M10 3.5 17.2 16H2.8L10 3.5Zm0 5v3.5m0 2.2v.1",
  turn: "M4 5v4.5a3 3 0 0 0 3 3h8.5M12 9l3.5 3.5L12 16",
  download: "M10 3.5v9m-3.5-3.5L10 12.5 13.5 9M4 16.5h12",
  play: "M6.5 4.5v11l9-5.5-9-5.5Z",
  key: "M12.5 11a3.5 3.5 0 1 0-3.3-2.3L3.5 14.5v2h2.5v-2h2v-2l1.3-1.3c.9.5 2 .8 3.2.8Zm.8-4v.1",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** One icon, as large as the text beside it. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
