// Shows a prediction: the number, boxes on the pad, the digits as the model sees them, and scores.

const MODEL_PIXELS = 28; // width and height of what the model sees
const LABEL_HEIGHT = 0.08; // of the labels above boxes, as a fraction of a small pad

const $ = (id) => document.getElementById(id);
const bars = [...$("scores").children];
let selected = 0; // the digit whose scores are shown

export const percent = (value) => `${value.toFixed(1)} %`;

// The digits of a record as text, with a question mark for each that is uncertain.
export function numberText({ text, digits }) {
  let index = 0;
  return text.replace(/\d/g, (digit) => (digits[index++].uncertain ? "?" : digit));
}

export function summary(record, unit = "%") {
  if (!record.digits.length) return "No digit found";
  if (!record.uncertain) return `${record.probability.toFixed(1)} ${unit} sure`;
  return `Uncertain: perhaps ${record.text.replaceAll("\n", ", ")}`;
}

// Shows a record of POST /predict?multi=1, or nothing if it is null. `place` maps its boxes to the
// pad; they are hidden if it is null.
export function render(record, place = null) {
  const digits = record?.digits ?? [];
  const lines = record ? numberText(record).split("\n") : [""];
  const number = $("number");
  number.textContent = lines.join("\n");
  number.style.setProperty("--columns", Math.max(...lines.map((line) => line.length)));
  number.style.setProperty("--lines", lines.length);
  $("certainty").textContent = record ? summary(record) : "";
  $("boxes").replaceChildren(...(place ? digits.map((digit) => box(digit, place)) : []));
  $("digits").replaceChildren(...digits.map(button));
  select(Math.min(selected, Math.max(0, digits.length - 1)), digits);
}

export function spokenSummary(record) {
  if (!record) return "";
  const number = numberText(record).replaceAll("\n", ", ");
  return [number, summary(record, "percent")].filter(Boolean).join(", ");
}

function box({ box: [left, top, width, height], prediction, uncertain }, place) {
  const [element, label] = ["span", "b"].map((name) => document.createElement(name));
  label.textContent = uncertain ? "?" : prediction;
  element.append(label);
  element.classList.toggle("at-top", place.top + top * place.scale < LABEL_HEIGHT);
  const { style } = element;
  style.left = `${100 * (place.left + left * place.scale)}%`;
  style.top = `${100 * (place.top + top * place.scale)}%`;
  style.width = `${100 * width * place.scale}%`;
  style.height = `${100 * height * place.scale}%`;
  return element;
}

function button(digit, index, digits) {
  const element = document.createElement("button");
  element.type = "button";
  const certainty = percent(digit.probability) + (digit.uncertain ? ", uncertain" : "");
  element.ariaLabel = `${digit.prediction}, ${certainty}`;
  element.title = certainty;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = MODEL_PIXELS;
  const pixels = new ImageData(MODEL_PIXELS, MODEL_PIXELS);
  digit.image.flat().forEach((gray, pixel) => pixels.data.set([gray, gray, gray, 255], 4 * pixel));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  element.append(canvas);
  element.addEventListener("click", () => select(index, digits));
  return element;
}

function select(index, digits) {
  selected = index;
  [...$("digits").children].forEach((element, at) => { element.ariaPressed = at === index; });
  bars.forEach((bar, digit) => {
    const score = digits[index]?.scores[digit] ?? 0;
    bar.style.setProperty("--score", score);
    bar.classList.toggle("best", digits[index]?.prediction === digit);
    bar.lastElementChild.textContent = digits.length ? percent(100 * score) : "";
  });
}
