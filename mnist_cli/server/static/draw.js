// The page /draw: strokes and pictures on a pad, read by POST /predict of the same server.

const PEN = 0.07; // the width of a stroke, as a part of the pad: MNIST's is about 2 of 28
const SENT = 140; // the side of the picture that is sent
const SEEN = 28;
const TOKEN = "mnist-token";

const $ = (id) => document.getElementById(id);
const [pad, seen, hint, model, dialog] = ["pad", "seen", "hint", "model", "token-dialog"].map($);
const bars = [...$("scores").children];

// A picture to begin with, or none, and strokes: lists of points [x, y] in 0..1 of the pad.
let picture = null;
let strokes = [];
let stroke = null; // the one that is being drawn

// --- The pad

function paint(context, size) {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, size, size);
  if (picture?.bitmap) {
    const { width, height } = picture.bitmap;
    const scale = size / Math.max(width, height);
    const [w, h] = [width * scale, height * scale];
    context.drawImage(picture.bitmap, (size - w) / 2, (size - h) / 2, w, h);
  }
  context.strokeStyle = "#000";
  context.lineWidth = PEN * size;
  context.lineCap = context.lineJoin = "round";
  for (const points of strokes) {
    const [[x, y]] = points;
    context.beginPath();
    context.moveTo(x * size, y * size);
    // Through the middles between points: a smooth line, however few there are.
    points.slice(1).forEach(([right, bottom], index) => {
      const [left, top] = points[index];
      context.quadraticCurveTo(
        left * size, top * size, ((left + right) / 2) * size, ((top + bottom) / 2) * size,
      );
    });
    const [endX, endY] = points.at(-1);
    context.lineTo(endX * size, endY * size);
    context.stroke();
  }
}

function show() {
  const size = Math.round(pad.clientWidth * devicePixelRatio);
  if (pad.width !== size) pad.width = pad.height = size;
  paint(pad.getContext("2d"), size);
  const empty = !picture && !strokes.length;
  pad.classList.toggle("picture", Boolean(picture));
  $("invitation").hidden = !empty;
  $("undo").disabled = $("clear").disabled = empty;
}

function changed() {
  requestAnimationFrame(show);
  ask();
}

function point(event) {
  const { left, top, width, height } = pad.getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

pad.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button !== 0) return;
  pad.setPointerCapture(event.pointerId);
  if (!picture?.bitmap) picture = null; // nobody can draw on what is not shown
  stroke = [point(event)];
  strokes.push(stroke);
  changed();
});

pad.addEventListener("pointermove", (event) => {
  if (!stroke || !event.isPrimary) return;
  const moves = event.getCoalescedEvents?.() ?? [];
  stroke.push(...(moves.length ? moves : [event]).map(point));
  changed();
});

for (const end of ["pointerup", "pointercancel"]) {
  pad.addEventListener(end, (event) => {
    if (!stroke || !event.isPrimary) return;
    stroke = null;
    changed();
  });
}

function undo() {
  if (stroke) return;
  if (strokes.length) strokes.pop();
  else picture = null;
  changed();
}

$("undo").addEventListener("click", undo);
$("clear").addEventListener("click", () => {
  picture = null;
  strokes = [];
  changed();
});
document.addEventListener("keydown", (event) => {
  const command = (event.ctrlKey || event.metaKey) && !event.shiftKey;
  if (!command || event.key !== "z" || dialog.open) return;
  event.preventDefault();
  undo();
});
new ResizeObserver(show).observe(pad);

// --- Pictures

// The server reads formats that browsers do not: a picture that cannot be shown is read all the same.
async function take(file) {
  const taken = { file, bitmap: null };
  picture = taken;
  strokes = [];
  stroke = null;
  changed();
  taken.bitmap = await createImageBitmap(file).catch(() => null);
  show();
}

$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", ({ target }) => {
  if (target.files.length) take(target.files[0]);
  target.value = ""; // so that the same file can be chosen again
});
document.addEventListener("paste", ({ clipboardData }) => {
  if (clipboardData.files.length) take(clipboardData.files[0]);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  $("frame").classList.add("target");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("frame").classList.remove("target");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  $("frame").classList.remove("target");
  if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
});

// --- The server

let asking = false;
let again = false;

// One request at a time; whatever was drawn meanwhile goes into the next.
async function ask() {
  again = true;
  if (asking) return;
  asking = true;
  while (again) {
    again = false;
    await predict();
  }
  asking = false;
}

async function predict() {
  if (!picture && !strokes.length) return tell(null);
  const query = new URLSearchParams({ scores: 1, image: 1, model: model.value });
  let answer, body;
  try {
    answer = await fetch(`predict?${query}`, { method: "POST", ...message() });
    body = await answer.json();
  } catch {
    return tell(null, "The server does not answer.");
  }
  if (again) return; // it is out of date
  if (answer.ok) return tell(body);
  tell(null, sentence(body.error));
  if (answer.status === 401 && !stroke && !dialog.open) dialog.showModal();
}

function message() {
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (picture && !strokes.length) {
    // The server looks at the content; the type only says that it is meant as a picture.
    const { file } = picture;
    headers["Content-Type"] = file.type.startsWith("image/") ? file.type : "image/unknown";
    return { headers, body: file };
  }
  headers["Content-Type"] = "application/json";
  return { headers, body: JSON.stringify({ picArray: grays() }) };
}

const sheet = document.createElement("canvas");
sheet.width = sheet.height = SENT;
const sheetContext = sheet.getContext("2d", { willReadFrequently: true });

function grays() {
  paint(sheetContext, SENT);
  const { data } = sheetContext.getImageData(0, 0, SENT, SENT);
  const gray = (i) => Math.round(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]);
  return Array.from({ length: SENT }, (_, row) =>
    Array.from({ length: SENT }, (_, column) => gray(4 * (row * SENT + column))));
}

model.addEventListener("change", ask);
$("cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  if (dialog.returnValue === "use") {
    sessionStorage.setItem(TOKEN, $("token").value);
    ask();
  }
  $("token").value = dialog.returnValue = "";
});

// --- The answer

const percent = (part) => `${(100 * part).toFixed(1)} %`;
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

function tell(answer, why = "") {
  $("digit").textContent = answer?.prediction ?? "";
  const certainty = (unit) =>
    `${answer.probability.toFixed(1)} ${unit} sure${answer.uncertain ? ", if it is a digit" : ""}`;
  $("certainty").textContent = answer ? certainty("%") : "\u00a0";
  hint.textContent = why;
  bars.forEach((bar, digit) => {
    const score = answer ? answer.scores[digit] : 0;
    bar.style.setProperty("--score", score);
    bar.classList.toggle("best", answer?.prediction === digit);
    bar.lastElementChild.textContent = answer ? percent(score) : "";
  });
  const pixels = new ImageData(SEEN, SEEN);
  (answer?.image.flat() ?? Array(SEEN * SEEN).fill(255)).forEach((gray, index) => {
    pixels.data.set([gray, gray, gray, 255], 4 * index);
  });
  seen.getContext("2d").putImageData(pixels, 0, 0);
  // Spoken once a stroke is done, not at every move.
  if (!stroke) {
    $("spoken").textContent = answer ? `${answer.prediction}, ${certainty("percent")}` : "";
  }
}

tell(null);
