// The page for drawing: sends the drawing to POST /predict and shows what it reads.

import { snippets } from "./code.js";
import * as compare from "./compare.js";
import { listenToCopyButtons } from "./copy.js";
import * as drawing from "./drawing.js";
import * as pad from "./pad.js";
import { render, spokenSummary } from "./prediction.js";
import { currentPicture, predict } from "./server.js";
import { storeToken } from "./token.js";

const MODEL_KEY = "mnist-model"; // in localStorage
const MAX_SHOWN_PIXELS = 1600; // width and height of pictures in memory

const $ = (id) => document.getElementById(id);
const [canvas, model, tokenDialog] = ["pad", "model", "token-dialog"].map($);

// --- The drawing

function show() {
  const size = Math.round(canvas.clientWidth * devicePixelRatio);
  if (canvas.width !== size) canvas.width = canvas.height = size;
  drawing.paint(canvas.getContext("2d"), size);
  canvas.classList.toggle("picture", Boolean(drawing.drawing().picture));
  $("frame").classList.toggle("busy", pad.isDrawing());
  $("invitation").hidden = !drawing.isEmpty();
  $("clear").disabled = drawing.isEmpty();
  $("undo").disabled = !drawing.canUndo();
  $("redo").disabled = !drawing.canRedo();
}

function changed() {
  requestAnimationFrame(show);
  update();
}

pad.listen(canvas, $("cursor"), {
  newStroke: () => ({ width: $("width").value / 100, erases: $("eraser").ariaPressed === "true" }),
  changed,
  say: (text) => { $("spoken").textContent = text; },
});

// The controls of the drawing do nothing during a stroke.
const control = (action) => () => {
  if (pad.isDrawing()) return;
  action();
  changed();
};
const [undo, redo] = [control(drawing.undo), control(drawing.redo)];
$("undo").addEventListener("click", undo);
$("redo").addEventListener("click", redo);
$("clear").addEventListener("click", control(drawing.clear));
$("eraser").addEventListener("click", ({ currentTarget }) => {
  currentTarget.ariaPressed = currentTarget.ariaPressed !== "true";
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) redo();
  else undo();
});
new ResizeObserver(show).observe(canvas);

// --- Pictures

// The server supports more formats than browsers: it also gets pictures that cannot be shown.
async function usePicture(file) {
  drawing.setPicture({ file, ...await decode(file) });
  changed();
}

async function decode(file) {
  const full = await createImageBitmap(file).catch(() => null);
  if (!full) return { bitmap: null };
  const { width, height } = full;
  const scale = Math.min(1, MAX_SHOWN_PIXELS / Math.max(width, height));
  const resizeWidth = Math.max(1, Math.round(width * scale));
  const resizeHeight = Math.max(1, Math.round(height * scale));
  const bitmap = await createImageBitmap(full, { resizeWidth, resizeHeight });
  full.close();
  return { bitmap, width, height };
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

$("samples").addEventListener("click", () => $("samples-dialog").showModal());
for (const sample of document.querySelectorAll(".samples button")) {
  sample.addEventListener("click", async () => {
    $("samples-dialog").close();
    const { src } = sample.querySelector("img");
    const picture = await (await fetch(src)).blob();
    usePicture(new File([picture], src.split("/").at(-1), { type: picture.type }));
  });
}

// --- The prediction

let isRequesting = false;
let isOutdated = false;

// Sends one request at a time; changes in the meantime go into the next request.
async function update() {
  isOutdated = true;
  if (isRequesting) return;
  isRequesting = true;
  while (isOutdated) {
    isOutdated = false;
    await read();
  }
  isRequesting = false;
}

async function read() {
  if (drawing.isEmpty()) return display({ record: null });
  const picture = await currentPicture();
  const { status, ...result } = await predict(picture, model.value);
  if (isOutdated) return;
  display(result, picture.place);
  if (status === 401 && !pad.isDrawing() && !tokenDialog.open) tokenDialog.showModal();
}

function display({ record, problem }, place) {
  // The beginning of a stroke, such as a dot, need not be a digit.
  const isBeginning = pad.isDrawing() && !record?.digits.length;
  render(isBeginning ? null : record ?? null, place);
  $("hint").textContent = problem ?? "";
  // Screen readers announce the prediction at the end of a stroke, not at every move.
  if (!pad.isDrawing()) $("spoken").textContent = spokenSummary(record);
}

// --- The model, the token and the dialogs

function useModel(name) {
  model.value = name;
  localStorage.setItem(MODEL_KEY, name);
  update();
}

const stored = localStorage.getItem(MODEL_KEY);
if ([...model.options].some(({ text }) => text === stored)) model.value = stored;
model.addEventListener("change", () => useModel(model.value));
const compareModels = compare.listen($("compare-dialog"), [...$("comparison").rows], useModel);
$("compare").addEventListener("click", () => compareModels(model.value));
$("code").addEventListener("click", async () => {
  for (const [id, text] of Object.entries(await snippets(model.value))) $(id).textContent = text;
  $("code-dialog").showModal();
});
listenToCopyButtons();

$("cancel").addEventListener("click", () => tokenDialog.close());
tokenDialog.addEventListener("close", () => {
  if (tokenDialog.returnValue === "use") {
    storeToken($("token").value);
    update();
  }
  $("token").value = tokenDialog.returnValue = "";
});
