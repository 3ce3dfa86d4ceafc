// The bar above each view: services, envs, levels, text, time, and what else is chosen.
import { button, el, menu } from "./dom.js";
import { change, chosen, timeShown, wheres } from "./state.js";

const QUICK = ["5m", "15m", "30m", "1h", "3h", "6h", "12h", "24h", "2d", "7d", "14d", "30d"];

const SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

export function drawBar(bar, offered, view) {
  if (view === "alerts") {
    bar.hidden = true;
    return;
  }
  const now = chosen(), isBoard = view.startsWith("lokikit-");
  const { id, selectionStart } = document.activeElement;
  bar.hidden = false;
  bar.replaceChildren(
    choice("Service", "var-service", offered.service),
    choice("Env", "var-env", offered.env),
    choice("Level", "var-detected_level", offered.detected_level),
    field("search", "var-search", "Search text  ( / )", "Text that the lines hold; small letters find any case"),
    ...(view !== "lokikit-request" ? [] : [field("wanted", "var-id", "request_id or trace_id", "The whole id, as it stands in a line")]),
    times(),
    button("Refresh", () => dispatchEvent(new Event("chosen")), { title: "Ask again (r)" }),
    ...(isBoard ? [] : wheres(now).map(([, name, operator, value], at) => chip(`${name} ${operator === "=" ? "is" : "is not"} ${value}`,
      { where: now.getAll("where").filter((_, other) => other !== at) }))),
    ...(isBoard || !now.get("logql") ? [] : [chip("typed query", { logql: null })]),
    ...(isBoard || !now.get("at") ? [] : [chip("lines around one", { at: null, line: null })]));
  if (["search", "wanted"].includes(id)) {
    // Somebody goes on typing there.
    const box = document.getElementById(id);
    box?.focus();
    box?.setSelectionRange(selectionStart, selectionStart);
  }
}

function choice(label, name, values = []) {
  const picked = chosen().getAll(name);
  const every = [...new Set([...values, ...picked])];
  const boxes = every.map((value) => el("label", {},
    el("input", { type: "checkbox", checked: picked.includes(value), onchange: (event) => {
      const kept = chosen().getAll(name).filter((one) => one !== value);
      change({ [name]: event.target.checked ? [...kept, value] : kept, at: null, line: null });
    } }), el("span", { class: name === "var-detected_level" ? `level ${value}` : null, text: value })));
  const none = el("p", { class: "soft", text: "None in this time." });
  const all = button("All", () => change({ [name]: null }), { hidden: !picked.length });
  const made = menu(label, picked.join(", ") || "all", [all, ...(boxes.length ? boxes : [none])], { "data-name": name });
  return made;
}

function field(id, name, placeholder, title) {
  let waiting = 0;
  const apply = (event) => {
    clearTimeout(waiting);
    if ((chosen().get(name) || "") !== event.target.value) change({ [name]: event.target.value });
  };
  return el("input", { type: "search", id, placeholder, title, "aria-label": title, value: chosen().get(name) || "",
    onchange: apply,
    onkeydown: (event) => {
      if (event.key === "Enter") apply(event);
      else if (event.key === "Escape") event.target.blur();
      else return;
      event.preventDefault(); // of itself Escape would empty the box
    },
    oninput: (event) => { clearTimeout(waiting); waiting = setTimeout(() => apply(event), 500); } });
}

function times() {
  const now = chosen();
  const quick = QUICK.map((span) => button(`last ${span}`, () => change({ from: span === "1h" ? null : `now-${span}`, to: null, at: null, line: null })));
  const from = el("input", { type: "datetime-local", step: 1, "aria-label": "From" });
  const to = el("input", { type: "datetime-local", step: 1, "aria-label": "To" });
  for (const [box, text] of [[from, now.get("from") || "now-1h"], [to, now.get("to") || "now"]]) {
    const ago = /^now(?:-(\d+)([smhdw]))?$/.exec(text);
    if (ago) box.value = local(Date.now() - 1000 * Number(ago[1] || 0) * (SECONDS[ago[2]] || 0));
    else if (/^\d{10,}$/.test(text)) box.value = local(Number(text.slice(0, 13)));
  }
  const apply = button("Take this time", () => {
    if (from.value && to.value) change({ from: new Date(from.value).getTime(), to: new Date(to.value).getTime(), at: null, line: null });
  }, { class: "main" });
  return menu("Time", timeShown(), [el("div", { class: "choices" }, quick),
    el("div", { class: "absolute" }, el("label", {}, "from ", from), el("label", {}, "to ", to), apply)], { class: "menu right", "data-name": "time" });
}

function local(ms) {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

function chip(text, without) {
  return el("span", { class: "chip" }, el("span", { text, title: text }), button("×", () => change(without), { "aria-label": `Take away: ${text}` }));
}
