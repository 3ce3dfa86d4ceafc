// Explore: the lines that are chosen, the newest first, with their histogram.
import { ask, away, back } from "./api.js";
import { Graph } from "./chart.js";
import { button, copy, el, menu, say } from "./dom.js";
import { LEVELS, levelColour } from "./format.js";
import { EndlessList, moveIn } from "./list.js";
import { address, change, changed, chosen, go } from "./state.js";

const MOST_HELD = 1000;
const MOST_KNOWN = 5000;
const LOGQL_ALONE = ["var-service", "var-env", "var-detected_level", "var-search", "where", "at", "line"];

export class Explore {
  constructor(main) {
    this.box = el("textarea", { class: "mono", rows: 1, spellcheck: "false", "aria-label": "LogQL of what is shown; Enter asks",
      onkeydown: (event) => this.typed(event) });
    this.problem = el("pre", { class: "problem mono", role: "alert", hidden: true });
    this.tailing = button("Tail", () => this.toggleTail(), { "aria-pressed": "false", title: "Follow live (t)" });
    this.pausing = button("Pause", () => this.togglePause(), { hidden: true });
    this.count = el("span", { class: "soft" });
    const reset = button("Clear", () => go("/explore"), { title: "Forget all that is chosen" });
    const chart = el("div", { class: "card chart" });
    this.holder = el("div", { class: "card" });
    main.replaceChildren(
      el("h1", { class: "hidden", text: "Explore" }),
      el("div", { class: "query" }, el("div", { class: "box" }, this.box, this.problem),
        button("Ask", () => this.submit()), reset, this.copies(), this.downloads()),
      chart,
      el("div", { class: "tools" }, this.tailing, this.pausing, this.count,
        el("span", { class: "space" }), el("span", { class: "soft", text: "Drag on the chart for a time; click a level to keep it." })),
      this.holder);
    this.graph = new Graph(chart, {
      height: 110,
      onRange: (from, to) => change({ from, to, at: null, line: null }),
      onSeries: (name) => this.pickLevel(name),
    });
    this.stopped = new AbortController();
    this.held = [];
  }

  async show() {
    this.stopped.abort();
    this.stopped = new AbortController();
    const { signal } = this.stopped, asked = chosen();
    this.stopTail();
    try {
      // The lines first: somebody waits for them.
      await this.showLines(asked, signal);
      await this.showHistogram(asked, signal);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  leave() {
    this.stopped.abort();
    this.stopTail();
    this.list?.stop();
    this.graph.close();
  }

  async showLines(asked, signal) {
    const at = asked.get("at");
    let answer;
    try {
      answer = await ask(at ? "around" : "lines", asked, { signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      this.showProblem(error, asked);
      return;
    }
    this.showQuery(answer);
    this.list?.stop();
    this.isMetric = answer.metric;
    if (answer.metric) {
      this.holder.replaceChildren(el("p", { class: "empty", text: "This query counts: its values stand above, and it has no lines." }));
      return;
    }
    const pinned = changed({ from: answer.start, to: answer.end, at: null }, asked);
    const fetchPage = (before) => {
      const name = before || !at ? "lines" : "around";
      return ask(name, changed(before ? { before } : at ? { at } : {}, pinned), { signal });
    };
    this.list = new EndlessList(this.holder, fetchPage, answer.query);
    this.list.start(answer);
    if (!answer.rows.length) this.showNothing();
    const here = at && this.holder.querySelector(`.row[data-id="${CSS.escape(asked.get("line") || "")}"]`);
    if (here) {
      here.parentElement.classList.add("here", "chosen");
      here.scrollIntoView({ block: "center" });
      here.focus({ preventScroll: true });
    }
    document.body.dataset.shown = String(performance.now());
  }

  async showHistogram(asked, signal) {
    try {
      const data = await ask("histogram", asked, { signal });
      this.graph.height = data.metric ? 300 : 110;
      if (data.metric) {
        this.graph.draw(data, { bars: false, label: "Values of the query" });
        this.count.textContent = data.series.length ? `${data.series.length} series` : "No values: nothing matches in this time.";
        return;
      }
      data.series.sort((one, other) => LEVELS.indexOf(one.name) - LEVELS.indexOf(other.name));
      this.graph.draw(data, { colour: levelColour, label: "Lines by level" });
      const total = data.series.reduce((sum, one) => sum + one.values.reduce((all, value) => all + (value || 0), 0), 0);
      this.count.textContent = `${total.toLocaleString("en-GB")} lines`;
      say(`${total} lines`);
    } catch (error) {
      if (error.name === "AbortError") throw error;
    }
  }

  showQuery(answer) {
    this.answer = answer;
    this.box.value = answer.query;
    this.problem.hidden = true;
    this.box.removeAttribute("aria-invalid");
    this.fit();
  }

  fit() {
    this.box.style.height = "34px";
    this.box.style.height = `${Math.min(160, this.box.scrollHeight + 2)}px`;
  }

  showProblem(error, asked) {
    const logql = asked.get("logql");
    if (logql) this.box.value = logql;
    this.fit();
    const lines = (logql || "").split("\n"), line = lines[(error.line || 0) - 1];
    const shown = [el("span", { text: error.message })];
    if (line !== undefined) {
      const from = error.column - 1, to = from + (/^[\w.]+|^./.exec(line.slice(from))?.[0].length || 1);
      shown.push("\n", line.slice(0, from), el("span", { class: "place", text: line.slice(from, to) || "⏎" }), line.slice(to));
      this.box.setSelectionRange(lines.slice(0, error.line - 1).join("\n").length + (error.line > 1 ? 1 : 0) + from, 0);
    }
    this.problem.replaceChildren(...shown);
    this.problem.hidden = false;
    if (logql) this.box.setAttribute("aria-invalid", "true");
    if (error.status === 400 || !this.list) {
      this.list?.stop();
      this.holder.replaceChildren(el("p", { class: "empty", text: "No answer." }));
      this.count.textContent = "";
    }
  }

  showNothing() {
    const asked = chosen();
    const narrowed = LOGQL_ALONE.some((name) => asked.get(name)) || asked.get("logql");
    this.list.more.textContent = "";
    this.list.pages.replaceChildren(el("p", { class: "empty" },
      narrowed ? "No lines with this choice in this time. Take a part of the choice away, or a longer time."
        : "No lines in this time. A service writes here once its lines reach the store; try a longer time."));
  }

  typed(event) {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    }
  }

  submit() {
    const logql = this.box.value.trim();
    if (logql && logql !== this.answer?.query) {
      change({ logql, ...Object.fromEntries(LOGQL_ALONE.map((name) => [name, null])) });
    } else {
      this.show();
    }
  }

  pickLevel(name) {
    if (this.isMetric) return;
    const only = chosen().getAll("var-detected_level");
    change({ "var-detected_level": only.length === 1 && only[0] === name ? null : name, at: null, line: null });
  }

  copies() {
    const command = () => `lokikit query ${shell(this.answer.query)} --from ${iso(this.answer.start)} --to ${iso(this.answer.end)}`;
    const curl = () => ["curl -G", shell(`${this.answer.loki}/loki/api/v1/query_range`),
      `--data-urlencode ${shell(`query=${this.answer.query}`)}`,
      `-d start=${this.answer.start} -d end=${this.answer.end} -d limit=1000`].join(" ");
    return menu("Copy as", "", el("div", { class: "choices one" },
      button("lokikit query", () => copy(command(), "Command")),
      button("curl", () => copy(curl(), "Command")),
      button("link", () => copy(location.href, "Link")),
      button("LogQL", () => copy(this.answer.query, "LogQL"))), { class: "menu right" });
  }

  downloads() {
    const save = (format) => {
      const asked = changed({ format, from: this.answer.start, to: this.answer.end, at: null });
      el("a", { href: address("/api/download", asked), download: "" }).click();
    };
    return menu("Download", "", el("div", { class: "choices one" },
      button("JSON lines", () => save("jsonl")), button("CSV", () => save("csv"))), { class: "menu right" });
  }

  toggleTail() {
    if (this.events) {
      this.show();
      return;
    }
    if (this.isMetric || !this.answer) return;
    const asked = chosen(), rows = [...this.holder.querySelectorAll(".row")];
    const since = asked.has("to") || asked.has("at") ? null : rows[0]?.dataset.ts;
    this.known = new Set(rows.map((row) => row.dataset.id));
    this.tailing.setAttribute("aria-pressed", "true");
    this.pausing.hidden = false;
    this.events = new EventSource(`/api/tail?${changed({ at: null, from: null, to: null, since }, asked)}`);
    this.events.addEventListener("lines", (event) => this.came(JSON.parse(event.data).filter((row) => this.isNew(row))));
    this.events.addEventListener("lost", (event) => away(JSON.parse(event.data)));
    this.events.addEventListener("left_out", (event) => say(`${event.data} lines left out: more come than can be shown`));
    this.events.addEventListener("error", () => away("The live tail is interrupted."));
    say("Following live");
    scrollTo({ top: 0 });
  }

  stopTail() {
    this.events?.close();
    this.events = null;
    this.paused = false;
    this.held = [];
    this.tailing.setAttribute("aria-pressed", "false");
    this.pausing.hidden = true;
    this.pausing.textContent = "Pause";
  }

  togglePause() {
    this.paused = !this.paused;
    this.pausing.textContent = this.paused ? "Go on" : "Pause";
    if (!this.paused) this.came(this.held.splice(0));
  }

  isNew({ id }) {
    // Around its start, and after a lost connection, the tail sends lines once more.
    if (this.known.has(id)) return false;
    this.known.add(id);
    if (this.known.size > MOST_KNOWN) this.known.delete(this.known.values().next().value);
    return true;
  }

  came(rows) {
    back();
    if (this.paused) {
      this.held = [...this.held, ...rows].slice(-MOST_HELD);
      this.pausing.textContent = `Go on (${this.held.length} new)`;
    } else if (rows.length) {
      this.holder.querySelector(".empty")?.remove();
      this.list.addLive(rows);
    }
  }

  key(key) {
    if (key === "t") this.toggleTail();
    else if (key === "p" && this.events) this.togglePause();
    else if (key === "j" || key === "k") moveIn(this.holder, key === "j" ? 1 : -1);
    else return false;
    return true;
  }
}

function shell(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function iso(ns) {
  const whole = new Date(Number(ns.slice(0, -6))).toISOString().slice(0, 19);
  return `${whole}.${ns.slice(-9)}Z`;
}
