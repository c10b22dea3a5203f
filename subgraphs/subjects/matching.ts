/** How well a registered name fits what was asked for, and why. Pure. */
import type { NameParts } from './names.ts';

export interface Candidate {
  readonly subjectId: string;
  /** As registered. */
  readonly name: string;
  readonly parts: Pick<NameParts, 'normalised' | 'key' | 'region' | 'core' | 'form'>;
  readonly isFormer: boolean;
  /** pg_trgm similarity of the cores, 0 to 1. */
  readonly coreSimilarity: number;
}

export interface MatchReason {
  readonly part: 'WHOLE_NAME' | 'CORE_NAME' | 'REGION' | 'LEGAL_FORM' | 'FORMER_NAME';
  readonly similarity: number;
  readonly text: string;
}

export interface Match {
  readonly subjectId: string;
  readonly name: string;
  readonly score: number;
  readonly explanation: readonly MatchReason[];
}

/** Only the whole name scores 1; the same name but for its brackets or the spelling of its form comes next. */
const SAME_KEY = 0.97;
const MOST_SIMILAR = 0.9;
const FORMER = 0.95;
const WEIGHTS = { core: 0.7, region: 0.15, form: 0.15 };

/** The best `first` subjects, each with its best fitting name. */
export function rank(asked: NameParts, candidates: readonly Candidate[], first: number): readonly Match[] {
  const best = new Map<string, Match>();
  for (const candidate of candidates) {
    const match = toMatch(asked, candidate);
    if (match.score > (best.get(match.subjectId)?.score ?? 0)) best.set(match.subjectId, match);
  }
  return [...best.values()]
    .sort((one, other) => other.score - one.score || (one.subjectId < other.subjectId ? -1 : 1))
    .slice(0, first);
}

export function toMatch(
  asked: NameParts,
  { subjectId, name, parts, isFormer, coreSimilarity }: Candidate,
): Match {
  const isSame = parts.normalised === asked.normalised;
  const similarity = {
    core: Math.max(coreSimilarity, containment(asked.core, parts.core)),
    region: sameOrSilent(asked.region, parts.region),
    form: sameOrSilent(asked.form, parts.form),
  };
  const weighted =
    WEIGHTS.core * similarity.core + WEIGHTS.region * similarity.region + WEIGHTS.form * similarity.form;
  const score = isSame ? 1 : parts.key === asked.key ? SAME_KEY : MOST_SIMILAR * weighted;
  const reasons: readonly MatchReason[] = isSame
    ? [{ part: 'WHOLE_NAME', similarity: 1, text: name }]
    : [
        { part: 'CORE_NAME', similarity: similarity.core, text: parts.core },
        { part: 'REGION', similarity: similarity.region, text: parts.region },
        { part: 'LEGAL_FORM', similarity: similarity.form, text: parts.form },
      ];
  const former: readonly MatchReason[] = isFormer ? [{ part: 'FORMER_NAME', similarity: 1, text: name }] : [];
  return {
    subjectId,
    name,
    score: round(isFormer ? score * FORMER : score),
    explanation: [...reasons, ...former]
      .filter((reason) => reason.similarity > 0 && reason.text !== '')
      .map((reason) => ({ ...reason, similarity: round(reason.similarity) })),
  };
}

/** A core that holds the other whole: a short trade name in a longer one. */
function containment(asked: string, registered: string): number {
  if (asked === '' || !registered.includes(asked)) return 0;
  return 0.6 + 0.4 * (asked.length / registered.length);
}

/** What one side leaves out speaks neither for nor against. */
function sameOrSilent(asked: string, registered: string): number {
  if (asked === registered) return 1;
  if (asked === '' || registered === '') return 0.5;
  return asked.startsWith(registered) || registered.startsWith(asked) ? 0.8 : 0;
}

const round = (score: number): number => Math.round(score * 1000) / 1000;
