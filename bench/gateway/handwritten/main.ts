/** What a good engineer would write for these four questions and nothing else: `main.ts PORT '{"accounts":"http://…",…}'`. */
import { createServer } from 'node:http';
import { answerCheck, answerMany, answerPoint } from './credit.ts';
import { answerDeep } from './deep.ts';
import { createAsk } from './fetch.ts';

const [port = '', urls = ''] = process.argv.slice(2);
const ask = createAsk(JSON.parse(urls) as Record<string, string>);
const ANSWERS = new Map<
  string,
  typeof answerDeep | typeof answerCheck | typeof answerPoint | typeof answerMany
>([
  ['Deep', answerDeep],
  ['Check', answerCheck],
  ['Point', answerPoint],
  ['Many', answerMany],
]);

async function answer(body: string): Promise<string> {
  const { operationName, variables } = JSON.parse(body) as {
    operationName?: string;
    variables: Record<string, unknown>;
  };
  const make = ANSWERS.get(operationName ?? '');
  return JSON.stringify({ data: make ? await make(ask, variables) : { __typename: 'Query' } });
}

createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    answer(Buffer.concat(chunks).toString()).then(
      (text) => {
        const bytes = Buffer.from(text);
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
          .end(bytes);
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
}).listen(Number(port), '127.0.0.1');
