// Drawing on the pad with mouse, finger, pen and keyboard.

import { addStroke } from "./drawing.js";

const KEY_STEP = 0.02; // of the pad
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

let stroke = null; // the stroke in progress

export const isDrawing = () => stroke !== null;

// `newStroke()` returns a stroke without points, `changed()` is called when the drawing changes,
// `say(text)` speaks to users of screen readers.
export function listen(pad, cursor, { newStroke, changed, say }) {
  let position = [0.5, 0.25]; // of the keyboard's cursor

  function start(point) {
    stroke = { ...newStroke(), points: [point] };
    addStroke(stroke);
    changed();
  }

  function extend(...points) {
    stroke.points.push(...points);
    changed();
  }

  function end() {
    if (!stroke) return;
    stroke = null;
    cursor.classList.remove("down");
    changed();
  }

  function pointOf(event) {
    const { left, top, width, height } = pad.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  pad.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    end();
    pad.setPointerCapture(event.pointerId);
    start(pointOf(event));
  });
  pad.addEventListener("pointermove", (event) => {
    if (!stroke || !pad.hasPointerCapture(event.pointerId)) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    extend(...(moves.length ? moves : [event]).map(pointOf));
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    pad.addEventListener(kind, (event) => {
      if (event.isPrimary) end();
    });
  }

  function moveCursor() {
    [cursor.style.left, cursor.style.top] = position.map((part) => `${100 * part}%`);
  }

  pad.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = DIRECTIONS[event.key];
    if (direction) {
      const move = (part, axis) => Math.min(1, Math.max(0, part + KEY_STEP * direction[axis]));
      position = position.map(move);
      moveCursor();
      if (stroke) extend(position);
    } else if (event.key === " ") {
      if (event.repeat) return event.preventDefault();
      const lowers = !stroke;
      if (lowers) start(position);
      else end();
      cursor.classList.toggle("down", lowers);
      say(lowers ? "Pen down" : "Pen up");
    } else {
      return;
    }
    event.preventDefault();
  });
  pad.addEventListener("blur", end);
  moveCursor();
}
