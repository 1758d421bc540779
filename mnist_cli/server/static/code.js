// The dialog with commands that send the current drawing.

import { drawing, isEmpty } from "./drawing.js";
import { currentPicture, predictUrl } from "./server.js";
import { hasToken } from "./token.js";

// Strings of the shell and of Python; JSON strings are Python strings, too.
const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const python = JSON.stringify;

// Returns { curl, python }. Strokes are part of the command; a picture is a file of the user.
export async function snippets(model) {
  const url = predictUrl({ model });
  const { body, type } = await currentPicture();
  const { picture, strokes } = drawing();
  const file = isEmpty() ? "7.png" : picture && !strokes.length ? body.name || "picture.png" : null;
  const data = file === null ? await base64(body) : "";
  const contentType = type === "image/unknown" ? "image/png" : type;
  const curl = [
    file === null ? `echo ${data} | base64 -d |\ncurl` : "curl",
    hasToken() ? '-H "Authorization: Bearer $MNIST_TOKEN"' : "",
    `-H ${shell(`Content-Type: ${contentType}`)}`,
    `--data-binary ${file === null ? "@-" : shell(`@${file}`)}`,
    shell(url),
  ];
  const token = hasToken() ? `, "Authorization": f"Bearer {os.environ['MNIST_TOKEN']}"` : "";
  const modules = [file === null && "base64", "json", token && "os", "urllib.request"];
  return {
    curl: curl.filter(Boolean).join(" "),
    python: `import ${modules.filter(Boolean).join(", ")}

picture = ${file === null ? `base64.b64decode(${python(data)})` : `open(${python(file)}, "rb").read()`}
headers = {"Content-Type": ${python(contentType)}${token}}
request = urllib.request.Request(${python(url)}, picture, headers)
print(json.load(urllib.request.urlopen(request)))
`,
  };
}

async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
