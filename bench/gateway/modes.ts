/** In which ways the works are asked, and of whom. A contestant stands in a mode only when it has what the mode is about. */
import type { ContestantKind } from './contestants.ts';

export interface Mode {
  readonly name: 'distinct' | 'identical' | 'cached';
  readonly title: string;
  readonly contestants: readonly ContestantKind[];
  /** Every request in flight is the same one. */
  readonly isOneVariant: boolean;
}

export const DISTINCT: Mode = {
  name: 'distinct',
  title: 'requests in flight all different, nothing kept',
  contestants: ['handwritten', 'jinxin', 'jinxinFull', 'hiveRust', 'hive', 'apolloUndici', 'apollo'],
  isOneVariant: false,
};

export const MODES: readonly Mode[] = [
  DISTINCT,
  {
    name: 'identical',
    title: 'requests in flight all the same, with collapsing off and on',
    contestants: ['handwritten', 'jinxin', 'jinxinCollapsing', 'hiveRust', 'hiveRustCollapsing', 'apollo'],
    isOneVariant: true,
  },
  {
    name: 'cached',
    title: 'requests in flight all different, entities kept: in the process, or in Redis only',
    contestants: ['jinxinWarm', 'jinxinRedis', 'handwritten', 'apollo'],
    isOneVariant: false,
  },
];

/** What the targets name, of the first work alone. */
export const QUICK: Mode = {
  ...DISTINCT,
  contestants: ['handwritten', 'jinxin', 'jinxinFull', 'hiveRust', 'apollo'],
};
