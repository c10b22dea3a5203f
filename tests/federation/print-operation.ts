/** A random operation as a document that is valid: where two fields would have one response name, the later one gets another. */
import type { Condition, RandomField, RandomFragment, RandomSelection } from './random-operation.ts';

export interface PrintedOperation {
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Response name → what stands there, and what stands below it. */
type Scope = Map<string, { readonly signature: string; readonly below: Scope }>;

export function printOperation(selections: readonly RandomSelection[]): PrintedOperation {
  const definitions: string[] = [];
  const variables: Record<string, unknown> = {};
  const fragments: string[] = [];
  const body = printSelections(selections, new Map());
  const head = definitions.length > 0 ? `(${definitions.join(', ')})` : '';
  return { operation: `query${head} ${body} ${fragments.join(' ')}`.trim(), variables };

  function printSelections(all: readonly RandomSelection[], scope: Scope): string {
    return `{ ${all.map((one) => (one.kind === 'field' ? printField(one, scope) : printFragment(one, scope))).join(' ')} }`;
  }

  function printField(field: RandomField, scope: Scope): string {
    const args = field.args.map(({ name, value }) => `${name}: ${printValue(value)}`);
    const text = args.length > 0 ? `(${args.join(', ')})` : '';
    const { name, below } = place(field, text, scope);
    const alias = name === field.name ? '' : `${name}: `;
    const inner = field.selections.length > 0 ? ` ${printSelections(field.selections, below)}` : '';
    return `${alias}${field.name}${text}${printConditions(field.conditions)}${inner}`;
  }

  function printFragment(fragment: RandomFragment, scope: Scope): string {
    const inner = printSelections(fragment.selections, scope);
    const conditions = printConditions(fragment.conditions);
    if (!fragment.isNamed) return `... on ${fragment.on}${conditions} ${inner}`;
    const name = `F${fragments.length}`;
    fragments.push(`fragment ${name} on ${fragment.on} ${inner}`);
    return fragment.isTwice ? `...${name}${conditions} ...${name}` : `...${name}${conditions}`;
  }

  function printConditions(conditions: readonly Condition[]): string {
    return conditions.map(({ directive, value }) => ` @${directive}(if: ${printValue(value)})`).join('');
  }

  function printValue({ literal, variable }: Condition['value']): string {
    if (!variable) return literal;
    const name = `v${definitions.length}`;
    definitions.push(`$${name}: ${variable.type}`);
    if (variable.value !== undefined) variables[name] = variable.value;
    return `$${name}`;
  }
}

function place(
  field: RandomField,
  args: string,
  scope: Scope,
): { readonly name: string; readonly below: Scope } {
  const signature = `${field.name}${args}: ${field.type}`;
  const wanted = field.alias ?? field.name;
  for (let at = 0; ; at++) {
    const name = at === 0 ? wanted : `${wanted}_${at}`;
    const there = scope.get(name);
    if (there && there.signature !== signature) continue;
    const below = there?.below ?? (new Map() as Scope);
    scope.set(name, { signature, below });
    return { name, below };
  }
}
