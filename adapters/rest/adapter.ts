/**
 * A query service over REST as departments run it: every request signed with SM3 and used once, bodies under SM4, rows
 * counted, and failures that come as success (`{"code":"-1"}` with status 200).
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Adapter, LegacyReply } from '../adapter.ts';
import { LegacyError } from '../adapter.ts';
import type { Clock } from '../clock.ts';
import { assertWhole } from '../whole-answer.ts';
import { createEnvelope, EnvelopeError } from './envelope.ts';
import { signRequest } from './signature.ts';
import { createWire } from './wire.ts';

export interface RestRequest {
  /** Path of the service below the root, such as `/query`. It stands in logs: never a value of a question. */
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface RestOptions {
  readonly system: string;
  /** Root of the services. */
  readonly url: string;
  readonly appKey: string;
  readonly appSecret: string;
  /** 16 bytes: the SM4 key of the bodies. */
  readonly bodyKey: Uint8Array;
  /** More rows than this are a malformed answer, not a cut one. */
  readonly maxRows: number;
  readonly maxBytes: number;
}

const answerSchema = z.union([
  z.object({ code: z.literal('0'), iv: z.base64(), data: z.base64(), mac: z.hex() }),
  z.object({ code: z.string().regex(/^(?!0$)-?\d{1,6}$/) }),
]);

const contentSchema = z.object({
  total: z.number().int().nonnegative(),
  /** yyyyMMddHHmmss, China Standard Time. */
  dataTime: z
    .string()
    .regex(/^\d{14}$/)
    .nullish(),
  rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
});

export function createRestAdapter(options: RestOptions, { clock }: { clock: Clock }): Adapter<RestRequest> {
  const { system, appKey, appSecret, maxRows } = options;
  const envelope = createEnvelope(options.bodyKey);
  const wire = createWire(options);

  async function ask(request: RestRequest, signal: AbortSignal): Promise<LegacyReply> {
    const nonce = randomUUID();
    const timestamp = String(Math.round(clock.now()));
    const path = wire.pathOf(request.path);
    const body = JSON.stringify(envelope.seal(JSON.stringify(request.fields), nonce));
    const signature = signRequest(appSecret, { method: 'POST', path, appKey, timestamp, nonce, body });
    const headers = {
      'x-app-key': appKey,
      'x-timestamp': timestamp,
      'x-nonce': nonce,
      'x-signature': signature,
    };
    const text = await wire.post(path, headers, body, signal);
    const answer = read(answerSchema, text);
    // What it says beside the code is not taken over: departments quote the question there.
    if (!('data' in answer)) throw new LegacyError('refused', system, `refused with code ${answer.code}`);
    const content = read(contentSchema, envelope.open(answer, nonce));
    if (content.total > maxRows)
      throw new LegacyError('malformed', system, 'holds more rows than we read of it');
    return {
      rows: assertWhole(system, content.rows, content.total),
      asOf: toMoment(content.dataTime ?? null),
    };
  }

  function read<T>(schema: z.ZodType<T>, text: string): T {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      // Not the cause: it quotes what the system wrote.
      throw new LegacyError('malformed', system, 'answered in a form that its protocol does not have');
    }
  }

  function toMoment(dataTime: string | null): string | null {
    if (dataTime === null) return null;
    const moment = dataTime.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6+08:00');
    if (Number.isNaN(Date.parse(moment)))
      throw new LegacyError('malformed', system, 'holds for a moment that does not exist');
    return moment;
  }

  return {
    system,
    protocol: 'rest',
    async call(request, { signal }) {
      try {
        return await ask(request, signal);
      } catch (error) {
        if (error instanceof EnvelopeError) throw new LegacyError('malformed', system, error.message);
        throw error;
      }
    },
    close: () => wire.close(),
  };
}
