/**
 * Adverse records carry their own state: until when they are published, and whether they are under objection. The gateway
 * asks for both wherever a record is asked for, drops what is past its publication before anything else sees it, and marks
 * what is disputed. Departments do the same at the source; this holds for one that forgets, and for what is kept overnight.
 */
import type { FieldNode, GraphQLNamedType, SelectionNode } from 'graphql';
import { isInterfaceType, isObjectType, Kind } from 'graphql';

type Path = readonly (string | number)[];
type Data = Readonly<Record<string, unknown>>;

const RECORD = 'AdverseRecord';
const UNTIL = 'publishedUntil';
const OBJECTION = 'underObjection';

const toField = (name: string): FieldNode => ({ kind: Kind.FIELD, name: { kind: Kind.NAME, value: name } });
const STATE_FIELDS = [toField(UNTIL), toField(OBJECTION)];

/** The fields by which the state of a record of this type is known; none where the type is no adverse record. */
export function stateFieldsOf(type: GraphQLNamedType): readonly FieldNode[] {
  return isRecord(type) ? STATE_FIELDS : [];
}

/** Whether a selection asks for the field under its own name. */
export function isSelected(selections: readonly SelectionNode[], field: FieldNode): boolean {
  return selections.some(
    (selection) =>
      selection.kind === Kind.FIELD && !selection.alias && selection.name.value === field.name.value,
  );
}

function isRecord(type: GraphQLNamedType): boolean {
  return (
    type.name === RECORD ||
    ((isObjectType(type) || isInterfaceType(type)) &&
      type.getInterfaces().some(({ name }) => name === RECORD))
  );
}

/** How to see that an object of this type, as it was fetched, is under objection; null where the type is no adverse record. */
export function disputeOf(type: GraphQLNamedType): ((source: Data) => boolean) | null {
  return isRecord(type) ? (source) => source[OBJECTION] === true : null;
}

/** Whether what a fetch brings can hold adverse records. */
export const holdsRecords = (query: string): boolean => query.includes(UNTIL);

/** Whether an object that was fetched is a record past its publication. `today`: YYYY-MM-DD in China; the last day counts. */
function isExpired(value: unknown, today: string): boolean {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, UNTIL)) return false;
  const until = (value as Data)[UNTIL];
  return typeof until === 'string' && until < today;
}

export interface Published<T> {
  readonly value: T;
  /** Where a path into the fetched value leads now; null when what it leads to was dropped. */
  toPath(path: Path): Path | null;
}

/** The value without the records in it that are past their publication: gone from lists, null where they stood alone. */
export function dropExpired<T>(value: T, today: string): Published<T> {
  const dropped = new Set<string>();
  const kept = drop(value, []) as T;
  return {
    value: kept,
    toPath(path) {
      if (dropped.size === 0) return path;
      const moved: (string | number)[] = [];
      for (const [at, step] of path.entries()) {
        const above = path.slice(0, at);
        if (dropped.has(toKey([...above, step]))) return null;
        const before =
          typeof step === 'number'
            ? Array.from({ length: step }, (_, index) => index).filter((index) =>
                dropped.has(toKey([...above, index])),
              ).length
            : 0;
        moved.push(typeof step === 'number' ? step - before : step);
      }
      return moved;
    },
  };

  function drop(inner: unknown, path: Path): unknown {
    if (typeof inner !== 'object' || inner === null) return inner;
    if (Array.isArray(inner)) {
      const list: readonly unknown[] = inner;
      const isKept = list.map((entry, at) => {
        if (!isExpired(entry, today)) return true;
        dropped.add(toKey([...path, at]));
        return false;
      });
      return list.flatMap((entry, at) => (isKept[at] ? [drop(entry, [...path, at])] : []));
    }
    if (isExpired(inner, today)) {
      dropped.add(toKey(path));
      return null;
    }
    return Object.fromEntries(
      Object.entries(inner).map(([name, entry]) => [name, drop(entry, [...path, name])]),
    );
  }
}

const toKey = (path: Path) => path.map((step) => `${typeof step} ${step}`).join('\0');
