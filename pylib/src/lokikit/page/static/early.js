// Before anything is drawn: the theme, and the question whose answer somebody waits for.
"use strict";
const wishes = matchMedia("(prefers-color-scheme: dark)");
function applyTheme() {
  const chosen = localStorage.getItem("theme") || (wishes.matches ? "dark" : "light");
  document.documentElement.dataset.theme = chosen;
  dispatchEvent(new Event("theme"));
}
wishes.addEventListener("change", applyTheme);
applyTheme();

// The first lines are asked for while the modules still load; api.js takes the answer.
const asked = new URLSearchParams(location.search);
if (location.pathname === "/explore" && !asked.has("at")) {
  const path = `/api/lines?${asked}`;
  window.early = { path, answer: fetch(path) };
}
