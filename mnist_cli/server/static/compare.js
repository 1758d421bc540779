// The dialog that reads the current drawing with all models.

import { isEmpty } from "./drawing.js";
import { numberText, percent } from "./prediction.js";
import { currentPicture, predict } from "./server.js";

// Returns a function that opens the dialog; `use(model)` is called when a model is chosen.
export function listen(dialog, rows, use) {
  for (const row of rows) {
    const choice = row.querySelector("button");
    choice.addEventListener("click", () => {
      dialog.close();
      use(choice.textContent);
    });
  }

  let latest = 0; // the number of the last run; earlier ones stop
  return async function compare(current) {
    const run = ++latest;
    for (const row of rows) {
      const choice = row.querySelector("button");
      choice.ariaCurrent = choice.textContent === current;
      show(row, "–", "");
    }
    dialog.showModal();
    if (isEmpty()) return;
    const picture = await currentPicture();
    for (const row of rows) {
      if (!dialog.open || run !== latest) return;
      const { record, problem } = await predict(picture, row.querySelector("button").textContent);
      if (run !== latest) return;
      if (problem) show(row, problem, "");
      else show(row, numberText(record) || "–", record.digits.length ? percent(record.probability) : "");
    }
  };
}

function show(row, number, probability) {
  const [, reads, sure] = row.querySelectorAll("td");
  reads.textContent = number;
  sure.textContent = probability;
}
