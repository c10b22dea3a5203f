import type { FieldDefinitionNode } from 'graphql';
import { Kind } from 'graphql';

/**
 * The catalogue items that a field needs, all of them. `@policy(policies: [["a", "b"], ["c"]])` reads "a and b, or c" in
 * federation; ours never use OR (composition multiplies it over implementations), so several lists are refused here.
 */
export function policiesOf(field: FieldDefinitionNode | null | undefined): readonly string[] {
  const items = new Set<string>();
  for (const directive of field?.directives ?? []) {
    if (directive.name.value !== 'policy') continue;
    const lists = directive.arguments?.find(({ name }) => name.value === 'policies')?.value;
    if (lists?.kind !== Kind.LIST || lists.values.length !== 1)
      throw new Error(`@policy on ${field?.name.value ?? '?'} must hold exactly one list of items`);
    const [all] = lists.values;
    if (all?.kind !== Kind.LIST)
      throw new Error(`@policy on ${field?.name.value ?? '?'} must hold a list of lists`);
    for (const value of all.values) if (value.kind === Kind.STRING) items.add(value.value);
  }
  return [...items];
}
