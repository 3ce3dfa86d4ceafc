// Questions to the page's own server; one banner says when the store does not answer.
import { say } from "./dom.js";

const banner = document.getElementById("away");
let retry = 0;

export class Refusal extends Error {
  constructor(told, status) {
    super(told.error || `status ${status}`);
    this.line = told.line;
    this.column = told.column;
    this.status = status;
  }
}

function early(path) {
  // The answer to what early.js has asked, once.
  const { path: asked, answer } = window.early || {};
  window.early = null;
  return asked === path ? answer : null;
}

export async function ask(name, parameters, { signal, body } = {}) {
  const how = body
    ? { method: "POST", body: JSON.stringify(body), headers: { "X-Lokikit": "page" }, signal }
    : { signal };
  let answer;
  try {
    answer = await (early(`/api/${name}?${parameters || ""}`) || fetch(`/api/${name}?${parameters || ""}`, how));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    away("The page's own server does not answer: is lokikit page running?");
    throw new Refusal({ error: "no answer" }, 0);
  }
  if (answer.status === 401) location.reload();
  const told = await answer.json();
  if (answer.ok) {
    back();
    return told;
  }
  if (answer.status > 500) away(told.error);
  throw new Refusal(told, answer.status);
}

export function away(text) {
  banner.textContent = `${text} Trying again.`;
  banner.hidden = false;
  if (!retry) retry = setTimeout(() => { retry = 0; dispatchEvent(new Event("again")); }, 2000);
}

export function back() {
  if (!banner.hidden) say("The store answers again");
  banner.hidden = true;
}
