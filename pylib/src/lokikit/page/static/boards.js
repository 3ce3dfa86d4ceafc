// The dashboards that Grafana gets, drawn from the same queries.
import { ask } from "./api.js";
import { Graph } from "./chart.js";
import { button, el } from "./dom.js";
import { ago, duration, figure, levelColour, LEVELS } from "./format.js";
import { moveIn } from "./list.js";
import { rowOf } from "./rows.js";
import { address, change, changed, chosen, go } from "./state.js";

const REFRESH_MS = 60_000;
const OUTCOMES = { success: "good", fail: "bad", crash: "bad", run: "wait", terminate: "wait", inaction: "still" };

export class Board {
  constructor(main, outline) {
    Object.assign(this, { main, outline, opened: new Set() });
    this.stopped = new AbortController();
    this.extra = el("div");
    this.cards = outline.panels.map((panel) => this.card(panel));
    main.replaceChildren(
      el("h1", { text: outline.title }), el("p", { class: "about", text: outline.description }),
      this.extra, el("div", { class: "board" }, this.cards.map((card) => card.root)));
    this.timer = setInterval(() => document.hidden || this.isPast() || this.show(), REFRESH_MS);
    this.seen = new IntersectionObserver((found) => {
      for (const one of found.filter((each) => each.isIntersecting)) this.fill(this.cards.find((card) => card.root === one.target));
    }, { rootMargin: "400px" });
  }

  isPast() {
    return (chosen().get("to") || "now") !== "now";
  }

  card(panel) {
    const { x, y, w, h } = panel.grid;
    const body = el("div", { class: "body", tabindex: panel.type === "timeseries" ? null : 0, role: "group", "aria-label": panel.title });
    const root = el("section", { class: `card panel ${panel.type === "timeseries" ? "graph" : panel.type}`, "aria-label": panel.title },
      el("h2", { text: panel.title, title: panel.description }), body);
    root.style.gridColumn = `${x + 1} / span ${w}`;
    root.style.gridRow = innerWidth > 900 ? `${y + 1} / span ${h}` : "";
    root.style.minHeight = `${h * 34 - 10}px`;
    root.style.maxHeight = `${h * 34 + 60}px`;
    return { panel, root, body };
  }

  async show() {
    this.stopped.abort();
    this.stopped = new AbortController();
    this.seen.disconnect();
    for (const card of this.cards) {
      card.done = false;
      this.seen.observe(card.root);
    }
    const about = { "lokikit-tasks": showRuns, "lokikit-pipeline": showParts }[this.outline.uid];
    if (about) await about(this.extra, this.stopped.signal, this.opened);
  }

  async fill(card) {
    if (card.done) return;
    card.done = true;
    const asked = changed({ board: this.outline.uid, panel: card.panel.id });
    card.root.setAttribute("aria-busy", "true");
    try {
      this.draw(card, await ask("panel", asked, { signal: this.stopped.signal }));
      document.body.dataset.shown = String(performance.now());
    } catch (error) {
      if (error.name === "AbortError") return;
      card.body.replaceChildren(el("p", { class: "empty", text: error.message }));
      card.done = false;
    } finally {
      card.root.removeAttribute("aria-busy");
    }
  }

  draw(card, data) {
    const drawn = {
      timeseries: () => this.graph(card, data), table: () => tableOf(data), stat: () => numbersOf(data), logs: () => this.lines(data),
      text: () => el("p", { class: "soft", text: data.text }), alertlist: () => this.alerts(card, data) };
    const made = drawn[data.kind]();
    if (made instanceof Element) card.body.replaceChildren(made);
  }

  graph(card, data) {
    if (!data.series.some((one) => one.values.some((value) => value !== null))) return nothing(data);
    const holder = el("div", { class: "chart" });
    card.body.replaceChildren(holder);
    card.graph?.close();
    const isLevels = data.series.every((one) => LEVELS.includes(one.name));
    for (const one of data.series) if (one.link) one.link = withTime(one.link);
    card.graph = new Graph(holder, { height: 0, onRange: (from, to) => change({ from, to }) });
    card.graph.draw(data, {
      bars: data.bars, unit: data.unit, isStacked: data.stacked, connected: data.connected, label: card.panel.title,
      colour: isLevels ? levelColour : undefined, click: (link) => go(link) });
    return null;
  }

  lines(data) {
    if (!data.rows.length) return nothing(data);
    return el("ol", { class: "lines" }, data.rows.map((row) => rowOf(row, data.query, this.opened)));
  }

  async alerts(card, data) {
    // As the view of alerts has them; asked beside the other panels.
    const told = await ask("alerts", "", { signal: this.stopped.signal }).catch(() => null);
    if (!told) return;
    const firing = told.rules.flatMap((rule) => rule.series.filter((one) => one.state !== "pending" && one.state !== "recovering")
      .map((one) => ({ ...one, rule })));
    const link = (text) => el("a", { href: "/alerts", text });
    if (data.is_count) {
      card.body.replaceChildren(el("div", { class: `numbers ${firing.length ? "red" : "green"}` }, el("div", {}, el("a", { class: "number", href: "/alerts", text: firing.length }))));
    } else if (!firing.length) {
      card.body.replaceChildren(el("p", { class: "empty", text: "No alert fires." }));
    } else {
      card.body.replaceChildren(table(["Alert", "Service", "Since"], firing.map((one) => el("tr", {},
        el("td", {}, link(one.rule.title)), el("td", { text: one.service }),
        el("td", { text: one.since ? ago((Date.now() - Number(one.since.slice(0, -6))) / 1000) : "now" })))));
    }
  }

  leave() {
    clearInterval(this.timer);
    for (const card of this.cards) card.graph?.close();
    this.stopped.abort();
    this.seen.disconnect();
  }

  key(key) {
    if (key !== "j" && key !== "k") return false;
    moveIn(this.main, key === "j" ? 1 : -1);
    return true;
  }
}

function nothing(data) {
  return el("p", { class: "empty", text: data.empty });
}

export function withTime(link) {
  // A link of a dashboard, with the time that is shown.
  const [path, query] = link.split("?"), made = new URLSearchParams(query);
  for (const name of ["from", "to"]) if (chosen().get(name)) made.set(name, chosen().get(name));
  return address(path, made);
}

function tableOf(data) {
  if (!data.rows.length) return nothing(data);
  const valueOf = (cell) => (cell !== null && typeof cell === "object" ? cell.value : cell);
  const isFigure = data.columns.map((_, at) => data.rows.some((row) => typeof valueOf(row[at]) === "number"));
  const cell = (held, at) => {
    const text = figure(valueOf(held), data.columns[at].unit), more = held !== null && typeof held === "object" ? held : {};
    return el("td", { class: isFigure[at] ? "figure" : null }, more.trend && sparkline(more.trend),
      more.link ? el("a", { href: withTime(more.link), text }) : text);
  };
  return el("table", { class: "data" },
    el("thead", {}, el("tr", {}, data.columns.map((one, at) => el("th", { scope: "col", class: isFigure[at] ? "figure" : null, text: one.title })))),
    el("tbody", {}, data.rows.map((row) => el("tr", {}, row.map(cell)))));
}

function sparkline(values) {
  // The course of a number, beside its newest value; the text says what counts.
  const ns = "http://www.w3.org/2000/svg", most = Math.max(...values.filter((one) => one !== null), 1e-9);
  const drawing = document.createElementNS(ns, "svg"), line = document.createElementNS(ns, "polyline");
  const points = values.map((one, at) => (one === null ? null : `${(at / Math.max(1, values.length - 1)) * 78 + 1},${17 - (one / most) * 15}`));
  const shown = points.filter((one) => one !== null);
  line.setAttribute("points", shown.length === 1 ? `${shown[0]} ${Number(shown[0].split(",")[0]) + 1},${shown[0].split(",")[1]}` : shown.join(" "));
  drawing.setAttribute("viewBox", "0 0 80 18");
  drawing.setAttribute("class", "sparkline");
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(line);
  return drawing;
}

function numbersOf(data) {
  if (!data.numbers.length) return nothing(data);
  return el("div", { class: "numbers" }, data.numbers.map((one, at) => el("div", { class: `${one.colour} ${at && one.name === "before" ? "before" : ""}` },
    el("div", { class: `number ${one.text.length > 12 ? "text" : ""}`, text: one.text || figure(one.value, data.unit) }),
    data.named && el("div", { class: "soft", text: one.name }))));
}

export function table(columns, rows) {
  return el("table", { class: "data" },
    el("thead", {}, el("tr", {}, columns.map((text) => el("th", { scope: "col", text })))), el("tbody", {}, rows));
}

async function showRuns(holder, signal, opened) {
  let told;
  try {
    told = await ask("runs", chosen(), { signal });
  } catch (error) {
    if (error.name !== "AbortError") holder.replaceChildren(el("p", { class: "card note", text: error.message }));
    return;
  }
  if (!told.runs.length) {
    holder.replaceChildren(el("p", { class: "card note", text: "No runs of tasks in this time: a worker shows them once it logs the steps of its tasks." }));
    return;
  }
  const rows = told.runs.flatMap((run) => {
    const trace = run.traceback && el("tr", { hidden: true }, el("td", { colspan: 6 }, el("pre", { class: "trace mono", tabindex: 0, text: run.traceback })));
    const shown = run.traceback && button(run.exception, () => {
      trace.hidden = !trace.hidden;
      shown.setAttribute("aria-expanded", String(!trace.hidden));
    }, { class: "plain error", "aria-expanded": "false", title: "Its traceback" });
    return [el("tr", {},
      el("td", {}, el("span", { class: `state ${OUTCOMES[run.outcome] || "still"}`, text: run.outcome })),
      el("td", { text: run.task }), el("td", { text: run.service }),
      el("td", { text: new Date(run.start * 1000).toLocaleString("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }) }),
      el("td", { class: "figure", text: run.seconds === null ? "" : duration(run.seconds) }),
      el("td", {}, shown || run.exception)), trace].filter(Boolean);
  });
  const body = el("div", { class: "body", tabindex: 0, role: "group", "aria-label": "Runs" }, table(["Outcome", "Task", "Service", "Began", "Took", "Exception"], rows));
  body.style.maxHeight = "360px";
  holder.replaceChildren(el("section", { class: "card panel runs", "aria-label": "Runs" },
    el("h2", { text: `Runs${told.cut ? " of the last day" : ""}${told.count > told.runs.length ? `: the newest ${told.runs.length} of ${told.count}` : ""}` }), body));
  holder.style.marginBottom = "10px";
}

const WORDS = { read: "lines in", sent: "lines out", retried: "sent again", dropped: "dropped", dead: "dead letters", cut: "cut",
  buffered_bytes: "waiting on disk", oldest_s: "oldest waits", received_lines: "lines received", refused_lines: "lines refused",
  tail_dropped_lines: "left out of tails", disk_bytes: "on disk", entries: "lines waiting", bytes: "on disk", streams: "streams" };

function part(name, good, text, numbers = {}) {
  const said = Object.entries(numbers).filter(([key, value]) => key in WORDS && value !== null);
  return el("section", { class: "card part", "aria-label": name },
    el("h3", {}, name, el("span", { class: `state ${good ? "good" : "bad"}`, text: good ? "healthy" : "not healthy" })),
    el("div", { class: "soft", text }),
    el("dl", {}, said.flatMap(([key, value]) => [el("dt", { class: "soft", text: WORDS[key] }),
      el("dd", { text: key.endsWith("bytes") ? figure(value, "bytes") : key === "oldest_s" ? duration(value) : value.toLocaleString("en-GB") })])));
}

async function showParts(holder, signal) {
  let told;
  try {
    told = await ask("pipeline", chosen(), { signal });
  } catch (error) {
    if (error.name !== "AbortError") holder.replaceChildren(el("p", { class: "card note", text: error.message }));
    return;
  }
  const agents = ["fluent-bit", "ship"];
  const cards = told.parts.map((one) => part(one.name, one.healthy, one.uptime ? `started ${ago(one.uptime)}` : "not running",
    agents.includes(one.name) ? told.agent : one.name === "store" ? told.store : {}));
  if (!told.parts.some((one) => ["store", "loki"].includes(one.name))) cards.unshift(part("store", told.store.ready, told.store.url, told.store));
  if (told.spool.folder) cards.push(part("spool", !told.spool.entries, told.spool.folder, told.spool));
  holder.replaceChildren(el("div", { class: "parts" }, cards));
}
