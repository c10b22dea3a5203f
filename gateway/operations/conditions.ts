/**
 * The variables of `@skip` and `@include` are known before an operation is planned: it is planned for their values, without
 * the directives. The planner puts the condition of a field on what the field requires, but not on the requirement, and then
 * what stands beside it is not fetched either (tests/federation/cases/conditions.yaml).
 */
import type { FragmentDefinitionNode, OperationDefinitionNode } from 'graphql';
import { Kind } from 'graphql';
import { conditionVariables } from '../execution/shape/collect-fields.ts';

export interface ConditionVariable {
  readonly name: string;
  /** Where the client sends none. */
  readonly fallback: boolean;
}

export type Conditions = Readonly<Record<string, boolean>>;

export function findConditions(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly ConditionVariable[] {
  return conditionVariables([operation.selectionSet], fragments).map((name) => {
    const definition = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name);
    const value = definition?.defaultValue;
    return { name, fallback: value?.kind === Kind.BOOLEAN && value.value };
  });
}

/** Their values. One that is no boolean is refused when the variables are coerced, whatever it is taken for here. */
export function valuesOf(
  conditions: readonly ConditionVariable[],
  variables: Readonly<Record<string, unknown>>,
): Conditions {
  return Object.fromEntries(
    conditions.map(({ name, fallback }) => {
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      return [name, value === undefined ? fallback : value === true];
    }),
  );
}
