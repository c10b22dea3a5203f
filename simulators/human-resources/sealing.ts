/** The department's side of signature and body. It shares no code with the adapter, so that the two cannot err alike. */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Account {
  readonly appKey: string;
  readonly appSecret: string;
  /** 32 hex digits. */
  readonly bodyKey: string;
}

export function signatureOf(
  { appKey, appSecret }: Account,
  { method = '', url = '', headers }: IncomingMessage,
  body: Buffer,
): string {
  const digest = createHash('sm3').update(body).digest('hex');
  const text = `${method}\n${url}\n${appKey}\n${String(headers['x-timestamp'])}\n${String(headers['x-nonce'])}\n${digest}`;
  return createHmac('sm3', Buffer.from(appSecret, 'utf8')).update(Buffer.from(text, 'utf8')).digest('hex');
}

interface Sealed {
  readonly iv: string;
  readonly data: string;
  readonly mac: string;
}

/** The fields of a question, or null when it was changed on the way. */
export function openQuestion(
  { bodyKey }: Account,
  nonce: string,
  body: Buffer,
): Record<string, string> | null {
  const { iv, data, mac } = JSON.parse(body.toString('utf8')) as Sealed;
  if (macOf(bodyKey, `question\n${nonce}\n${iv}\n${data}`) !== mac) return null;
  const cipher = createDecipheriv('sm4-cbc', Buffer.from(bodyKey, 'hex'), Buffer.from(iv, 'base64'));
  const text = cipher.update(data, 'base64', 'utf8') + cipher.final('utf8');
  return JSON.parse(text) as Record<string, string>;
}

export function sealAnswer({ bodyKey }: Account, nonce: string, content: Buffer): Sealed {
  const vector = randomBytes(16);
  const cipher = createCipheriv('sm4-cbc', Buffer.from(bodyKey, 'hex'), vector);
  const iv = vector.toString('base64');
  const data = Buffer.concat([cipher.update(content), cipher.final()]).toString('base64');
  return { iv, data, mac: macOf(bodyKey, `answer\n${nonce}\n${iv}\n${data}`) };
}

function macOf(bodyKey: string, text: string): string {
  const key = createHmac('sm3', Buffer.from(bodyKey, 'hex')).update('mac').digest();
  return createHmac('sm3', key).update(text).digest('hex');
}
