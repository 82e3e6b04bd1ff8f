import { html, type Html } from "./html.ts";
import { STAGES, type Lineage, type Stage, type Step } from "./lineage.ts";

const BOX = { width: 176, height: 56, gapX: 44, gapY: 16, top: 28 } as const;
const NAMES: Readonly<Record<Stage, string>> = {
  commit: "commit",
  build: "build",
  digest: "digest",
  pin: "pinned as",
  host: "hosts",
};

type Placed = { readonly step: Step; readonly x: number; readonly y: number };

/** The lineage as a picture of columns, left to right. Who cannot see it has the same steps as a list below it. */
export function lineagePicture({ steps, edges }: Lineage): Html {
  const columns = STAGES.map((stage) => ({
    stage,
    steps: steps.filter((step) => step.stage === stage),
  })).filter((column) => column.steps.length > 0);
  const tallest = Math.max(...columns.map((column) => column.steps.length));
  const height = BOX.top + tallest * (BOX.height + BOX.gapY);
  const width = columns.length * (BOX.width + BOX.gapX) - BOX.gapX;
  const placed = new Map<string, Placed>();
  for (const [index, column] of columns.entries()) {
    // Each column is centred, so that the one digest stands between its many builds and pins.
    const free = (tallest - column.steps.length) * (BOX.height + BOX.gapY);
    for (const [row, step] of column.steps.entries()) {
      const y = BOX.top + free / 2 + row * (BOX.height + BOX.gapY);
      placed.set(step.key, { step, x: index * (BOX.width + BOX.gapX), y });
    }
  }
  const lines = edges.flatMap(({ from, to }) => {
    const [a, b] = [placed.get(from), placed.get(to)];
    return a === undefined || b === undefined ? [] : [line(a, b)];
  });
  return html`<svg
    class="lineage"
    viewBox="0 0 ${width} ${height}"
    width="${width}"
    height="${height}"
    role="img"
    aria-labelledby="lineage-title"
  >
    <title id="lineage-title">
      The way of these bytes, from the commit on the left to where they run on the right. The list below says
      the same.
    </title>
    ${columns.map(
      (column, index) =>
        html`<text class="stage" x="${index * (BOX.width + BOX.gapX)}" y="16">${NAMES[column.stage]}</text>`,
    )}${lines}${[...placed.values()].map(box)}
  </svg>`;
}

function line(from: Placed, to: Placed): Html {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const bend = (x2 - x1) / 2;
  return html`<path class="edge" d="M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" />`;
}

function box({ step, x, y }: Placed): Html {
  const inside = html`<rect
      class="${step.doubt === null ? "box" : "box doubt"}"
      x="${x}"
      y="${y}"
      width="${BOX.width}"
      height="${BOX.height}"
      rx="6"
    /><text class="title" x="${x + 10}" y="${y + 23}">${cut(step.title, 22)}</text
    ><text class="detail" x="${x + 10}" y="${y + 42}">${cut(step.detail, 27)}</text>`;
  return step.href === null ? html`<g>${inside}</g>` : html`<a href="${step.href}">${inside}</a>`;
}

function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}

/** The same steps in words, in their order: for a screen reader, a narrow window and a text browser. */
export function lineageList({ steps, missing }: Lineage): Html {
  const items = STAGES.flatMap((stage) => steps.filter((step) => step.stage === stage)).map(
    (step) =>
      html`<li>
        <span class="kind">${NAMES[step.stage]}</span> ${
          step.href === null ? html`<b>${step.title}</b>` : html`<a href="${step.href}">${step.title}</a>`
        }
        <span class="quiet">${step.detail}</span
        >${step.doubt === null ? null : html` <span class="mark warn">${step.doubt}</span>`}
      </li>`,
  );
  return html`<ol class="steps">
      ${items}
    </ol>
    ${missing.map((text) => html`<p class="mark bad">${text}</p>`)}`;
}
