// The drawing: strokes on an optional picture, and its history.

const UNDO_STEPS = 100;

const EMPTY = { picture: null, strokes: [] };
let current = EMPTY;
let [past, future] = [[], []];

// The picture is { file, bitmap, width, height }; bitmap is null if the browser cannot show it.
// A stroke is { points, width, erases }: points [x, y] and the width are from 0 to 1.
export const drawing = () => current;
export const isEmpty = () => !current.picture && !current.strokes.length;
export const canUndo = () => past.length > 0;
export const canRedo = () => future.length > 0;

function change(next) {
  past = [...past, current].slice(-UNDO_STEPS);
  future = [];
  current = next;
}

export function addStroke(stroke) {
  // Strokes on a picture that cannot be shown replace it.
  const picture = current.picture?.bitmap ? current.picture : null;
  change({ picture, strokes: [...current.strokes, stroke] });
}

export const setPicture = (picture) => change({ picture, strokes: [] });
export const clear = () => change(EMPTY);

export function undo() {
  if (!canUndo()) return;
  future.push(current);
  current = past.pop();
}

export function redo() {
  if (!canRedo()) return;
  past.push(current);
  current = future.pop();
}

// Maps pixels of the picture to the pad: it is centred, and its longer side fills the pad.
export function placement({ width, height }) {
  const scale = 1 / Math.max(width, height);
  return { scale, left: (1 - width * scale) / 2, top: (1 - height * scale) / 2 };
}

export function paint(context, size) {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, size, size);
  const { picture, strokes } = current;
  if (picture?.bitmap) {
    const { scale, left, top } = placement(picture);
    const [width, height] = [picture.width * scale, picture.height * scale];
    context.drawImage(picture.bitmap, left * size, top * size, width * size, height * size);
  }
  for (const stroke of strokes) paintStroke(context, size, stroke);
}

function paintStroke(context, size, { points, width, erases }) {
  context.strokeStyle = erases ? "#fff" : "#000";
  context.lineWidth = width * size;
  context.lineCap = context.lineJoin = "round";
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
