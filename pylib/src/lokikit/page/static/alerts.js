// The alert rules: which fire, since when, and what to do.
import { ask } from "./api.js";
import { button, el } from "./dom.js";
import { ago, duration, figure, milliseconds } from "./format.js";
import { table, withTime } from "./boards.js";
import { address } from "./state.js";

const STATES = { firing: "bad", over: "bad", error: "bad", nodata: "bad", recovering: "wait", pending: "wait", inactive: "good" };
const NAMES = { inactive: "quiet", nodata: "no data", over: "over threshold" };
const SPANS = ["1h", "2h", "8h", "1d", "7d"];
const REFRESH_MS = 15_000;

export class Alerts {
  constructor(main) {
    this.holder = el("div");
    main.replaceChildren(el("h1", { text: "Alerts" }),
      el("p", { class: "about", text: "The rules that are switched on, the loudest first. Thresholds stand in grafana/settings.yaml." }), this.holder);
    this.timer = setInterval(() => document.hidden || this.holder.querySelector("select:focus") || this.show(), REFRESH_MS);
  }

  leave() {
    clearInterval(this.timer);
  }

  key() {
    return false;
  }

  async show() {
    let told;
    try {
      told = await ask("alerts", "");
    } catch (error) {
      if (!this.holder.childElementCount) this.holder.append(el("p", { class: "card note", text: error.message }));
      return;
    }
    const rows = told.rules.flatMap((rule) => this.rows(rule));
    this.holder.replaceChildren(
      ...(told.note ? [el("p", { class: "card note", text: told.note })] : []),
      ...(told.silences.length ? [this.silences(told.silences)] : []),
      el("section", { class: "card rules", "aria-label": "Rules", tabindex: 0 },
        table(["State", "Rule", "Service", "Value", "Threshold", "Since", "", "Silence"], rows)));
    document.body.dataset.shown = String(performance.now());
  }

  rows(rule) {
    const limit = rule.for ? `${rule.limit} for ${duration(rule.for)}` : rule.limit;
    const links = el("td", {}, el("a", { href: `/runbook#${rule.runbook}`, text: "runbook", target: "_blank" }), " · ",
      el("a", { href: address("/explore", new URLSearchParams({ logql: rule.query })), text: "query" }));
    const series = rule.series.length ? rule.series : [{ state: rule.state, labels: {}, service: "", quiet: true }];
    return series.map((one, number) => el("tr", { class: one.quiet ? "soft" : null },
      el("td", {}, el("span", { class: `state ${one.silenced ? "still" : STATES[one.state]}`,
        text: (NAMES[one.state] || one.state) + (one.silenced ? ", silenced" : "") })),
      el("td", {}, el("b", { text: rule.title }), el("div", { class: "soft", text: `${rule.severity} · ${rule.uid}` })),
      el("td", {}, one.service ? el("a", { href: withTime(`/d/${rule.dashboard || "lokikit-service"}?var-service=${encodeURIComponent(one.service)}`), text: one.service }) : "", others(one.labels)),
      el("td", { class: "figure", text: one.problem && one.value == null ? "" : figure(one.value == null ? "" : Number(one.value.toPrecision(4))) }, one.problem && el("div", { class: "error", text: one.problem })),
      el("td", { text: limit }),
      el("td", { text: one.since ? ago((Date.now() - milliseconds(one.since)) / 1000) : "" }),
      number ? el("td") : links,
      el("td", {}, one.silenced ? "" : this.silencer(rule.uid, one.service))));
  }

  silencer(rule, service) {
    const span = el("select", { "aria-label": `Silence ${rule} ${service} for` }, SPANS.map((text) => el("option", { text })));
    return el("span", {}, span, " ", button("Silence", async () => {
      await ask("silence", "", { body: { rule, service, for: span.value } });
      this.show();
    }, { "aria-label": `Silence ${rule} ${service}` }));
  }

  silences(silences) {
    const rows = silences.map((one) => el("tr", {},
      el("td", { text: one.rule }), el("td", { text: one.service || "every service" }),
      el("td", { text: new Date(milliseconds(one.until_ns)).toLocaleString("en-GB") }),
      el("td", {}, button("Lift", async () => {
        await ask("lift", "", { body: { number: one.number } });
        this.show();
      }, { "aria-label": `Lift silence ${one.number}` }))));
    const made = el("section", { class: "card rules", "aria-label": "Silences", tabindex: 0 }, el("h2", { text: "Silences" }), table(["Rule", "Service", "Until", ""], rows));
    made.style.marginBottom = "10px";
    return made;
  }
}

function others(labels) {
  const told = Object.entries(labels).filter(([name]) => name !== "service_name");
  return told.length ? el("div", { class: "soft", text: told.map(([name, value]) => `${name} ${value}`).join(", ") }) : null;
}
