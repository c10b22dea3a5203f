/** Figures as a person reads them: a table in the terminal, and RESULTS.md with its chart. */
import Table from 'cli-table3';
import { CONTESTANTS } from './contestants.ts';
import type { GatewayFigures } from './figures.ts';
import { medianOf, ratioOf } from './measure.ts';
import type { Result } from './run.ts';

const HEADINGS = [
  '',
  'CPU ms',
  'Jinxin / it',
  'it / by hand',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'peak MB',
  'calls',
  'representations',
] as const;
/** A contestant that has no such mode. */
const MISSING = '–';

export function toTable(result: Result): string {
  const table = new Table({ head: [...HEADINGS], style: { head: [], border: [], compact: true } });
  for (const row of toRows(result)) table.push([...row]);
  return `\n${titleOf(result)}\n${table.toString()}`;
}

export function toMarkdown(
  results: readonly Result[],
  figures: GatewayFigures,
  machine: readonly string[],
): string {
  const tables = results.map((result) =>
    [
      `## ${titleOf(result)}`,
      '',
      toLine(HEADINGS),
      toLine(HEADINGS.map((_, at) => (at === 0 ? ':--' : '--:'))),
      ...toRows(result).map(toLine),
    ].join('\n'),
  );
  return [
    '# What a request costs',
    '',
    'Written by `npm run bench -- gateway`; [README.md](README.md) says how to read it.',
    '',
    ...machine,
    '',
    '![CPU per request](RESULTS.svg)',
    '',
    tables.join('\n\n'),
    '',
    '## Figures',
    '',
    '```json',
    JSON.stringify(figures, null, 2),
    '```',
    '',
  ].join('\n');
}

const titleOf = ({ work, mode }: Result) => `${work.title}; ${mode.title}`;
const toLine = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** In the order of HEADINGS; our ratio is that of the first Jinxin among them. */
function toRows({ mode, measured }: Result): readonly (readonly string[])[] {
  const ours = measured.find(({ kind }) => kind.startsWith('jinxin'));
  const byHand = measured.find(({ kind }) => kind === 'handwritten');
  return mode.contestants.map((kind) => {
    const { title } = CONTESTANTS[kind];
    const one = measured.find((other) => other.kind === kind);
    if (!one) return [title, ...HEADINGS.slice(1).map(() => MISSING)];
    return [
      title,
      medianOf(one, 'cpuMs').toFixed(2),
      ours && one !== ours ? ratioOf(ours, one).toFixed(3) : '',
      byHand && one !== byHand ? ratioOf(one, byHand).toFixed(2) : '',
      medianOf(one, 'requestsPerSecond').toFixed(0),
      medianOf(one, 'p50').toFixed(1),
      medianOf(one, 'p99').toFixed(1),
      one.peakRssMb.toFixed(0),
      medianOf(one, 'calls').toFixed(2),
      medianOf(one, 'representations').toFixed(1),
    ];
  });
}
