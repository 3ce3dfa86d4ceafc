// Numbers, times and colours as people read them.
export const LEVELS = ["critical", "fatal", "error", "warn", "info", "debug", "trace", "unknown"];
const PALETTE = ["#4f86e8", "#e58a2e", "#3fa77a", "#b266d9", "#d9587a", "#2ba6b8", "#a98a2c", "#7a74e0", "#6b9c3a", "#c76a4f"];
const GRAFANA = { green: "info", yellow: "warn", orange: "warn", red: "error", purple: "critical", blue: "debug" };
const SECONDS = [[86400 * 365, "y"], [86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

export function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function levelColour(level) {
  const known = { fatal: "critical", trace: "debug" }[level] || level;
  return css(`${known}-fill`) || css("unknown-fill");
}

export function seriesColour(name, number, fixed) {
  if (fixed === "text") return css("unknown-fill");
  if (fixed === "blue") return "#4f86e8";
  if (fixed in GRAFANA) return css(`${GRAFANA[fixed]}-fill`);
  return PALETTE[number % PALETTE.length];
}

export function milliseconds(ns) {
  return Number(String(ns).slice(0, -6));
}

const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };

export function timeOf(ns) {
  const moment = new Date(milliseconds(ns)), today = new Date().toDateString() === moment.toDateString();
  const time = moment.toLocaleTimeString("en-GB", { ...clock, fractionalSecondDigits: today ? 3 : undefined });
  return today ? time : `${moment.toLocaleDateString("en-GB", { day: "2-digit", month: "short" })} ${time}`;
}

export function wholeTime(ns) {
  return `${new Date(milliseconds(ns)).toISOString().slice(0, 19)}.${String(ns).slice(-9)}Z`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds === 0) return "0 s";
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  if (seconds < 60) return `${trimmed(seconds)} s`;
  const [size, unit] = SECONDS.find(([one]) => seconds >= one);
  return `${trimmed(seconds / size)} ${unit}`;
}

export function ago(seconds) {
  if (seconds < 1) return "now";
  const [size, unit] = SECONDS.find(([one]) => seconds >= one);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function trimmed(value) {
  return String(Number(value.toPrecision(3)));
}

function scaled(value, base, units) {
  let number = 0;
  while (Math.abs(value) >= base && number < units.length - 1) {
    value /= base;
    number += 1;
  }
  return `${Number.isInteger(value) ? value : trimmed(value)}${units[number]}`;
}

export function figure(value, unit) {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value !== "number") return String(value);
  if (unit === "percentunit") return `${trimmed(value * 100)} %`;
  if (unit === "percent") return `${trimmed(value)} %`;
  if (unit === "s") return duration(value);
  if (unit === "ms") return duration(value / 1000);
  if (unit === "bytes" || unit === "decbytes") return scaled(value, unit === "bytes" ? 1024 : 1000, [" B", " KB", " MB", " GB", " TB"]);
  if (unit === "dateTimeFromNow") return ago((Date.now() - value) / 1000);
  return scaled(value, 1000, ["", " K", " M", " G"]);
}
