/** The clients that people use, each as its documentation sets it up, behind one question and one answer. */
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, createRequest, fetchExchange } from '@urql/core';
import { ClientError, GraphQLClient } from 'graphql-request';

export interface ClientQuestion {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: 'GET' | 'POST';
  /** Of a registered operation, which is sent instead of the text. */
  readonly documentId?: string;
  readonly signal?: AbortSignal;
}

export interface ClientAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly data: unknown;
  /** `extensions.code` of each error, as the client hands them to its user. */
  readonly codes: readonly unknown[];
  /** What the client makes of an answer that is none of GraphQL; null when it is one. */
  readonly failure: string | null;
}

export interface TestClient {
  readonly name: string;
  ask(url: string, question: ClientQuestion): Promise<ClientAnswer>;
}

export const CLIENTS: readonly TestClient[] = [
  { name: 'Apollo Client', ask: askByApollo },
  { name: 'urql', ask: askByUrql },
  { name: 'graphql-request', ask: askByGraphqlRequest },
];

async function askByApollo(url: string, question: ClientQuestion): Promise<ClientAnswer> {
  const { documentId, method = 'POST', headers = {}, signal } = question;
  const seen = watchFetch();
  const http = new HttpLink({ uri: url, fetch: seen.fetch, useGETForQueries: method === 'GET' });
  const link =
    documentId === undefined
      ? http
      : ApolloLink.from([
          createPersistedQueryLink({ generateHash: () => Promise.resolve(documentId) }),
          http,
        ]);
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const asked = {
    variables: question.variables ?? {},
    context: { headers, fetchOptions: signal ? { signal } : {} },
    errorPolicy: 'all',
    fetchPolicy: 'no-cache',
  } as const;
  const document = gql(question.query);
  const { data, error } = question.query.startsWith('mutation')
    ? await client.mutate<unknown>({ ...asked, mutation: document })
    : await client.query<unknown>({ ...asked, query: document });
  client.stop();
  return CombinedGraphQLErrors.is(error)
    ? toAnswer(seen.status(), data, error.errors)
    : toAnswer(seen.status(), data, [], error);
}

async function askByUrql(url: string, question: ClientQuestion): Promise<ClientAnswer> {
  const { documentId, method = 'POST', headers = {}, signal } = question;
  const seen = watchFetch();
  const client = new Client({
    url,
    exchanges: [fetchExchange],
    preferGetMethod: method === 'GET',
    fetch: (input, init) => seen.fetch(input, signal ? { ...init, signal } : init),
    fetchOptions: { headers: { ...headers } },
  });
  // What its exchange for persisted queries makes of a request.
  const persisted = documentId && ({ persistedQuery: { version: 1, sha256Hash: documentId } } as const);
  const request = createRequest(question.query, { ...question.variables }, persisted || undefined);
  const result = question.query.startsWith('mutation')
    ? client.executeMutation(request)
    : client.executeQuery(request);
  const { data, error } = await result.toPromise();
  return toAnswer(seen.status(), data, error?.graphQLErrors ?? [], error?.networkError);
}

async function askByGraphqlRequest(url: string, question: ClientQuestion): Promise<ClientAnswer> {
  const { query, variables = {}, documentId, method = 'POST', headers = {}, signal } = question;
  const seen = watchFetch();
  const client = new GraphQLClient(url, {
    fetch: seen.fetch,
    method,
    headers: { ...headers },
    errorPolicy: 'all',
    // It has no word for registered operations but its middleware.
    requestMiddleware: (request) =>
      documentId === undefined ? request : { ...request, body: JSON.stringify({ documentId, variables }) },
  });
  try {
    const { data, errors = [] } = await client.rawRequest<unknown>({
      query,
      variables,
      ...(signal ? { signal } : {}),
    });
    return toAnswer(seen.status(), data, errors);
  } catch (error) {
    if (!(error instanceof ClientError)) return toAnswer(seen.status(), undefined, [], error);
    return toAnswer(seen.status(), error.response.data, error.response.errors ?? []);
  }
}

/** Node's own fetch, and the status of the last answer that came through it. */
function watchFetch(): { readonly fetch: typeof fetch; readonly status: () => number } {
  let status = 0;
  return {
    status: () => status,
    async fetch(...asked) {
      const response = await fetch(...asked);
      ({ status } = response);
      return response;
    },
  };
}

function toAnswer(
  status: number,
  data: unknown,
  errors: readonly { readonly extensions?: Readonly<Record<string, unknown>> | undefined }[],
  failure: unknown = null,
): ClientAnswer {
  return {
    status,
    data,
    codes: errors.map(({ extensions }) => extensions?.['code']),
    failure: failure instanceof Error ? failure.message : null,
  };
}
