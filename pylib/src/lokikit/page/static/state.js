// What is chosen is in the URL, all of it: a link is the whole state.
const SHARED = ["var-service", "var-env", "var-detected_level", "var-search", "from", "to"];

export function chosen() {
  return new URLSearchParams(location.search);
}

export function changed(changes, from = chosen()) {
  const made = new URLSearchParams(from);
  for (const [name, value] of Object.entries(changes)) {
    made.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") made.append(name, one);
    }
  }
  return made;
}

export function address(path, parameters) {
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

export function sharedWith(path) {
  // The link to another view, with what both understand.
  const now = chosen(), made = new URLSearchParams();
  for (const name of SHARED) for (const value of now.getAll(name)) made.append(name, value);
  return address(path, made);
}

export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  dispatchEvent(new Event("chosen"));
}

export function change(changes, options) {
  go(address(location.pathname, changed(changes)), options);
}

export function wheres(from = chosen()) {
  return from.getAll("where").map((text) => {
    try {
      return JSON.parse(text).map(String);
    } catch {
      return ["", text, "=", ""]; // the server says what is wrong with it
    }
  });
}

export function withWhere(kind, name, operator, value, from = chosen()) {
  const wanted = JSON.stringify([kind, name, operator, value]);
  return [...from.getAll("where").filter((text) => text !== wanted), wanted];
}

export function timeShown(from = chosen()) {
  const start = from.get("from") || "now-1h", end = from.get("to") || "now";
  if (end === "now" && start.startsWith("now-")) return `last ${start.slice(4)}`;
  const [first, last] = [momentShown(start), momentShown(end)], day = first.slice(0, 8);
  return `${first} – ${last.startsWith(day) && last.length > 8 ? last.slice(day.length) : last}`;
}

function momentShown(text) {
  if (!/^\d+$/.test(text)) return text;
  return new Date(Number(text.length > 15 ? text.slice(0, -6) : text)).toLocaleString("en-GB", {
    month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
}
