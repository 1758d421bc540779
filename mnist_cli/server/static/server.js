// Requests to POST /predict.

import { drawing, paint, placement } from "./drawing.js";
import { tokenHeaders } from "./token.js";

// Width and height of the picture that is sent. Photographs need more pixels than strokes.
const STROKES_PIXELS = 280;
const PICTURE_PIXELS = 840;

// The picture to send, and how its pixels map to the pad.
export async function currentPicture() {
  const { picture, strokes } = drawing();
  if (picture && !strokes.length) {
    const { file } = picture;
    // The server detects the format; the type only has to begin with image/.
    const type = file.type.startsWith("image/") ? file.type : "image/unknown";
    return { body: file, type, place: picture.bitmap && placement(picture) };
  }
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = picture ? PICTURE_PIXELS : STROKES_PIXELS;
  paint(canvas.getContext("2d"), canvas.width);
  const body = await new Promise((resolve) => canvas.toBlob(resolve));
  return { body, type: body.type, place: placement(canvas) };
}

export const predictUrl = (options) =>
  new URL(`predict?${new URLSearchParams({ multi: 1, ...options })}`, document.baseURI).href;

// Returns { status, record } or { status, problem }; the status is 0 without a response.
export async function predict({ body, type }, model) {
  const headers = { "Content-Type": type, ...tokenHeaders() };
  try {
    const url = predictUrl({ model, scores: 1, image: 1 });
    const response = await fetch(url, { method: "POST", headers, body });
    const answer = await response.json();
    if (response.ok) return { status: response.status, record: answer };
    return { status: response.status, problem: sentence(answer.error) };
  } catch {
    return { status: 0, problem: "The server does not respond. Check that it is running." };
  }
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;
