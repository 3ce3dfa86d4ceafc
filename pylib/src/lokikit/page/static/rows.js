// Log lines: one readable row each, which opens to all of the line.
import { ask } from "./api.js";
import { button, copy, el } from "./dom.js";
import { timeOf, wholeTime } from "./format.js";
import { address, changed, chosen, go, withWhere } from "./state.js";

const TRACES = new Set(["stacktrace", "stack"]);
const QUARTER_MS = 15 * 60 * 1000;
let numbered = 0;

export function rowOf(line, query, opened = new Set()) {
  // query: that found the line, so that the opened line is asked for by the same.
  const level = line.level || "unknown";
  const head = button("", () => toggle(item, head, line, query, opened), {
    class: `row ${level}-row`, "aria-expanded": "false", "data-ts": line.ts, "data-id": line.id });
  head.append(
    el("time", { class: "mono", text: timeOf(line.ts), title: wholeTime(line.ts), datetime: wholeTime(line.ts) }),
    el("span", { class: `level ${level}`, text: level }),
    el("span", { class: "service", text: line.service, title: line.env ? `${line.service} in ${line.env}` : line.service }),
    el("span", { class: "message mono", text: line.message },
      line.exception && !line.message?.includes(line.exception) && el("span", { class: "exception", text: line.exception })),
  );
  const item = el("li", {}, head);
  if (opened.has(line.id)) toggle(item, head, line, query, opened);
  return item;
}

async function toggle(item, head, line, query, opened) {
  const open = head.getAttribute("aria-expanded") === "true";
  head.setAttribute("aria-expanded", String(!open));
  if (open) {
    item.querySelector(".details").remove();
    opened.delete(line.id);
    return;
  }
  opened.add(line.id);
  const details = el("div", { class: "details", id: `details-${numbered += 1}` });
  head.setAttribute("aria-controls", details.id);
  item.append(details);
  const asked = changed({ ts: line.ts, id: line.id, query, before: null }, chosen());
  try {
    fill(details, line, await ask("line", asked));
  } catch (error) {
    details.append(el("p", { class: "soft", text: error.message }));
  }
}

function fill(details, line, whole) {
  details.append(el("div", { class: "actions" },
    button("Lines around it", () => go(contextOf(line, whole))),
    line.request && button("All of its request", () => go(requestOf(line))),
    button("Copy the line", () => copy(whole.line, "Line")),
    button("Copy a link", () => copy(new URL(contextOf(line, whole), location.href).href, "Link")),
  ));
  const rows = [];
  for (const kind of ["field", "metadata", "label", "parsed"]) {
    for (const [name, text, isFilter] of whole[kind]) {
      if (kind === "field" && TRACES.has(name)) details.append(el("pre", { class: "trace", text, tabindex: 0, role: "group", "aria-label": name }));
      else rows.push(fieldRow(kind, name, text, isFilter));
    }
  }
  if (!whole.field.length) {
    rows.unshift(el("tr", {}, el("th", { scope: "row", text: "line" }), el("td", { colspan: 2 }, el("pre", { class: "text", text: whole.line }))));
  }
  details.append(el("table", {}, el("tbody", {}, rows)));
}

function fieldRow(kind, name, text, isFilter) {
  const long = kind === "field" && text.includes("\n");
  const can = isFilter && !long && kind !== "parsed" && text !== "null";
  const filter = (operator) => button(operator === "=" ? "+" : "−", () => filtered(kind, name, operator, text), {
    title: `Only lines ${operator === "=" ? "with" : "without"} this ${name}`,
    "aria-label": `${operator === "=" ? "Only with" : "Without"} ${name} ${text}` });
  return el("tr", {},
    el("th", { scope: "row", text: name, title: { field: "in the line", metadata: "structured metadata", label: "label of the stream", parsed: "taken by the query" }[kind] }),
    el("td", { class: "do" }, can && [filter("="), " ", filter("!=")]),
    el("td", {}, el("pre", { class: long ? "trace" : "text", text, tabindex: long ? 0 : null })));
}

function filtered(kind, name, operator, text) {
  // Services and envs have menus of their own; anything else becomes a chip.
  const own = { service_name: "var-service", env: "var-env", detected_level: "var-detected_level", service: "var-service" }[name];
  const change = own && operator === "=" && !chosen().get("logql")
    ? { [own]: text }
    : { where: withWhere(kind, name, operator, text) };
  go(address("/explore", changed({ ...change, at: null, id: null, line: null })));
}

export function contextOf(line, whole) {
  // The lines of the same stream around it, whatever was searched for.
  const ms = Number(line.ts.slice(0, -6)), made = new URLSearchParams();
  for (const [name, text] of whole.label) {
    if (name === "service_name") made.append("var-service", text);
    else if (name === "env") made.append("var-env", text);
    else made.append("where", JSON.stringify(["label", name, "=", text]));
  }
  made.append("from", ms - QUARTER_MS);
  made.append("to", ms + QUARTER_MS);
  made.append("at", line.ts);
  made.append("line", line.id);
  return address("/explore", made);
}

function requestOf(line) {
  const ms = Number(line.ts.slice(0, -6));
  return address("/d/lokikit-request", new URLSearchParams({
    "var-id": line.request, from: ms - QUARTER_MS, to: ms + QUARTER_MS }));
}
