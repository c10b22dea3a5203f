/** Which variables a part of a document uses: a subgraph takes no variable that nothing uses. */
import type { ASTNode, OperationDefinitionNode, VariableDefinitionNode } from 'graphql';
import { visit } from 'graphql';

export function usedVariables(node: ASTNode): ReadonlySet<string> {
  const used = new Set<string>();
  visit(node, {
    Variable({ name }) {
      used.add(name.value);
    },
  });
  return used;
}

/** Those of an operation's definitions that a part of it uses. */
export function usedDefinitions(
  { variableDefinitions = [] }: OperationDefinitionNode,
  node: ASTNode,
): readonly VariableDefinitionNode[] {
  const used = usedVariables(node);
  return variableDefinitions.filter(({ variable }) => used.has(variable.name.value));
}
