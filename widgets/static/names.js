// @ts-check
// Where the names of bubbles go: beside them, over nothing else; a name without room is left to hover and table.

const FONT_PIXELS = 11;
const GAP = 4;
const ring = (distance) => [[0, -1], [1, 0], [-1, 0], [0, 1], [0.75, -0.75], [-0.75, -0.75], [0.75, 0.75], [-0.75, 0.75]]
  .map(([across, down]) => ({ across, down, distance }));
const PLACES = [...ring(0), ...ring(16), ...ring(34)];
/** @type {CanvasRenderingContext2D | null} */
let canvas = null;

/** plotly's annotations for `names`: [{x, y, text, radius, first}], on axes that are drawn already. */
export function placed(drawn, names, palette) {
  const { xaxis, yaxis } = drawn;
  const { w: width, h: height } = drawn._size;
  const pixels = FONT_PIXELS * palette.type;
  const measure = ruler(palette.font, pixels);
  const bubbles = names.map((name) => ({ name, x: xaxis.l2p(xaxis.d2l(name.x)), y: yaxis.l2p(yaxis.d2l(name.y)), radius: name.radius }))
    .filter(({ x, y }) => x >= 0 && x <= width && y >= 0 && y <= height);
  const taken = bubbles.map(({ x, y, radius }) => box(x, y, 2 * radius, 2 * radius));
  const annotations = [];
  // Those on the front are what is looked for.
  for (const bubble of [...bubbles].sort((one, other) => Number(other.name.first) - Number(one.name.first))) {
    const { name, x, y, radius } = bubble;
    const length = measure(name.text) + 2;
    const fits = PLACES.map((place) => spot(place, x, y, radius, length, pixels))
      .find((at) => at.left >= 0 && at.right <= width + 8 && at.top >= -2 && at.bottom <= height && !taken.some((other) => overlap(at, other)));
    if (!fits) continue;
    taken.push(fits);
    annotations.push({
      x: xaxis.type === "log" ? Math.log10(name.x) : name.x, y: yaxis.type === "log" ? Math.log10(name.y) : name.y, text: name.text, xanchor: "center", yanchor: "middle",
      font: { size: pixels, color: palette.ink, family: palette.font }, captureevents: false, borderpad: 0, bgcolor: `${palette.surface}e6`,
      showarrow: true, ax: fits.x - x, ay: fits.y - y, arrowhead: 0, arrowwidth: 1, standoff: radius,
      arrowcolor: fits.far ? palette.muted : "rgba(0,0,0,0)",
    });
  }
  return annotations;
}

function spot({ across, down, distance }, x, y, radius, length, pixels) {
  const height = pixels + 4;
  const apart = radius + GAP + distance;
  const center = {
    x: x + across * apart + Math.sign(across) * (length / 2),
    y: y + down * apart + Math.sign(down) * (height / 2) * (Math.abs(across) < 0.1 || Math.abs(down) > 0.1 ? 1 : 0),
  };
  return { ...box(center.x, center.y, length, height), ...center, far: distance > 0 };
}

const box = (x, y, width, height) => ({ left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 });
const overlap = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

/**
 * @param {string} family of the font
 * @param {number} pixels its size
 * @returns {(text: string) => number}
 */
function ruler(family, pixels) {
  canvas ??= document.createElement("canvas").getContext("2d");
  const context = /** @type {CanvasRenderingContext2D} */ (canvas);
  context.font = `${pixels}px ${family}`;
  // Entities are shown as one letter.
  return (text) => context.measureText(text.replace(/&\w+;/g, "w")).width;
}
