/** Line icons on a 24-unit grid, drawn for this product: a handful of paths instead of a package. */
const PATHS = {
  home: "M4 11.5 12 4l8 7.5M6 10v10h12V10",
  datasets:
    "M5 6.5C5 5 8 4 12 4s7 1 7 2.5S16 9 12 9 5 8 5 6.5ZM5 6.5v11C5 19 8 20 12 20s7-1 7-2.5v-11M5 12c0 1.5 3 2.5 7 2.5s7-1 7-2.5",
  models: "M12 3.5 19.5 8v8L12 20.5 4.5 16V8ZM4.5 8 12 12.3 19.5 8M12 12.3v8.2",
  experiments:
    "M9.5 3.5h5M10.5 3.5v6L5 19a1 1 0 0 0 .9 1.5h12.2A1 1 0 0 0 19 19l-5.5-9.5v-6M7.8 14.5h8.4",
  runs: "M4 6h9M4 12h6M4 18h9M15.5 9.5v7l5-3.5Z",
  cots: "M4 5h16v11h-9l-4 3.5V16H4ZM8 9h8M8 12.2h5",
  review: "M4 5h16v14H4ZM7.5 10l1.5 1.5 2.5-3M7.5 15.5h4M14 10h3.5M14 15.5h3.5",
  flag: "M6 21V4M6 5h11l-2.5 4L17 13H6",
  note: "M5 4.5h14v10l-5 5H5ZM14 19.5v-5h5M8.5 9h7M8.5 12.5h4",
  keyboard: "M3.5 6.5h17v11h-17ZM7 10v.1M10.5 10v.1M14 10v.1M17 10v.1M8 14h8",
  expand: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  skip: "M5 6l8 6-8 6ZM17 6v12",
  people:
    "M5.5 8.5a3 3 0 1 0 6 0 3 3 0 1 0-6 0M3 19c.5-3.5 2.5-5 5.5-5s5 1.5 5.5 5M15.5 6a2.7 2.7 0 0 1 0 5.2M17 14c2.2.5 3.5 2 4 5",
  compare: "M4 20V4M4 20h16M8.5 16.5v-4M12.5 16.5V8M16.5 16.5V11",
  settings:
    "M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0M7 17a2 2 0 1 0 4 0 2 2 0 1 0-4 0",
  sun: "M8 12a4 4 0 1 0 8 0 4 4 0 1 0-8 0M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4",
  moon: "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z",
  system: "M4 5h16v11H4ZM9 20h6M12 16v4",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19.5 7",
  cross: "M7 7l10 10M17 7 7 17",
  alert: "M12 4 21 19.5H3ZM12 10v4.5M12 17v.2",
  info: "M3.5 12a8.5 8.5 0 1 0 17 0 8.5 8.5 0 1 0-17 0M12 11v5.5M12 7.8v.2",
  question:
    "M3.5 12a8.5 8.5 0 1 0 17 0 8.5 8.5 0 1 0-17 0M9.5 9.7a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.5v.2",
  scissors:
    "M4 7a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0M4 17a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0M8.5 8.5 20 17M8.5 15.5 20 7",
  clock: "M3.5 12a8.5 8.5 0 1 0 17 0 8.5 8.5 0 1 0-17 0M12 7.5V12l3 2",
  hourglass: "M7 4h10M7 20h10M8 4v3.5L12 12l4-4.5V4M8 20v-3.5L12 12l4 4.5V20",
  spinner: "M12 3.5a8.5 8.5 0 1 1-8.5 8.5",
  slash: "M3.5 12a8.5 8.5 0 1 0 17 0 8.5 8.5 0 1 0-17 0M6 18 18 6",
  play: "M8 5v14l11-7Z",
  pause: "M9 6v12M15 6v12",
  stop: "M7 7h10v10H7Z",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4h-4",
  dots: "M6 12v.1M12 12v.1M18 12v.1",
  "chevron-right": "m9.5 6 6 6-6 6",
  "chevron-left": "m14.5 6-6 6 6 6",
  "chevron-down": "m6 9.5 6 6 6-6",
  "chevron-up": "m6 14.5 6-6 6 6",
  "arrow-up": "M12 19V5.5M6.5 11 12 5.5l5.5 5.5",
  "arrow-down": "M12 5v13.5M6.5 13l5.5 5.5 5.5-5.5",
  "arrow-right": "M5 12h13.5M13 6.5l5.5 5.5-5.5 5.5",
  sort: "M8 10l4-4 4 4M8 14l4 4 4-4",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  upload: "M12 16V5M7 9.5l5-5 5 5M5 20h14",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
  copy: "M9 9h10.5v10.5H9ZM15 9V4.5H4.5V15H9",
  external: "M14 4.5h5.5V10M19.5 4.5 11 13M17 13.5v6H4.5V7h6",
  search: "M4.5 10.5a6 6 0 1 0 12 0 6 6 0 1 0-12 0M15 15l5 5",
  filter: "M4 6h16M7 12h10M10 18h4",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  file: "M7 3.5h7l4 4v13H7ZM14 3.5v4h4M10 12h5M10 15.5h5",
  tag: "M4 4h8l8 8-8 8-8-8ZM8.5 8.5v.1",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1",
  book: "M12 6.5C10 5 7.5 4.5 4.5 4.5v13.5c3 0 5.5.5 7.5 2 2-1.5 4.5-2 7.5-2V4.5c-3 0-5.5.5-7.5 2Zm0 0V20",
  columns: "M4 5h16v14H4ZM9.5 5v14M14.5 5v14",
  bolt: "M13 3.5 5 13.5h6l-1 7 8-10h-6Z",
  disk: "M4 13l2.5-8h11L20 13v6H4ZM4 13h16M16 16v.1",
  worker: "M7 7h10v10H7ZM10 4v3M14 4v3M10 17v3M14 17v3M4 10h3M4 14h3M17 10h3M17 14h3",
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  name: IconName;
  /** Pixels. */
  size?: number;
  /** Only for an icon that stands without words. */
  label?: string;
  className?: string | undefined;
}

/** An icon in the current text colour; decoration unless it has a label. */
export function Icon({ name, size = 16, label, className }: Props) {
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: named by aria-label, or hidden as decoration
    <svg
      className={className}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "dots" ? 2.6 : 1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
      focusable="false"
      {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
      style={{ flex: "none" }}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
