/** The signed artefact: canonical JSON of a whole consent, and how anybody checks it without us. */
import type { KeyObject } from 'node:crypto';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { canonicalize, digestOf } from '../../schema/canonical.ts';
import type { ConsentChannel, ConsentGiver } from '../../schema/consent.ts';
import { KeyError, sandboxBytes, sandboxKey } from '../../schema/keys.ts';
import type { Purpose } from '../../schema/purpose.ts';
import { createSm2Suite, toSm2Key } from '../../schema/signatures/sm2.ts';
import type { SignatureSuite } from '../../schema/signatures/suite.ts';
import { createEd25519Suite } from '../../schema/signatures/suite.ts';
import type { Frequency } from './templates.ts';

/** All that was agreed. Times are ISO 8601, days are YYYY-MM-DD. */
export interface ArtefactContent {
  readonly kind: 'jinxin-consent';
  readonly version: 1;
  readonly id: string;
  readonly draft: string | null;
  /** The SubjectId of an organisation; of a person its mark (see toMark). */
  readonly subject: string;
  readonly consumer: string;
  readonly purpose: Purpose;
  readonly product: string | null;
  readonly channel: ConsentChannel;
  readonly decisions: readonly { readonly item: string; readonly accepted: boolean }[];
  readonly writtenItems: readonly string[];
  readonly acknowledged: {
    readonly personal: boolean;
    readonly sensitive: boolean;
    readonly written: boolean;
  };
  readonly givenBy: {
    readonly as: ConsentGiver;
    /** Mark of the account that consented (see toMark). */
    readonly account: string;
    /** Reference of the document by which an agent is authorised. */
    readonly authorisation: string | null;
  };
  readonly periodFrom: string;
  readonly periodUntil: string;
  readonly dataLifeDays: number;
  readonly frequency: Frequency;
  readonly grantedAt: string;
  readonly expiresAt: string;
  readonly text: {
    readonly version: string;
    /** SM3 of the 授权书 as agreed, and of the one that was proposed, which may go further. */
    readonly digest: string;
    readonly proposed: string | null;
  };
  readonly catalogue: string;
}

export interface SignedArtefact {
  /** RFC 8785 text of an ArtefactContent: what is signed, byte for byte. */
  readonly text: string;
  /** sm3:<hex> of `text`. */
  readonly digest: string;
  readonly signature: string;
  readonly algorithm: SignatureSuite['algorithm'];
  readonly keyId: string;
}

export function signArtefact(suite: SignatureSuite, content: ArtefactContent): SignedArtefact {
  const text = canonicalize(content);
  const { algorithm, keyId } = suite;
  return { text, digest: sm3(text), signature: suite.sign(text), algorithm, keyId };
}

/** Whether artefact and signature are ours, as anybody can find out offline who has the public half of the key. */
export function isSignedArtefact(
  suite: SignatureSuite,
  { text, digest, signature, algorithm, keyId }: SignedArtefact,
): boolean {
  return (
    algorithm === suite.algorithm &&
    keyId === suite.keyId &&
    digest === sm3(text) &&
    suite.verify(text, signature)
  );
}

/**
 * What stands for a person or an account in an artefact: the register can show later whose it is, and two consumers who hold
 * artefacts of one person cannot tell that they do. `salt` is of this artefact alone and stays in the register.
 */
export function toMark(salt: string, value: string): string {
  return `sm3:${digestOf([salt, value])}`;
}

/** The key of consents: a private key in PEM, or the sandbox's. Throws KeyError when it is not one of the algorithm's. */
export function loadConsentSuite(
  algorithm: SignatureSuite['algorithm'],
  pem: string | undefined,
): SignatureSuite {
  return toSuite(algorithm, pem === undefined ? sandboxConsentKey(algorithm) : createPrivateKey(pem));
}

/** What verifies: with a public key in PEM, or the sandbox's. */
export function loadConsentVerifier(
  algorithm: SignatureSuite['algorithm'],
  publicPem: string | undefined,
): SignatureSuite {
  return toSuite(algorithm, createPublicKey(publicPem ?? sandboxConsentKey(algorithm)));
}

function sandboxConsentKey(algorithm: SignatureSuite['algorithm']): KeyObject {
  return algorithm === 'SM2-SM3'
    ? toSm2Key(sandboxBytes('consent', 32).toString('hex'))
    : sandboxKey('consent');
}

function toSuite(algorithm: SignatureSuite['algorithm'], key: KeyObject): SignatureSuite {
  // OpenSSL calls its SM2 keys by no type that Node knows; what is EC by type may be one as well.
  if ((key.asymmetricKeyType === 'ed25519') !== (algorithm === 'Ed25519'))
    throw new KeyError(`the key of consents is not one of ${algorithm}`);
  return algorithm === 'SM2-SM3' ? createSm2Suite(key) : createEd25519Suite(key);
}

const sm3 = (text: string): string => `sm3:${createHash('sm3').update(text).digest('hex')}`;
