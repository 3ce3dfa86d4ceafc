// Elements, made of text alone: nothing here, or anywhere on this page, reads markup.
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "text") made.textContent = value;
    else if (name === "value" || name === "checked") made[name] = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function button(text, onclick, properties = {}) {
  return el("button", { type: "button", text, onclick, ...properties });
}

export function menu(label, shown, content, properties = {}) {
  // A button that opens a box; Escape and a click elsewhere close it.
  const summary = el("summary", { class: "button", "aria-label": shown ? `${label}: ${shown}` : label },
    el("span", { class: shown ? "soft" : null, text: label }), shown ? el("b", { text: shown }) : null);
  const made = el("details", { class: "menu", ...properties }, summary, el("div", {}, content));
  made.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && made.open) {
      made.open = false;
      summary.focus();
      event.stopPropagation();
    }
  });
  return made;
}

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.menu[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

export function say(text) {
  // To who listens rather than looks.
  document.getElementById("said").textContent = text;
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS a browser has no clipboard for pages of other machines.
    const box = el("textarea", { value: text });
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  say(`${what} copied`);
}
