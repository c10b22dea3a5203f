/** A deferred answer as the payloads that are sent of it, in either format. */
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { PartsFormat } from './delivery.ts';
import type { DeferredAnswer, DeferredPart, PendingFragment } from './graphql-over-http.ts';

export type Payload = Readonly<Record<string, unknown>>;

export interface Incremental {
  /** True while fragments are to come. */
  hasNext(): boolean;
  first(): Payload;
  /** Throws when the part is of no fragment that is to come. */
  next(part: DeferredPart): Payload;
  /** Fails all that is to come. */
  fail(error: GraphQLError): Payload;
}

export function createIncremental({ first, pending }: DeferredAnswer, format: PartsFormat): Incremental {
  const open = new Map<string, PendingFragment>();
  const announce = (fragments: readonly PendingFragment[]) => {
    for (const fragment of fragments) open.set(fragment.id, fragment);
    return format === 'incrementalSpec=v0.2' && fragments.length > 0 ? { pending: fragments } : {};
  };
  const toPayload = format === 'incrementalSpec=v0.2' ? toNewer : toOlder;
  const come = (ended: readonly Ended[], announced: Payload = {}): Payload => ({
    ...announced,
    ...toPayload(ended),
    hasNext: open.size > 0,
  });

  return {
    hasNext: () => open.size > 0,
    first() {
      const { leaveBy: _, ...answer } = first;
      return { ...answer, ...announce(pending), hasNext: true };
    },
    next({ id, leaveBy: _, pending: inside = [], ...answer }) {
      const fragment = open.get(id);
      if (!fragment) throw new Error(`no fragment ${id} is to come`);
      open.delete(id);
      return come([{ fragment, answer }], announce(inside));
    },
    fail(error) {
      const errors = [error.toJSON()];
      const ended = [...open.values()].map((fragment) => ({ fragment, answer: { data: null, errors } }));
      open.clear();
      return come(ended);
    },
  };
}

interface Ended {
  readonly fragment: PendingFragment;
  readonly answer: {
    readonly data: Readonly<Record<string, unknown>> | null;
    readonly errors?: readonly GraphQLFormattedError[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  };
}

function toOlder(ended: readonly Ended[]): Payload {
  const incremental = ended.map(({ fragment: { path, label }, answer }) => ({
    ...answer,
    path,
    ...(label === undefined ? {} : { label }),
  }));
  return { incremental };
}

/** What failed has no data there; its errors stand where it is said to be over. */
function toNewer(ended: readonly Ended[]): Payload {
  const incremental = ended.flatMap(({ fragment: { id }, answer }) =>
    answer.data === null ? [] : [{ id, ...answer }],
  );
  const completed = ended.map(({ fragment: { id }, answer: { data, errors = [] } }) =>
    data === null ? { id, errors } : { id },
  );
  // Of a failed fragment, what was to stand beside its data.
  const extensions = Object.assign(
    {},
    ...ended.map(({ answer }) => (answer.data === null ? (answer.extensions ?? {}) : {})),
  ) as Payload;
  return {
    ...(incremental.length > 0 ? { incremental } : {}),
    completed,
    ...(Object.keys(extensions).length > 0 ? { extensions } : {}),
  };
}
