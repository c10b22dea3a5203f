/**
 * Client certificates: what a client showed in the handshake, and whose it is. The authority's signature says that the
 * certificate holds; which organisation it stands for, and for which purposes, says a file of ours.
 */
import { readFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PURPOSES } from '../../schema/purpose.ts';
import { parseUniqueJson } from '../http/unique-json.ts';

export interface ClientCertificate {
  /** SHA-256 of the certificate (DER), base64url: `x5t#S256` of RFC 8705. */
  readonly thumbprint: string;
  /** It is of our authority, within its dates and not revoked. */
  readonly isTrusted: boolean;
}

export type CertifiedClient = z.infer<typeof clientSchema>;

export interface ClientDirectory {
  /** Null: the certificate is nobody's. */
  find(thumbprint: string): CertifiedClient | null;
}

/** Organisations that come by machine: people and those who watch over the platform sign in with the issuer. */
const clientSchema = z
  .strictObject({
    kind: z.enum(['partner', 'department', 'bank']),
    id: z.string().min(1).max(128),
    department: z.string().min(1).max(64).optional(),
    /** The first is the default. */
    purposes: z.tuple([z.enum(PURPOSES)], z.enum(PURPOSES)),
  })
  .refine(({ kind, department }) => (kind === 'department') === (department !== undefined), {
    error: 'a department, and only a department, names its department',
  });
/** As `openssl x509 -fingerprint -sha256` prints it, with or without colons. */
const fingerprintSchema = z
  .string()
  .regex(/^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i)
  .transform((text) => Buffer.from(text.replaceAll(':', ''), 'hex').toString('base64url'));
const directorySchema = z.record(fingerprintSchema, clientSchema);

export const NOBODY: ClientDirectory = { find: () => null };

/** JSON, fingerprint → client. Throws an Error that names the file and says what is wrong. */
export function readClientDirectory(file: string): ClientDirectory {
  const parsed = directorySchema.safeParse(parseUniqueJson(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const clients = new Map(Object.entries(parsed.data));
  return { find: (thumbprint) => clients.get(thumbprint) ?? null };
}

const seen = new WeakMap<TLSSocket, { readonly thumbprint: string; readonly validTo: number }>();

/**
 * What the other end of this connection showed; null without one. `now` in milliseconds: a certificate may run out while
 * its connection stays.
 */
export function certificateOf(socket: TLSSocket, now: number): ClientCertificate | null {
  let facts = seen.get(socket);
  if (!facts) {
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) return null;
    const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
    facts = { thumbprint, validTo: Date.parse(certificate.validTo) };
    seen.set(socket, facts);
  }
  return { thumbprint: facts.thumbprint, isTrusted: socket.authorized && now < facts.validTo };
}
