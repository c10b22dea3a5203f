/** CPU per request as bars: one panel a work, one bar a contestant, ours in colour. */
import { CONTESTANTS } from './contestants.ts';
import { medianOf } from './measure.ts';
import type { Result } from './run.ts';

const WIDTH = 880;
const LEFT = 270;
const RIGHT = 70;
const ROW = 26;
const PANEL_HEAD = 44;
const TOP = 64;
const OURS = '#c8372d';
const OTHERS = '#9aa5b1';
const INK = '#1f2933';

/** SVG of the results of one mode; each panel has a scale of its own, from nought. */
export function toChart(results: readonly Result[], title: string, subtitle: string): string {
  const panels: string[] = [];
  let y = TOP;
  for (const result of results) {
    panels.push(panel(result, y));
    y += PANEL_HEAD + result.measured.length * ROW + 18;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" font-family="system-ui, 'Noto Sans CJK SC', sans-serif" font-size="13" fill="${INK}">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="24" y="30" font-size="18" font-weight="600">${escape(title)}</text>
<text x="24" y="50" fill="#52606d">${escape(subtitle)}</text>
${panels.join('\n')}
</svg>
`;
}

function panel({ work, measured }: Result, y: number): string {
  const values = measured.map((one) => medianOf(one, 'cpuMs'));
  const most = Math.max(...values);
  const bars = measured.map((one, at) => {
    const value = values[at] ?? 0;
    const top = y + PANEL_HEAD + at * ROW;
    const length = Math.max(1, (value / most) * (WIDTH - LEFT - RIGHT));
    const isOurs = one.kind.startsWith('jinxin');
    return [
      `<text x="${LEFT - 10}" y="${top + 15}" text-anchor="end"${isOurs ? ' font-weight="600"' : ''}>${escape(CONTESTANTS[one.kind].title)}</text>`,
      `<rect x="${LEFT}" y="${top + 3}" width="${length.toFixed(1)}" height="${ROW - 9}" rx="2" fill="${isOurs ? OURS : OTHERS}"/>`,
      `<text x="${(LEFT + length + 8).toFixed(1)}" y="${top + 15}">${value.toFixed(2)}</text>`,
    ].join('');
  });
  return `<text x="24" y="${y + 30}" font-weight="600">${escape(work.title)}</text>\n${bars.join('\n')}`;
}

const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
