/** Numbers and times as the design system writes them. What was not measured is `–`, never 0. */

export const NOT_MEASURED = "–";
/** Narrow no-break space: between thousands, and between a number and its unit. */
export const THIN = "\u202f";
const MINUS = "\u2212";

type Measured = number | null | undefined;

const isMeasured = (value: Measured): value is number =>
  typeof value === "number" && Number.isFinite(value);

/** A number with fixed decimals and a true minus sign. */
export function fixed(value: Measured, decimals: number): string {
  if (!isMeasured(value)) return NOT_MEASURED;
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `${MINUS}${text}` : text;
}

/** A fraction as percent without the unit, for columns that carry it in the header. */
export const percentValue = (fraction: Measured, decimals = 1): string =>
  fixed(isMeasured(fraction) ? fraction * 100 : fraction, decimals);

/** A fraction as percent with its unit. */
export const percent = (fraction: Measured, decimals = 1): string =>
  isMeasured(fraction) ? `${percentValue(fraction, decimals)}${THIN}%` : NOT_MEASURED;

export const perplexity = (value: Measured): string => fixed(value, 2);

/** A score in nats a token. */
export const score = (value: Measured): string => fixed(value, 3);

/** A difference always shows its sign; one that rounds to zero has none. */
export function difference(value: Measured, decimals = 1): string {
  const text = fixed(value, decimals);
  return isMeasured(value) && value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/** `48.3 ± 0.9`; the mean alone when there is no spread. `scale` 100 turns fractions into percent. */
export function meanSpread(mean: Measured, spread: Measured, decimals = 1, scale = 1): string {
  if (!isMeasured(mean)) return NOT_MEASURED;
  const centre = fixed(mean * scale, decimals);
  return isMeasured(spread) ? `${centre} ± ${fixed(spread * scale, decimals)}` : centre;
}

export function pValue(value: Measured): string {
  if (!isMeasured(value)) return NOT_MEASURED;
  if (value < 0.001) return "< 0.001";
  return value < 0.1 ? value.toFixed(3) : value.toFixed(2);
}

/** A whole number with thin spaces between the thousands. */
export function count(value: Measured): string {
  if (!isMeasured(value)) return NOT_MEASURED;
  const digits = Math.abs(Math.round(value)).toString();
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, THIN);
  return value < 0 ? `${MINUS}${grouped}` : grouped;
}

/** `1 run`, `7 466 rows`. */
export const counted = (value: number, singular: string, plural = `${singular}s`): string =>
  `${count(value)} ${value === 1 ? singular : plural}`;

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

export function bytes(value: Measured): string {
  if (!isMeasured(value)) return NOT_MEASURED;
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < BYTE_UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const text = unit === 0 || size >= 99.95 ? size.toFixed(0) : size.toFixed(1);
  return `${text}${THIN}${BYTE_UNITS[unit]}`;
}

/** `0.8 s`, `14 s`, `2 m 14 s`, `3 h 05 m`, `2 d 4 h`. */
export function duration(seconds: Measured): string {
  if (!isMeasured(seconds)) return NOT_MEASURED;
  const total = Math.max(0, seconds);
  if (total < 9.95) return `${total.toFixed(1)}${THIN}s`;
  const whole = Math.round(total);
  if (whole < 60) return `${whole}${THIN}s`;
  const [minutes, hours, days] = [
    Math.floor(whole / 60),
    Math.floor(whole / 3600),
    Math.floor(whole / 86_400),
  ];
  const two = (value: number) => value.toString().padStart(2, "0");
  if (hours === 0) return `${minutes}${THIN}m ${two(whole % 60)}${THIN}s`;
  if (days === 0) return `${hours}${THIN}h ${two(minutes % 60)}${THIN}m`;
  return `${days}${THIN}d ${hours % 24}${THIN}h`;
}

/** `≈ 3 min`: an estimate is coarse, and says so. */
export function eta(seconds: Measured): string {
  if (!isMeasured(seconds)) return NOT_MEASURED;
  const total = Math.max(0, seconds);
  if (total < 5) return `≈${THIN}5${THIN}s`;
  if (total < 55) return `≈${THIN}${Math.ceil(total / 5) * 5}${THIN}s`;
  const minutes = Math.round(total / 60);
  if (minutes < 60) return `≈${THIN}${Math.max(1, minutes)}${THIN}min`;
  const hours = total / 3600;
  if (hours < 10) return `≈${THIN}${hours.toFixed(1)}${THIN}h`;
  if (hours < 48) return `≈${THIN}${Math.round(hours)}${THIN}h`;
  return `≈${THIN}${Math.round(hours / 24)}${THIN}d`;
}

/** Local time, short: today `14:05:09`, this year `23 Nov, 14:05`, else with the year. */
export function shortTime(iso: string, now: Date = new Date()): string {
  const time = new Date(iso);
  const clock = { hour: "2-digit", minute: "2-digit", hour12: false } as const;
  if (time.toDateString() === now.toDateString())
    return time.toLocaleTimeString("en-GB", { ...clock, second: "2-digit" });
  const year = time.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return time.toLocaleString("en-GB", { day: "numeric", month: "short", ...year, ...clock });
}

/** Local time with everything, and its zone: for tooltips. */
export const fullTime = (iso: string): string =>
  new Date(iso).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "long", hour12: false });

/** `just now`, `14 s ago`, `3 min ago`, `5 h ago`, `2 d ago`. */
export function ago(iso: string, now: Date = new Date()): string {
  const seconds = Math.max(0, (now.getTime() - new Date(iso).getTime()) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)}${THIN}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${THIN}min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${THIN}h ago`;
  return `${Math.floor(seconds / 86_400)}${THIN}d ago`;
}

/** A file name from a label: `AFT · boundary` becomes `aft-boundary`. */
export const slug = (label: string): string =>
  label
    .toLowerCase()
    .replace(/β/g, "beta")
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^-+|-+$/g, "");

/** The first characters of a hash or id: enough to tell two apart by eye. */
export const shortId = (id: string, length = 8): string => id.slice(0, length);

/** An amount of dollars; under one to a hundredth of a cent, so that what was spent is not shown as nothing. */
export const dollars = (value: number): string => `$${fixed(value, value < 1 ? 4 : 2)}`;
