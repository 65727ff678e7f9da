/**
 * Bars in panels, as SVG. Colours are middling ones, legible on white and on black; where the viewer knows which it has,
 * text follows. No script, no font of its own, nothing is fetched.
 */

export interface Panel {
  readonly title: string;
  /** Which way is better, said in the panel. */
  readonly better: "more" | "less";
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  /** Not negative. Undefined where it was not measured, which the bar says. */
  readonly value: number | undefined;
  /** The value with its unit. */
  readonly text: string;
  readonly ours: boolean;
}

const panelWidth = 420;
const columns = 2;
const gap = 24;
const labelWidth = 128;
const valueWidth = 84;
const barHeight = 16;
const barStep = 22;
const titleHeight = 34;
const headHeight = 52;

const style = `
text { font: 12px system-ui, sans-serif; fill: #7d8590; }
.title { font-weight: 600; font-size: 13px; }
.head { font-weight: 600; font-size: 16px; }
.ours { fill: #2f81f7; }
.peer { fill: #8b949e; }
.axis { stroke: #8b949e; stroke-width: 1; }
@media (prefers-color-scheme: light) { text { fill: #424a53; } }
@media (prefers-color-scheme: dark) { text { fill: #adbac7; } }
`.trim();

export function svgChart(heading: string, subheading: string, panels: readonly Panel[]): string {
  const rows: (readonly Panel[])[] = [];
  for (let at = 0; at < panels.length; at += columns) rows.push(panels.slice(at, at + columns));
  const parts: string[] = [];
  let top = headHeight;
  for (const row of rows) {
    for (const [column, panel] of row.entries()) parts.push(panelSvg(panel, gap + column * (panelWidth + gap), top));
    top += Math.max(...row.map(panelHeight)) + gap;
  }
  const width = gap + columns * (panelWidth + gap);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" role="img">`,
    `<title>${escapeText(heading)}</title>`,
    `<style>${style}</style>`,
    `<text class="head" x="${gap}" y="24">${escapeText(heading)}</text>`,
    `<text x="${gap}" y="42">${escapeText(subheading)}</text>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function panelHeight(panel: Panel): number {
  return titleHeight + panel.bars.length * barStep;
}

function panelSvg(panel: Panel, left: number, top: number): string {
  const longest = Math.max(...panel.bars.map((bar) => bar.value ?? 0));
  const room = panelWidth - labelWidth - valueWidth;
  const start = left + labelWidth;
  const lines = [
    `<text class="title" x="${left}" y="${top + 16}">${escapeText(panel.title)}` +
      `<tspan font-weight="400" dx="6">(${panel.better} is better)</tspan></text>`,
  ];
  for (const [index, bar] of panel.bars.entries()) {
    const y = top + titleHeight + index * barStep - 6;
    const length = bar.value === undefined || longest <= 0 ? 0 : round((Math.max(bar.value, 0) / longest) * room);
    const kind = bar.ours ? "ours" : "peer";
    const text = bar.value === undefined ? "not measured" : bar.text;
    lines.push(
      `<text x="${start - 8}" y="${y + 12}" text-anchor="end">${escapeText(bar.label)}</text>`,
      `<rect class="${kind}" x="${start}" y="${y}" width="${length}" height="${barHeight}" rx="2"/>`,
      `<text x="${round(start + length + 6)}" y="${y + 12}">${escapeText(text)}</text>`,
    );
  }
  const bottom = top + panelHeight(panel) - 8;
  lines.push(`<line class="axis" x1="${start}" y1="${top + titleHeight - 10}" x2="${start}" y2="${bottom}"/>`);
  return lines.join("\n");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
