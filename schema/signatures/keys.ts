/** The keys that evidence is signed with: given in PEM, or in the sandbox ones that everybody can derive. */
import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { KeyError, sandboxBytes, sandboxKey } from '../keys.ts';
import { createDeviceSuite } from './device.ts';
import type { Signatures, SignatureSuite } from './suite.ts';
import { createEd25519Suite } from './suite.ts';
import { createSm2Suite, toSm2Key } from './sm2.ts';

type Algorithm = SignatureSuite['algorithm'];

/** Throws KeyError when the key is missing in production, or is not one of the algorithm's. */
export function loadReceiptSuite(
  algorithm: Algorithm,
  pem: string | undefined,
  production: boolean,
): SignatureSuite {
  if (pem === undefined && production)
    throw new KeyError('JINXIN_RECEIPT_PRIVATE_KEY must be set in production');
  return toSuite(algorithm, pem === undefined ? sandboxReceiptKey(algorithm) : createPrivateKey(pem));
}

/**
 * What signs receipts: a device behind the socket `signer`, whose public key is given, or a key in this process. Throws
 * KeyError as below, and when a device comes without its public key.
 */
export function openReceiptSignatures(options: {
  algorithm: Algorithm;
  production: boolean;
  privatePem: string | undefined;
  signer: string | undefined;
  publicPem: string | undefined;
}): Signatures {
  const { algorithm, production, privatePem, signer, publicPem } = options;
  if (signer === undefined) return loadReceiptSuite(algorithm, privatePem, production);
  if (publicPem === undefined || privatePem !== undefined)
    throw new KeyError(
      'JINXIN_RECEIPT_SIGNER holds the private key: give JINXIN_RECEIPT_PUBLIC_KEY, and no private one',
    );
  return createDeviceSuite({ verifier: loadReceiptVerifier(algorithm, publicPem), path: signer });
}

/** The suite that verifies receipts of this algorithm: with a public key in PEM, or the sandbox's. */
export function loadReceiptVerifier(algorithm: Algorithm, publicPem: string | undefined): SignatureSuite {
  return toSuite(
    algorithm,
    publicPem === undefined ? createPublicKey(sandboxReceiptKey(algorithm)) : createPublicKey(publicPem),
  );
}

/** Signs the heads of the audit log: Ed25519, and never the key of receipts. Throws KeyError as above. */
export function loadAuditSuite(pem: string | undefined, production: boolean): SignatureSuite {
  if (pem === undefined && production)
    throw new KeyError('JINXIN_AUDIT_PRIVATE_KEY must be set in production');
  return toSuite('Ed25519', pem === undefined ? sandboxKey('audit') : createPrivateKey(pem), 'the audit log');
}

/** Verifies heads of the audit log: with a public key in PEM, or the sandbox's. */
export function loadAuditVerifier(publicPem: string | undefined): SignatureSuite {
  return toSuite(
    'Ed25519',
    createPublicKey(publicPem === undefined ? sandboxKey('audit') : publicPem),
    'the audit log',
  );
}

function sandboxReceiptKey(algorithm: Algorithm): KeyObject {
  return algorithm === 'SM2-SM3'
    ? toSm2Key(sandboxBytes('receipt', 32).toString('hex'))
    : sandboxKey('receipt');
}

function toSuite(algorithm: Algorithm, key: KeyObject, of = 'receipts'): SignatureSuite {
  // OpenSSL calls its SM2 keys by no type that Node knows; what is EC by type may be one as well.
  const isEd25519 = key.asymmetricKeyType === 'ed25519';
  if (isEd25519 !== (algorithm === 'Ed25519'))
    throw new KeyError(`the key of ${of} is not one of ${algorithm}`);
  return algorithm === 'SM2-SM3' ? createSm2Suite(key) : createEd25519Suite(key);
}
