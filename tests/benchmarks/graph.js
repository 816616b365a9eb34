// Run by graph.py in its page: it is what `page.evaluate` takes.
async ({ wish, folder }) => {
  const { layout } = await import(`${folder}layout.js`);
  const { Canvas } = await import(`${folder}canvas.js`);
  const assets = { url: async (name) => folder + name, load: async (name) => import(folder + name) };
  const frames = [];
  let last = performance.now(), counting = true;
  const count = (now) => { frames.push(now - last); last = now; if (counting) requestAnimationFrame(count); };
  const during = async (what) => {
    frames.length = 0;
    last = performance.now();
    const began = last;
    const given = await what();
    return { given, ms: performance.now() - began, frames: [...frames].sort((one, other) => one - other) };
  };
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  requestAnimationFrame(count);
  const first = await during(() => layout(assets, wish)); // with the library and the worker
  const again = await during(() => layout(assets, wish));
  const places = again.given;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "wb-graph-canvas");
  svg.style.height = "800px";
  document.getElementById("here").append(svg);
  const canvas = new Canvas(svg);
  const scene = { key: "one", width: places.width, height: places.height, heads: [],
    nodes: wish.nodes.map((node, at) => ({ ...node, x: places.places[at][0], y: places.places[at][1],
      lines: [node.id, "Conv2D", "14x14x32", "12.3 kB"], name: node.id, kind: "", paint: `heat-${at % 5}`, marked: false })),
    edges: wish.edges.map((edge, at) => ({ ...edge, words: "", kind: "", points: places.lines[at] ?? [] })) };
  const drawn = await during(async () => {
    canvas.show(scene, { selected: null, choose() {}, follow: true });
    do await frame(); while (svg.hasAttribute("aria-busy"));
  });
  const move = async (steps) => {
    const at = svg.getBoundingClientRect();
    const send = (type, x, y) => svg.dispatchEvent(new PointerEvent(type,
      { pointerId: 1, button: 0, clientX: at.left + x, clientY: at.top + y, bubbles: true }));
    send("pointerdown", 400, 700);
    for (let step = 1; step <= steps; step++) { send("pointermove", 400 + (step % 40), 700 - 8 * step); await frame(); }
    send("pointerup", 400, 0);
  };
  svg.setPointerCapture = () => {};
  const near = await during(() => move(80));
  canvas.whole();
  await frame();
  const far = await during(() => move(80));
  const colours = await during(async () => {
    canvas.show({ ...scene, nodes: scene.nodes.map((node, at) => ({ ...node, paint: `heat-${(at + 1) % 5}` })) },
      { selected: scene.nodes[250].id, choose() {}, follow: true });
    await frame();
    await frame();
  });
  counting = false;
  return { first, again, drawn, near, far, colours };
}
