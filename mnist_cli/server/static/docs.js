// The page /docs: search, copy buttons and requests to try.

import { listenToCopyButtons } from "./copy.js";
import { storeToken, tokenHeaders } from "./token.js";

const $ = (id) => document.getElementById(id);

listenToCopyButtons();

// --- Search

const entries = [...document.querySelectorAll("section > details")].map((element) => {
  const parts = [...element.querySelectorAll("summary, p, th, td")];
  return { element, text: parts.map((part) => part.textContent).join(" ").toLowerCase() };
});

function search() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { element, text } of entries) {
    element.hidden = !words.every((word) => text.includes(word));
  }
  const found = entries.filter(({ element }) => !element.hidden).length;
  for (const section of document.querySelectorAll("section")) {
    const hasMatch = section.querySelector(":scope > details:not([hidden])");
    section.hidden = words.length > 0 && !hasMatch;
  }
  $("found").textContent = words.length ? `${found} found` : "";
}

$("search").addEventListener("input", search);

// Links to a schema or an operation unfold it.
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(target instanceof HTMLDetailsElement)) return;
  $("search").value = "";
  search();
  target.open = true;
  target.scrollIntoView();
}

addEventListener("hashchange", unfold);
unfold();

// --- Requests to try

$("token")?.addEventListener("input", ({ target }) => storeToken(target.value));

async function chosenPicture() {
  const { files, dataset } = $("picture");
  if (files.length) return files[0];
  const sample = await fetch(dataset.sample);
  return new File([await sample.blob()], "7.png", { type: "image/png" });
}

// The body and the Content-Type of a request; browsers set the one of a form, with its boundary.
async function content({ type, body }) {
  if (!type) return {};
  if (body) return { body, headers: { "Content-Type": type } };
  const picture = await chosenPicture();
  if (type.startsWith("image/")) {
    return { body: picture, headers: { "Content-Type": picture.type || "image/unknown" } };
  }
  const form = new FormData();
  form.append("file", picture);
  return { body: form };
}

for (const button of document.querySelectorAll("[data-path]")) {
  const answer = button.closest(".example").querySelector(".answer");
  button.addEventListener("click", async () => {
    const { path, type } = button.dataset;
    button.disabled = true;
    try {
      const { body, headers } = await content(button.dataset);
      const method = type ? "POST" : "GET";
      const response = await fetch(path, { method, body, headers: { ...headers, ...tokenHeaders() } });
      answer.textContent = `${response.status} ${response.statusText}\n${await response.text()}`;
    } catch {
      answer.textContent = "The server does not respond. Check that it is running.";
    }
    answer.hidden = false;
    button.disabled = false;
  });
}
