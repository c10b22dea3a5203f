/** The sandbox's own issuer and its personas. Its key is public knowledge; production refuses the issuer altogether. */
import { createPublicKey } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import { SignJWT } from 'jose';
import { sandboxKey } from './keys.ts';
import type { PrincipalKind, Purpose } from './purpose.ts';
import type { SubjectIds } from './subject-id.ts';

export const sandboxIssuer = { issuer: 'https://sandbox.jinxin.invalid', audience: 'jinxin' } as const;
const KEY_ID = 'sandbox-1';

interface Persona {
  readonly kind: PrincipalKind;
  readonly purposes: readonly [Purpose, ...Purpose[]];
  readonly department?: string;
  /** Codes or citizen ID numbers of the synthetic subjects that the persona is, or acts for. */
  readonly codes?: readonly string[];
  readonly citizenIds?: readonly string[];
  /** For those it only acts for, as what; left out where it is the subject itself. */
  readonly as?: 'GUARDIAN' | 'AGENT';
}

/** The sample company of the synthetic population, and the synthetic person of the documentation (born 1900). */
export const SAMPLE_COMPANY_CODE = '91120101MA9TYN016Y';
export const SAMPLE_CITIZEN_ID = '120101190001010016';
/** A synthetic minor: the region 129999 does not exist, so that the number is nobody's. */
export const SAMPLE_MINOR_ID = '129999202001010019';

export const PERSONAS = {
  anonymous: { kind: 'public', purposes: ['PUBLIC_QUERY'] },
  'bank-a': { kind: 'bank', purposes: ['LOAN_ORIGINATION', 'LOAN_MONITORING'] },
  'bank-b': { kind: 'bank', purposes: ['LOAN_ORIGINATION'] },
  'tax-officer': {
    kind: 'department',
    purposes: ['OFFICIAL_DUTY', 'INVESTIGATION', 'EMERGENCY'],
    department: 'tax',
  },
  'market-officer': {
    kind: 'department',
    purposes: ['OFFICIAL_DUTY', 'INVESTIGATION', 'EMERGENCY'],
    department: 'market-regulation',
  },
  'company-owner': { kind: 'subject', purposes: ['SELF_ACCESS'], codes: [SAMPLE_COMPANY_CODE] },
  citizen: { kind: 'subject', purposes: ['SELF_ACCESS'], citizenIds: [SAMPLE_CITIZEN_ID] },
  'company-agent': {
    kind: 'subject',
    purposes: ['SELF_ACCESS'],
    codes: [SAMPLE_COMPANY_CODE],
    as: 'AGENT',
  },
  guardian: { kind: 'subject', purposes: ['SELF_ACCESS'], citizenIds: [SAMPLE_MINOR_ID], as: 'GUARDIAN' },
  association: { kind: 'association', purposes: ['PUBLIC_QUERY'] },
  'partner-hebei': { kind: 'partner', purposes: ['REGIONAL_EXCHANGE'] },
  operator: { kind: 'operator', purposes: ['OPERATIONS'] },
  auditor: { kind: 'auditor', purposes: ['AUDIT'] },
} as const satisfies Record<string, Persona>;
export type PersonaName = keyof typeof PERSONAS;

export function isPersona(name: string): name is PersonaName {
  return Object.hasOwn(PERSONAS, name);
}

/** A sandbox access token of a persona, valid for `seconds` (by default a day). */
export async function issueSandboxToken(
  name: PersonaName,
  subjectIds: SubjectIds,
  seconds = 86_400,
): Promise<string> {
  const persona: Persona = PERSONAS[name];
  const subjects = [
    ...(persona.codes ?? []).map((code) => subjectIds.ofOrganisation(code)),
    ...(persona.citizenIds ?? []).map((id) => subjectIds.ofPerson(id)),
  ];
  const jinxin = {
    kind: persona.kind,
    purposes: persona.purposes,
    ...(persona.department === undefined ? {} : { department: persona.department }),
    subjects,
    ...(persona.as === undefined
      ? {}
      : { actsFor: subjects.map((subject) => ({ subject, as: persona.as })) }),
  };
  return new SignJWT({ jinxin })
    .setProtectedHeader({ alg: 'EdDSA', kid: KEY_ID })
    .setSubject(name)
    .setIssuer(sandboxIssuer.issuer)
    .setAudience(sandboxIssuer.audience)
    .setIssuedAt()
    .setExpirationTime(`${seconds}s`)
    .sign(sandboxKey('issuer'));
}

export function sandboxJwks(): JSONWebKeySet {
  const jwk = createPublicKey(sandboxKey('issuer')).export({ format: 'jwk' });
  return { keys: [{ ...jwk, kid: KEY_ID, alg: 'EdDSA', use: 'sig' }] } as JSONWebKeySet;
}
