// The page /draw: sends strokes and pictures on a pad to POST /predict and shows the prediction.

const PEN_WIDTH = 0.07; // as a fraction of the pad; in MNIST strokes are about 2 of 28 pixels wide
const SENT_PIXELS = 140; // width and height of the picture that is sent
const MODEL_PIXELS = 28; // width and height of what the model sees
const TOKEN_KEY = "mnist-token"; // in sessionStorage

const $ = (id) => document.getElementById(id);
const [pad, seen, hint, model, dialog] = ["pad", "seen", "hint", "model", "token-dialog"].map($);
const bars = [...$("scores").children];

// An optional picture, and strokes on top of it: lists of points [x, y] from 0 to 1.
let picture = null;
let strokes = [];
let stroke = null; // the stroke in progress

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
  context.lineWidth = PEN_WIDTH * size;
  context.lineCap = context.lineJoin = "round";
  for (const points of strokes) {
    const [[x, y]] = points;
    context.beginPath();
    context.moveTo(x * size, y * size);
    // Curves through the midpoints keep the line smooth even with few points.
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
  update();
}

function point(event) {
  const { left, top, width, height } = pad.getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

pad.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button !== 0) return;
  pad.setPointerCapture(event.pointerId);
  if (!picture?.bitmap) picture = null; // do not draw on a picture that cannot be shown
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

// The server supports more formats than browsers: it also gets pictures that cannot be shown.
async function usePicture(file) {
  const added = { file, bitmap: null };
  picture = added;
  strokes = [];
  stroke = null;
  changed();
  added.bitmap = await createImageBitmap(file).catch(() => null);
  show();
}

$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", ({ target }) => {
  if (target.files.length) usePicture(target.files[0]);
  target.value = ""; // allows choosing the same file again
});
document.addEventListener("paste", ({ clipboardData }) => {
  if (clipboardData.files.length) usePicture(clipboardData.files[0]);
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
  if (event.dataTransfer.files.length) usePicture(event.dataTransfer.files[0]);
});

// --- The server

let isRequesting = false;
let isOutdated = false;

// Sends one request at a time; changes in the meantime go into the next request.
async function update() {
  isOutdated = true;
  if (isRequesting) return;
  isRequesting = true;
  while (isOutdated) {
    isOutdated = false;
    await predict();
  }
  isRequesting = false;
}

async function predict() {
  if (!picture && !strokes.length) return render(null);
  const query = new URLSearchParams({ scores: 1, image: 1, model: model.value });
  let response, body;
  try {
    response = await fetch(`predict?${query}`, { method: "POST", ...requestContent() });
    body = await response.json();
  } catch {
    return render(null, "The server does not respond. Check that it is running.");
  }
  if (isOutdated) return;
  if (response.ok) return render(body);
  render(null, sentence(body.error));
  if (response.status === 401 && !stroke && !dialog.open) dialog.showModal();
}

function requestContent() {
  const headers = {};
  const token = sessionStorage.getItem(TOKEN_KEY);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (picture && !strokes.length) {
    // The server detects the format; the type only has to begin with image/.
    const { file } = picture;
    headers["Content-Type"] = file.type.startsWith("image/") ? file.type : "image/unknown";
    return { headers, body: file };
  }
  headers["Content-Type"] = "application/json";
  return { headers, body: JSON.stringify({ picArray: grays() }) };
}

const sentCanvas = document.createElement("canvas");
sentCanvas.width = sentCanvas.height = SENT_PIXELS;
const sentContext = sentCanvas.getContext("2d", { willReadFrequently: true });

function grays() {
  paint(sentContext, SENT_PIXELS);
  const { data } = sentContext.getImageData(0, 0, SENT_PIXELS, SENT_PIXELS);
  const gray = (i) => Math.round(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]);
  return Array.from({ length: SENT_PIXELS }, (_, row) =>
    Array.from({ length: SENT_PIXELS }, (_, column) => gray(4 * (row * SENT_PIXELS + column))));
}

model.addEventListener("change", update);
$("cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  if (dialog.returnValue === "use") {
    sessionStorage.setItem(TOKEN_KEY, $("token").value);
    update();
  }
  $("token").value = dialog.returnValue = "";
});

// --- The prediction

const percent = (fraction) => `${(100 * fraction).toFixed(1)} %`;
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

function render(prediction, problem = "") {
  $("digit").textContent = prediction?.prediction ?? "";
  const certainty = (unit) =>
    `${prediction.probability.toFixed(1)} ${unit} sure${prediction.uncertain ? ", but it may not be a digit" : ""}`;
  $("certainty").textContent = prediction ? certainty("%") : "\u00a0";
  hint.textContent = problem;
  bars.forEach((bar, digit) => {
    const score = prediction ? prediction.scores[digit] : 0;
    bar.style.setProperty("--score", score);
    bar.classList.toggle("best", prediction?.prediction === digit);
    bar.lastElementChild.textContent = prediction ? percent(score) : "";
  });
  const pixels = new ImageData(MODEL_PIXELS, MODEL_PIXELS);
  (prediction?.image.flat() ?? Array(MODEL_PIXELS * MODEL_PIXELS).fill(255)).forEach((gray, index) => {
    pixels.data.set([gray, gray, gray, 255], 4 * index);
  });
  seen.getContext("2d").putImageData(pixels, 0, 0);
  // Screen readers announce the prediction at the end of a stroke, not at every move.
  if (!stroke) {
    $("spoken").textContent = prediction ? `${prediction.prediction}, ${certainty("percent")}` : "";
  }
}

render(null);
