/** What every part of the privacy bench is asked with and answers. */

export interface PartOptions {
  /** The same seed, the same schedule. */
  readonly seed: string;
  readonly size: 'bench' | 'test';
  readonly print: (line: string) => void;
}

/** Counts and measures by name. */
export type Figures = Readonly<Record<string, number>>;
