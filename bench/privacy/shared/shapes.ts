/** The shapes in which a client can ask for a field. Each takes the protected fields of one type by one way to them. */
import type { InputValueDefinitionNode, TypeNode } from 'graphql';
import { Kind, print } from 'graphql';
import type { Access, Coordinate, Graph, Step } from './graph.ts';
import { isLeaf, namedTypeOf } from './graph.ts';

export interface ShapedQuery {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | null;
  /** Where in the answer each asked field stands: response keys from `data` on, lists left out. */
  readonly places: readonly { readonly coordinate: Coordinate; readonly keys: readonly string[] }[];
}

/** Values of arguments by the named type of their scalar. */
export type ArgumentValues = Readonly<Record<string, unknown>>;

interface Leaf {
  readonly coordinate: Coordinate;
  readonly alias?: string;
  readonly directives?: string;
}
interface Rendering {
  /** Prefix of every variable's name. */
  readonly variable?: string;
  readonly literals?: boolean;
  readonly aliasOf?: (step: number, field: string) => string | null;
  readonly besides?: string;
  readonly wrap?: (leaves: string, type: string) => string;
  readonly leaves?: readonly Leaf[];
  readonly declare?: string;
  readonly name?: string;
  /** What stands before the way, and after the operation. */
  readonly front?: string;
  readonly more?: (leaves: string) => string;
  readonly twice?: boolean;
}

export interface ShapeContext {
  readonly graph: Graph;
  readonly values: ArgumentValues;
}

type Shape = (context: ShapeContext, access: Access) => ShapedQuery;

const plainLeaves = ({ coordinates }: Access): readonly Leaf[] =>
  coordinates.map((coordinate) => ({ coordinate }));
const SWITCHES = '$yes: Boolean! = true, $no: Boolean! = false';

export const SHAPES: Readonly<Record<string, Shape>> = {
  plain: (context, access) => render(context, access, {}),
  'alias on the field': (context, access) =>
    render(context, access, {
      leaves: access.coordinates.map((coordinate, at) => ({ coordinate, alias: `a${at}` })),
    }),
  'alias on every level': (context, access) =>
    render(context, access, {
      aliasOf: (step) => `p${step}`,
      leaves: access.coordinates.map((coordinate, at) => ({ coordinate, alias: `_${at}` })),
    }),
  'alias that is another field’s name': (context, access) => {
    const names = access.coordinates.map(({ field }) => field.name);
    const others = names.length > 1 ? [...names.slice(1), names[0] as string] : ['id'];
    return render(context, access, {
      leaves: access.coordinates.map((coordinate, at) => ({ coordinate, alias: others[at] ?? 'id' })),
    });
  },
  'alias that is an internal name': (context, access) =>
    render(context, access, {
      leaves: access.coordinates.map((coordinate, at) => ({
        coordinate,
        alias: ['__proto__', 'constructor', '_entities', 'jx__status', 'toString'][at] ?? `jx__${at}`,
      })),
    }),
  'named fragment': (context, access) =>
    render(context, access, {
      wrap: () => '...F',
      more: (leaves) => `fragment F on ${access.type} { ${leaves} }`,
    }),
  'fragments within fragments': (context, access) =>
    render(context, access, {
      declare: SWITCHES,
      wrap: () => '...F @include(if: $yes)',
      more: (leaves) =>
        `fragment F on ${access.type} { ... @skip(if: $no) { ...G } } fragment G on ${access.type} { ${leaves} }`,
    }),
  'inline fragment on the type': (context, access) =>
    render(context, access, { wrap: (leaves, type) => `... on ${type} { ${leaves} }` }),
  'type within its interface': (context, access) =>
    render(context, access, {
      wrap: (leaves, type) => {
        const [first] = context.graph.get(type)?.interfaces ?? [];
        return `... ${first === undefined ? '' : `on ${first} `}{ ... on ${type} { ${leaves} } }`;
      },
    }),
  'field of the interface': (context, access) => {
    const interfaces = context.graph.get(access.type)?.interfaces ?? [];
    const of = interfaces.find((name) =>
      access.coordinates.some(({ field }) => context.graph.get(name)?.fields.has(field.name)),
    );
    const leaves = plainLeaves(access).filter(
      ({ coordinate }) => of === undefined || context.graph.get(of)?.fields.has(coordinate.field.name),
    );
    return render(context, access, {
      leaves,
      wrap: (inner) => (of === undefined ? `... { ... { ${inner} } }` : `... on ${of} { ${inner} }`),
    });
  },
  'included by a variable': (context, access) =>
    render(context, access, {
      declare: SWITCHES,
      leaves: access.coordinates.map((coordinate) => ({
        coordinate,
        directives: '@include(if: $yes) @skip(if: $no)',
      })),
    }),
  'left out by a variable': (context, access) => ({
    ...render(context, access, {
      declare: SWITCHES,
      besides: '__typename',
      leaves: access.coordinates.map((coordinate, at) => ({
        coordinate,
        directives: at % 2 ? '@skip(if: $yes)' : '@include(if: $no)',
      })),
    }),
    places: [],
  }),
  'merged from two places': (context, access) => render(context, access, { twice: true }),
  '__typename beside it': (context, access) =>
    render(context, access, { besides: '__typename t: __typename' }),
  'arguments as literals': (context, access) => render(context, access, { literals: true }),
  'variables with internal names': (context, access) =>
    render(context, access, {
      variable: 'representations',
      declare: '$jx__yes: Boolean! = true, $__proto__: Boolean = true',
      leaves: access.coordinates.map((coordinate) => ({
        coordinate,
        directives: '@include(if: $jx__yes) @include(if: $__proto__)',
      })),
    }),
  'named like a question of the library': (context, access) => {
    const shaped = render(context, access, {
      name: '__ApolloGetServiceDefinition__',
      more: () => 'query IntrospectionQuery { __typename }',
    });
    return { ...shaped, operationName: '__ApolloGetServiceDefinition__' };
  },
  'beside introspection': (context, access) =>
    render(context, access, {
      front:
        access.operation === 'query'
          ? `__type(name: "${access.type}") { fields { name description } } __schema { types { name } }`
          : '__typename',
    }),
  '_entities and _service': (context, access) => ({
    query: `query ($r: [_Any!]!) { _service { sdl } _entities(representations: $r) { ... on ${access.type} { ${leavesOf(context, plainLeaves(access))} } } }`,
    variables: { r: [{ __typename: access.type, id: context.values['SubjectId'] }] },
    operationName: null,
    places: access.coordinates.map((coordinate) => ({
      coordinate,
      keys: ['_entities', coordinate.field.name],
    })),
  }),
};

function render(context: ShapeContext, access: Access, rendering: Rendering): ShapedQuery {
  const leaves = rendering.leaves ?? plainLeaves(access);
  const variables: Record<string, unknown> = {};
  const declared: string[] = rendering.declare === undefined ? [] : [rendering.declare];
  const argumentsOf = (field: Step['field']) =>
    renderArguments(context, field, rendering, variables, declared);
  const text = leavesOf(context, leaves, argumentsOf);
  const wrapped =
    (rendering.wrap?.(text, access.type) ?? text) + (rendering.besides ? ` ${rendering.besides}` : '');
  let inner = wrapped;
  const keys: string[] = [];
  [...access.steps].reverse().forEach((step, back) => {
    const at = access.steps.length - 1 - back;
    const next = access.steps[at + 1]?.on ?? access.type;
    const alias = rendering.aliasOf?.(at, step.field.name) ?? null;
    const set = next === step.field.of ? inner : `... on ${next} { ${inner} }`;
    const beside = rendering.besides && at > 0 ? ` ${rendering.besides}` : '';
    keys.unshift(alias ?? step.field.name);
    inner = `${alias === null ? '' : `${alias}: `}${step.field.name}${argumentsOf(step.field)} { ${set} }${beside}`;
  });
  const body = `${rendering.front ?? ''} ${rendering.twice ? `${inner} ${inner}` : inner}`;
  const declaration = declared.length > 0 ? `(${declared.join(', ')})` : '';
  return {
    query:
      `${access.operation} ${rendering.name ?? ''}${declaration} { ${body} } ${rendering.more?.(text) ?? ''}`.trim(),
    variables,
    operationName: null,
    places: leaves.map(({ coordinate, alias }) => ({
      coordinate,
      keys: [...keys, alias ?? coordinate.field.name],
    })),
  };
}

function leavesOf(
  { graph }: ShapeContext,
  leaves: readonly Leaf[],
  argumentsOf: (field: Step['field']) => string = () => '',
): string {
  return leaves
    .map(({ coordinate: { field }, alias, directives }) => {
      const below = isLeaf(graph, field.of) ? '' : ' { __typename }';
      return `${alias === undefined ? '' : `${alias}: `}${field.name}${argumentsOf(field)} ${directives ?? ''}${below}`;
    })
    .join(' ');
}

/** Only what a field cannot do without; the same field gets the same arguments, so that its selections merge. */
function renderArguments(
  context: ShapeContext,
  field: Step['field'],
  { literals, variable }: Rendering,
  variables: Record<string, unknown>,
  declared: string[],
): string {
  const needed = field.arguments.filter(isNeeded);
  if (needed.length === 0) return '';
  const rendered = needed.map(({ name, type }) => {
    const value = valueOf(context, type);
    if (literals) return `${name.value}: ${toLiteral(context, type, value)}`;
    const usual = `${field.name}_${name.value}`;
    const variableName = variable !== undefined && !Object.hasOwn(variables, variable) ? variable : usual;
    declared.push(`$${variableName}: ${print(type)}`);
    variables[variableName] = value;
    return `${name.value}: $${variableName}`;
  });
  return `(${rendered.join(', ')})`;
}

function isNeeded({ type, defaultValue }: InputValueDefinitionNode): boolean {
  return type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined;
}

export function valueOf(context: ShapeContext, type: TypeNode): unknown {
  if (type.kind === Kind.NON_NULL_TYPE) return valueOf(context, type.type);
  if (type.kind === Kind.LIST_TYPE) {
    const many = context.values[`[${namedTypeOf(type)}]`];
    return many ?? [valueOf(context, type.type)];
  }
  const name = type.name.value;
  const known = context.values[name];
  if (known !== undefined) return known;
  const named = context.graph.get(name);
  if (named?.kind === 'enum') return named.values[0];
  if (named?.kind === 'input')
    return Object.fromEntries(
      named.inputs.filter(isNeeded).map((input) => [input.name.value, valueOf(context, input.type)]),
    );
  return { String: 'x', ID: '1', Int: 1, Float: 1, Boolean: true }[name] ?? 'x';
}

/** Enum values stand bare in a literal, strings in quotes. */
function toLiteral(context: ShapeContext, type: TypeNode, value: unknown): string {
  if (type.kind === Kind.NON_NULL_TYPE) return toLiteral(context, type.type, value);
  if (type.kind === Kind.LIST_TYPE)
    return `[${(value as readonly unknown[]).map((one) => toLiteral(context, type.type, one)).join(', ')}]`;
  const named = context.graph.get(type.name.value);
  if (named?.kind === 'enum') return String(value);
  if (named?.kind !== 'input') return JSON.stringify(value);
  const fields = Object.entries(value as Readonly<Record<string, unknown>>).map(([name, inner]) => {
    const input = named.inputs.find((one) => one.name.value === name);
    return `${name}: ${input ? toLiteral(context, input.type, inner) : JSON.stringify(inner)}`;
  });
  return `{ ${fields.join(', ')} }`;
}
