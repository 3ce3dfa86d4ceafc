// Before anything is drawn: the theme that was chosen here, or that of the system.
"use strict";
const wishes = matchMedia("(prefers-color-scheme: dark)");
function applyTheme() {
  const chosen = localStorage.getItem("theme") || (wishes.matches ? "dark" : "light");
  document.documentElement.dataset.theme = chosen;
}
wishes.addEventListener("change", applyTheme);
applyTheme();
