// The page: which view is shown, the keys, the theme.
import { Alerts } from "./alerts.js";
import { ask } from "./api.js";
import { drawBar } from "./bar.js";
import { Board } from "./boards.js";
import { button, el } from "./dom.js";
import { Explore } from "./explore.js";
import { chosen, go, sharedWith } from "./state.js";

const main = document.getElementById("main"), nav = document.getElementById("nav"), bar = document.getElementById("bar");
let offered = { boards: [], service: [], env: [], detected_level: [] }, shown = null, view = null, drawnFor = null;

function viewNow() {
  const board = /^\/d\/([\w-]+)/.exec(location.pathname);
  return board ? board[1] : location.pathname === "/alerts" ? "alerts" : "explore";
}

function open(name) {
  const board = offered.boards.find((one) => one.uid === name);
  if (board) return new Board(main, board);
  if (name === "alerts") return new Alerts(main);
  if (name === "explore") return new Explore(main);
  if (offered.boards.length) main.replaceChildren(el("p", { class: "empty", text: "There is no such dashboard here." }));
  return null;
}

function show() {
  const wanted = viewNow();
  if (wanted !== view || !shown) {
    shown?.leave();
    shown = open(wanted);
    view = wanted;
    scrollTo(0, 0);
  }
  drawFrame();
  return Promise.resolve(shown?.show());
}

function drawFrame() {
  const places = [["/explore", "Explore"], ...offered.boards.map((one) => [`/d/${one.uid}`, one.title]), ["/alerts", "Alerts"]];
  nav.replaceChildren(...places.map(([path, text]) => el("a", {
    href: sharedWith(path), text, "aria-current": location.pathname === path || (location.pathname === "/" && path === "/explore") ? "page" : null })));
  const title = places.find(([path]) => path === location.pathname)?.[1] || "Explore";
  document.title = `${title} · lokikit`;
  const opened = bar.querySelector("details.menu[open]"), isSame = drawnFor === location.href;
  const focused = document.activeElement;
  drawnFor = location.href;
  drawBar(bar, offered, viewNow());
  const menu = opened && bar.querySelector(`details[data-name="${CSS.escape(opened.dataset.name)}"]`);
  if (menu && opened.dataset.name !== "time") menu.open = true;
  else if (menu && isSame) { // an answer came, and somebody types a time there
    menu.replaceWith(opened);
    if (opened.contains(focused)) focused.focus();
  }
}

async function start() {
  try {
    offered = await ask("start", chosen());
  } catch {
    offered = { ...offered };
  }
  if (offered.boards.length && !shown) show();
  else drawFrame();
}

const KEYS = [["/", "search"], ["j, k", "next and previous line"], ["Enter", "open or close the line"], ["t", "live tail"],
  ["p", "pause the tail"], ["r", "ask again"], ["l", "to the LogQL box"], ["1 … 7", "the views, in their order"], ["d", "light or dark"], ["?", "these keys"], ["Escape", "leave a box"]];

function help() {
  const box = el("dialog", { "aria-label": "Keys" }, el("h1", { text: "Keys" }),
    el("dl", {}, KEYS.flatMap(([key, text]) => [el("dt", {}, el("kbd", { text: key })), el("dd", { text })])),
    button("Close", () => box.close()));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}

function turnTheme() {
  localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  applyTheme();
}

addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (typing && event.key === "Escape") event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "/") document.getElementById("search")?.focus();
  else if (event.key === "l") shown?.box?.focus();
  else if (event.key === "r") show();
  else if (event.key === "d") turnTheme();
  else if (event.key === "?") help();
  else if (/^[1-9]$/.test(event.key) && nav.children[event.key - 1]) go(nav.children[event.key - 1].getAttribute("href"));
  else if (!shown?.key(event.key)) return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  // Links to the page's own views change what is shown, and load nothing anew.
  const link = event.target.closest?.("a[href]");
  const path = link && new URL(link.href).pathname;
  if (!link || link.target || link.hasAttribute("download") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (new URL(link.href).origin === location.origin && /^\/(explore|alerts|d\/)/.test(path)) {
    event.preventDefault();
    go(link.getAttribute("href"));
  }
});
bar.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("theme").addEventListener("click", turnTheme);
document.getElementById("help").addEventListener("click", help);
addEventListener("chosen", () => { show(); refreshOffer(); });
addEventListener("popstate", show);
addEventListener("again", () => {
  // A tail goes on by itself; what is offered tells whether the store is back.
  if (!shown?.events) show();
  offeredFor = null;
  refreshOffer();
});

let offeredFor = "";
async function refreshOffer() {
  // Which services there are depends on the time that is shown.
  const span = `${chosen().get("from")} ${chosen().get("to")}`;
  if (span !== offeredFor || !offered.boards.length) {
    offeredFor = span;
    await start();
  }
}

offeredFor = `${chosen().get("from")} ${chosen().get("to")}`;
if (viewNow() === "explore") show().finally(start);
else {
  if (viewNow() === "alerts") show();
  start();
}
