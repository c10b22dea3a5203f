/** @cost and @listSize of a supergraph, under whatever name its @link imports them. */
import type {
  ConstDirectiveNode,
  ConstValueNode,
  DocumentNode,
  FieldDefinitionNode,
  GraphQLArgument,
} from 'graphql';
import { Kind, valueFromASTUntyped } from 'graphql';
import { z } from 'zod';

export interface ListRule {
  readonly assumedSize: number | undefined;
  readonly slicingArguments: readonly string[];
  readonly sizedFields: readonly string[];
}

export interface CostRules {
  /** "Type" or "Type.field" → weight. */
  readonly weights: ReadonlyMap<string, number>;
  readonly lists: ReadonlyMap<string, ListRule>;
  weightOfArgument(argument: GraphQLArgument): number;
}

const COST_SPEC = /^https:\/\/specs\.apollo\.dev\/cost\/v0\.\d+$/;

const linkSchema = z.object({
  url: z.string(),
  as: z.string().optional(),
  import: z
    .array(z.union([z.string(), z.object({ name: z.string(), as: z.string().optional() })]))
    .default([]),
});
const costSchema = z.object({ weight: z.coerce.number().int() });
const listSchema = z.object({
  assumedSize: z.coerce.number().int().nonnegative().nullish(),
  slicingArguments: z.array(z.string()).nullish(),
  sizedFields: z.array(z.string()).nullish(),
});

/** `document` is the whole supergraph's SDL. Throws when a directive of the cost specification cannot be read. */
export function readCostRules(document: DocumentNode): CostRules {
  const names = readNames(document);
  const weights = new Map<string, number>();
  const lists = new Map<string, ListRule>();

  function readWeight(coordinate: string, directives: readonly ConstDirectiveNode[] = []): void {
    const cost = directives.find(({ name }) => name.value === names.cost);
    if (cost) weights.set(coordinate, costSchema.parse(argumentsOf(cost)).weight);
  }

  function readField(type: string, field: FieldDefinitionNode): void {
    const coordinate = `${type}.${field.name.value}`;
    readWeight(coordinate, field.directives);
    const list = field.directives?.find(({ name }) => name.value === names.listSize);
    if (!list) return;
    const { assumedSize, slicingArguments, sizedFields } = listSchema.parse(argumentsOf(list));
    lists.set(coordinate, {
      assumedSize: assumedSize ?? undefined,
      slicingArguments: slicingArguments ?? [],
      sizedFields: sizedFields ?? [],
    });
  }

  for (const definition of document.definitions) {
    if (definition.kind === Kind.ENUM_TYPE_DEFINITION || definition.kind === Kind.SCALAR_TYPE_DEFINITION)
      readWeight(definition.name.value, definition.directives);
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    readWeight(definition.name.value, definition.directives);
    for (const field of definition.fields ?? []) readField(definition.name.value, field);
  }
  return {
    weights,
    lists,
    weightOfArgument({ astNode }) {
      const cost = astNode?.directives?.find(({ name }) => name.value === names.cost);
      return cost ? costSchema.parse(argumentsOf(cost)).weight : 0;
    },
  };
}

function readNames(document: DocumentNode): { cost: string; listSize: string } {
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.SCHEMA_EXTENSION) continue;
    for (const directive of definition.directives ?? []) {
      const link = directive.name.value === 'link' ? linkSchema.safeParse(argumentsOf(directive)).data : null;
      if (!link || !COST_SPEC.test(link.url)) continue;
      const nameOf = (name: string) => {
        const imported = link.import
          .map((one) =>
            typeof one === 'string' ? { name: one, as: one } : { name: one.name, as: one.as ?? one.name },
          )
          .find((one) => one.name === `@${name}`);
        if (imported) return imported.as.slice(1);
        // The directive that bears the name of the specification needs no import.
        const prefix = link.as ?? 'cost';
        return name === 'cost' ? prefix : `${prefix}__${name}`;
      };
      return { cost: nameOf('cost'), listSize: nameOf('listSize') };
    }
  }
  // Not linked: no directive of any name is the specification's.
  return { cost: '', listSize: '' };
}

function argumentsOf({ arguments: given = [] }: ConstDirectiveNode): Record<string, unknown> {
  return Object.fromEntries(
    given.map(({ name, value }: { name: { value: string }; value: ConstValueNode }) => [
      name.value,
      valueFromASTUntyped(value),
    ]),
  );
}
