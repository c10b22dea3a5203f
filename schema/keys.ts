/**
 * The platform's keys, from the environment. In the sandbox they default to well-known ones that are printed in this file
 * and protect nothing; in production (JINXIN_ENVIRONMENT=production) these refuse to be used.
 */
import type { KeyObject } from 'node:crypto';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { z } from 'zod';
import type { SubjectIds } from './subject-id.ts';
import { createSubjectIds } from './subject-id.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface PlatformKeys {
  /** Signs principals; null in a process that holds only the public half (a department's). */
  readonly gatewayPrivateKey: KeyObject | null;
  readonly gatewayPublicKey: KeyObject;
  readonly subjectIds: SubjectIds;
}

export class KeyError extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = 'KeyError';
  }
}

/** "<version>:<128 hex digits>", comma-separated: the newest version seals, all open. */
const subjectKeys = z.string().transform((text, context) => {
  const keys = new Map<number, Uint8Array>();
  for (const part of text.split(',')) {
    const [, version, hex] = /^(\d+):([0-9a-f]{128})$/i.exec(part.trim()) ?? [];
    if (version === undefined || hex === undefined) {
      context.addIssue({ code: 'custom', message: 'must read <version>:<128 hex digits>[,…]' });
      return z.NEVER;
    }
    keys.set(Number(version), Buffer.from(hex, 'hex'));
  }
  return keys;
});

export function isProduction(environment: Environment): boolean {
  return environment['JINXIN_ENVIRONMENT'] === 'production';
}

/**
 * JINXIN_GATEWAY_PRIVATE_KEY / JINXIN_GATEWAY_PUBLIC_KEY (PEM, Ed25519) and JINXIN_SUBJECT_KEYS. Throws KeyError when one
 * is malformed, or missing in production.
 */
export function loadPlatformKeys(environment: Environment): PlatformKeys {
  const sandbox = !isProduction(environment);
  const privatePem = environment['JINXIN_GATEWAY_PRIVATE_KEY'];
  const publicPem = environment['JINXIN_GATEWAY_PUBLIC_KEY'];
  const subject = environment['JINXIN_SUBJECT_KEYS'];
  if (!sandbox && !privatePem && !publicPem)
    throw new KeyError(
      'JINXIN_GATEWAY_PUBLIC_KEY (or _PRIVATE_KEY in the gateway) must be set in production',
    );
  if (!sandbox && !subject) throw new KeyError('JINXIN_SUBJECT_KEYS must be set in production');

  const gatewayPrivateKey = privatePem
    ? createPrivateKey(privatePem)
    : publicPem
      ? null
      : sandboxKey('gateway');
  const gatewayPublicKey = publicPem
    ? createPublicKey(publicPem)
    : createPublicKey(gatewayPrivateKey as KeyObject);
  const parsed = subjectKeys.safeParse(subject ?? `1:${sandboxBytes('subject', 64).toString('hex')}`);
  if (!parsed.success)
    throw new KeyError(`JINXIN_SUBJECT_KEYS ${parsed.error.issues[0]?.message ?? 'is malformed'}`);
  return { gatewayPrivateKey, gatewayPublicKey, subjectIds: createSubjectIds(parsed.data) };
}

/** An Ed25519 key that everybody can derive: for the sandbox, and refused elsewhere by whoever loads keys. */
export function sandboxKey(use: string): KeyObject {
  // PKCS#8 of an Ed25519 key is this prefix and the 32-byte seed (RFC 8410).
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  return createPrivateKey({
    key: Buffer.concat([prefix, sandboxBytes(use, 32)]),
    format: 'der',
    type: 'pkcs8',
  });
}

export function sandboxBytes(use: string, length: 32 | 64): Buffer {
  const digest = createHash('sha512').update(`jinxin sandbox ${use}: protects nothing`).digest();
  return digest.subarray(0, length);
}
