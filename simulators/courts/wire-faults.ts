/** How an answer breaks on its way. */
import type { ServerResponse } from 'node:http';
import iconv from 'iconv-lite';
import type { Fault } from '../simulator.ts';

const LOGIN_PAGE = '<html><head><title>统一身份认证</title></head><body>请登录</body></html>';
const OVERSIZE_BYTES = 64 * 1024 * 1024;

/** Faults for which no answer is made up at all. */
const WITHOUT_ANSWER = ['hang', 'html', 'oversize'] as const;
type WithoutAnswer = (typeof WITHOUT_ANSWER)[number];

export function isWithoutAnswer(fault: Fault | null): fault is WithoutAnswer {
  return (WITHOUT_ANSWER as readonly (Fault | null)[]).includes(fault);
}

export function pour(fault: WithoutAnswer, response: ServerResponse): void {
  if (fault === 'hang') return;
  if (fault === 'html') {
    response.writeHead(200, { 'content-type': 'text/html; charset=UTF-8' }).end(LOGIN_PAGE);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/xml; charset=UTF-8' });
  const block = Buffer.alloc(64 * 1024, '<row>');
  let poured = 0;
  const more = () => {
    while (!response.destroyed && poured < OVERSIZE_BYTES) {
      poured += block.length;
      if (!response.write(block)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

/** Writes GBK bytes under a declaration of UTF-8, or what the fault makes of them. */
export function deliver(text: string, fault: Fault | null, response: ServerResponse): void {
  const whole = fault === 'wrong-encoding' ? Buffer.from(text, 'utf8') : iconv.encode(text, 'gbk');
  const content = fault === 'garble' ? garble(whole) : whole;
  const half = content.subarray(0, content.length >> 1);
  const headers = { 'content-type': 'text/xml; charset=UTF-8' };
  if (fault === 'reset') {
    response.writeHead(200, { ...headers, 'content-length': content.length });
    response.write(half, () => response.socket?.resetAndDestroy());
  } else if (fault === 'truncate') {
    // Without a length the end of the connection is the end of the body: HTTP itself finds nothing wrong.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { ...headers, connection: 'close' }).end(half);
  } else {
    response.writeHead(200, { ...headers, 'content-length': content.length }).end(content);
  }
}

/** Every seventh byte is changed: enough that no tag or text can be trusted. */
function garble(content: Buffer): Buffer {
  const changed = Buffer.from(content);
  for (let at = 3; at < changed.length; at += 7) changed[at] = (changed[at] ?? 0) ^ 0x5a;
  return changed;
}
