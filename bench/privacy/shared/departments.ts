/**
 * Departments that do as they are told: made from the real departments' SDLs, they verify no signature, refuse nobody and
 * answer every field with its canary. Only the gateway stands between them and whoever asks.
 */
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import type { DocumentNode, GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import {
  execute,
  getNamedType,
  GraphQLError,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { toSubgraphSdl } from '../../../schema/compose.ts';
import { PRINCIPAL_HEADER } from '../../../schema/principal.ts';
import type { Asker } from './oracle.ts';
import type { Canaries } from './canaries.ts';
import { answerRegister, isRegisterField } from './registers.ts';

export interface HarnessSubject {
  readonly id: string;
  readonly code: string;
}

/** What reached a department: on whose behalf, which protected coordinates, of which subjects. */
export interface DepartmentCall {
  readonly subgraph: string;
  readonly principal: string;
  readonly coordinates: readonly string[];
  readonly subjects: readonly string[];
}

export interface CanaryDepartments {
  /** Answers one request; `principal` is the id in the signed header, unverified; `salt` makes all values others. */
  answer(subgraph: string, body: AskedBody, principal: string, salt?: string): Promise<DepartmentAnswer>;
  readonly names: readonly string[];
}

export interface AskedBody {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}
export interface DepartmentAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly unknown[];
  readonly extensions?: { readonly jinxin: { readonly maxAge: readonly number[] } };
}

export interface DepartmentRules {
  readonly canaries: Canaries;
  readonly subjects: readonly HarnessSubject[];
  askerOf(id: string): Asker | undefined;
  /** SubjectId of the person with an ID number that an argument holds; its values are those of the first subject. */
  readonly personOf?: (citizenId: string) => string;
  readonly onCall: (call: DepartmentCall) => void;
  /** Askers whose departments fail: every protected leaf is an error that tells its canary. */
  readonly fails: (principal: string) => boolean;
  /** Salt of a value, where it is not only its coordinate's and subject's (see cache-leaks). */
  readonly saltOf?: (
    coordinate: string,
    principal: string,
    args: Readonly<Record<string, unknown>>,
  ) => string;
  /** Seconds for which an answer may be kept; 0 is not at all. */
  readonly maxAge: (coordinates: readonly string[]) => number;
}

interface Node extends Readonly<Record<string, unknown>> {
  readonly [SUBJECT]?: number;
  readonly [PERSON]?: string;
}
const SUBJECT = Symbol('number of the subject');
const PERSON = Symbol('id of a person that was looked up');
const NUMBER = /\b\d{17}[\dX]\b/;

export function createCanaryDepartments(
  sdls: readonly { readonly name: string; readonly sdl: string }[],
  rules: DepartmentRules,
): CanaryDepartments {
  const schemas = new Map(
    sdls.map(({ name, sdl }) => [name, buildSubgraphSchema([{ typeDefs: parse(toSubgraphSdl(sdl)) }])]),
  );
  const documents = new Map<string, { document: DocumentNode; coordinates: readonly string[] }>();

  return {
    names: [...schemas.keys()],
    async answer(subgraph, { query, variables = {} }, principal, salt = '') {
      const schema = schemas.get(subgraph);
      if (!schema) throw new Error(`no department ${subgraph}`);
      const key = `${subgraph} ${query}`;
      const known = documents.get(key) ?? read(schema, query);
      documents.set(key, known);
      const asked = Object.values(variables)
        .flatMap((value) => (isRepresentations(value) ? value : []))
        .map((one) => rules.subjects[subjectOf(one, one)]?.id ?? '');
      rules.onCall({ subgraph, principal, coordinates: known.coordinates, subjects: [...new Set(asked)] });
      const result = await execute({
        schema,
        document: known.document,
        variableValues: variables,
        contextValue: { principal, salt },
        fieldResolver: resolve,
        typeResolver: (value: unknown) => (value as { __typename?: string }).__typename,
      });
      const maxAge = rules.maxAge(known.coordinates);
      return {
        ...(result as DepartmentAnswer),
        ...(asked.length > 0 && maxAge > 0
          ? { extensions: { jinxin: { maxAge: asked.map(() => maxAge) } } }
          : {}),
      };
    },
  };

  /** Which subject a representation, or the arguments of a root field, speak of; the first one when they do not say. */
  function subjectOf(value: unknown, parent: unknown): number {
    const own = (parent as Node | undefined)?.[SUBJECT];
    if (own !== undefined) return own;
    const text = JSON.stringify(value ?? {});
    const found = rules.subjects.findIndex(({ id, code }) => text.includes(id) || text.includes(code));
    return found < 0 ? 0 : found;
  }

  function resolve(
    ...[source, args, context, info]: Parameters<GraphQLFieldResolver<unknown, unknown>>
  ): unknown {
    const { fieldName, parentType, returnType } = info;
    const node = source as Node | undefined;
    const { principal, salt } = context as { principal: string; salt: string };
    if (node && Object.hasOwn(node, fieldName)) return node[fieldName];
    if (node === undefined && isRegisterField(fieldName))
      return answerRegister(fieldName, args, rules.askerOf);
    const coordinate = `${parentType.name}.${fieldName}`;
    const type = getNamedType(returnType);
    const isList = isListType(isNonNullType(returnType) ? returnType.ofType : returnType);
    const codes = (args as Record<string, unknown>)['codes'];
    const subjects =
      isList && Array.isArray(codes)
        ? codes.map((code) => subjectOf(code, undefined))
        : [subjectOf(node ?? args, node)];
    const values = subjects.map((subject) => {
      if (isEnumType(type)) return type.getValues()[0]?.name;
      if (!isLeafType(type)) {
        const concrete = isAbstractType(type) ? info.schema.getPossibleTypes(type)[0]?.name : type.name;
        const [number] = NUMBER.exec(JSON.stringify(args)) ?? [];
        const person = node?.[PERSON] ?? (number === undefined ? undefined : rules.personOf?.(number));
        return {
          __typename: concrete,
          [SUBJECT]: subject,
          ...(person === undefined ? {} : { [PERSON]: person }),
        };
      }
      if (type.name === 'SubjectId') return node?.[PERSON] ?? rules.subjects[subject]?.id;
      if (type.name === 'CreditCode') return rules.subjects[subject]?.code;
      const own = rules.saltOf?.(coordinate, principal, args as Readonly<Record<string, unknown>>) ?? '';
      const value = rules.canaries.valueOf(coordinate + own + salt, type.name, subject);
      if (rules.fails(principal))
        throw new GraphQLError(`no ${fieldName}: ${String(value)}`, { extensions: { code: 'ODD', value } });
      return value;
    });
    return isList ? values : values[0];
  }
}

/** The coordinates that a document selects, those of every implementation for a field of an interface. */
function read(schema: GraphQLSchema, query: string) {
  const document = parse(query);
  const types = new TypeInfo(schema);
  const coordinates = new Set<string>();
  visit(
    document,
    visitWithTypeInfo(types, {
      Field({ name }) {
        const parent = types.getParentType();
        const owners = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
        for (const owner of owners) if (owner) coordinates.add(`${owner.name}.${name.value}`);
      },
    }),
  );
  return { document, coordinates: [...coordinates] };
}

/** The same departments behind HTTP at /<name>/graphql. */
export async function listenAsDepartments(departments: CanaryDepartments): Promise<{
  readonly url: string;
  close(): Promise<void>;
}> {
  const app: FastifyInstance = Fastify({ forceCloseConnections: true, bodyLimit: 8 * 1024 * 1024 });
  for (const name of departments.names)
    app.post(`/${name}/graphql`, (request) =>
      departments.answer(name, request.body as AskedBody, principalIn(request.headers[PRINCIPAL_HEADER])),
    );
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, close: () => app.close() };
}

/** The id in the signed principal; nobody checks the signature here. */
function principalIn(header: string | string[] | undefined): string {
  const payload = String(header ?? '').split('.')[1] ?? '';
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8') || '{}') as {
    principal?: { id?: string };
  };
  return claims.principal?.id ?? '';
}

/** Whether a variable holds representations of entities: whatever it is called, each tells its type. */
function isRepresentations(value: unknown): value is readonly Node[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one: unknown) => typeof one === 'object' && one !== null && '__typename' in one)
  );
}
