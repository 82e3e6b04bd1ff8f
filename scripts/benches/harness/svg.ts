/** Just enough of SVG: shapes and words, in two sets of colours, without a script. */

export type Shape = string;

const STYLE = `
  .paper { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e }
  .ours { fill: #0969da; stroke: #0969da } .peer { fill: #8c959f; stroke: #8c959f }
  .limit { fill: #bf8700; stroke: #bf8700 } .grid { stroke: #d1d9e0 } .whisker { stroke: #1f2328 }
  .ours-1 { fill: #8250df; stroke: #8250df } .ours-2 { fill: #1a7f37; stroke: #1a7f37 }
  .ours-3 { fill: #bc4c00; stroke: #bc4c00 } .ours-4 { fill: #bf3989; stroke: #bf3989 }
  .ours-5 { fill: #1b7c83; stroke: #1b7c83 }
  text { font: 13px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; stroke: none }
  .title { font-size: 15px; font-weight: 600 } .small { font-size: 12px } .end { text-anchor: end }
  .middle { text-anchor: middle }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 }
    .ours { fill: #4493f8; stroke: #4493f8 } .peer { fill: #656c76; stroke: #656c76 }
    .limit { fill: #d29922; stroke: #d29922 } .grid { stroke: #3d444d } .whisker { stroke: #f0f6fc }
    .ours-1 { fill: #ab7df8; stroke: #ab7df8 } .ours-2 { fill: #3fb950; stroke: #3fb950 }
    .ours-3 { fill: #db6d28; stroke: #db6d28 } .ours-4 { fill: #db61a2; stroke: #db61a2 }
    .ours-5 { fill: #39c5cf; stroke: #39c5cf }
  }
  .line { fill: none; stroke-width: 2 } .dashed { stroke-dasharray: 5 4 } .grid { stroke-width: 1 }
`;

export function drawing(width: number, height: number, title: string, shapes: readonly Shape[]): string {
  const size = `viewBox="0 0 ${place(width)} ${place(height)}" width="${place(width)}" height="${place(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="100%" height="100%" rx="8"/>`,
    ...shapes,
    "</svg>\n",
  ].join("\n");
}

export function words(x: number, y: number, text: string, classes = "ink"): Shape {
  return `<text x="${place(x)}" y="${place(y)}" class="${classes}">${escaped(text)}</text>`;
}

export function box(x: number, y: number, width: number, height: number, classes: string): Shape {
  const size = `width="${place(width)}" height="${place(height)}"`;
  return `<rect x="${place(x)}" y="${place(y)}" ${size} class="${classes}" rx="2"/>`;
}

export function path(points: readonly (readonly [x: number, y: number])[], classes: string): Shape {
  const places = points.map(([x, y]) => `${place(x)},${place(y)}`).join(" ");
  return `<polyline points="${places}" class="line ${classes}"/>`;
}

export function dot(x: number, y: number, classes: string): Shape {
  return `<circle cx="${place(x)}" cy="${place(y)}" r="3.5" class="${classes}"/>`;
}

function place(value: number): string {
  return String(Number(value.toFixed(1)));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
