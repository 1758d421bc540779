// Buttons that copy text: <button data-copies="ID"> copies the text of the element ID.

const SHOWN_MILLISECONDS = 1500;

export function listenToCopyButtons() {
  for (const button of document.querySelectorAll("[data-copies]")) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const isCopied = await copy(document.getElementById(button.dataset.copies));
      button.textContent = isCopied ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = label; }, SHOWN_MILLISECONDS);
    });
  }
}

// Copies the text of an element; without permission, selects it.
async function copy(element) {
  try {
    // Undefined for pages that are neither local nor over TLS.
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}
