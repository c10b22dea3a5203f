/** Reads an answer in parts (multipart/mixed), each as soon as it is whole; an answer that is not in parts is one. */
import type { Dispatcher } from 'undici';

export async function* readParts(response: Dispatcher.ResponseData): AsyncGenerator<unknown> {
  const boundary = /^multipart\/mixed.*boundary="?([^";]+)/.exec(
    String(response.headers['content-type']),
  )?.[1];
  if (boundary === undefined) {
    yield await response.body.json();
    return;
  }
  const mark = `\r\n--${boundary}`;
  const decoder = new TextDecoder();
  let text = '\r\n';
  for await (const chunk of response.body) {
    text += decoder.decode(chunk as Buffer, { stream: true });
    for (let end = text.indexOf(mark, 1); end !== -1; end = text.indexOf(mark, 1)) {
      const part = text.slice(0, end);
      text = text.slice(end);
      const body = part.indexOf('\r\n\r\n');
      if (body !== -1) yield JSON.parse(part.slice(body)) as unknown;
    }
  }
}
