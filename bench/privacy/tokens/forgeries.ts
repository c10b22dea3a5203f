/** Tokens that nobody issued, or that were issued for something else: each is built on one that would hold. */
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { sandboxKey } from '../../../schema/keys.ts';
import { signPrincipal } from '../../../schema/principal.ts';
import type { Random } from '../../../simulators/population/random.ts';
import type { Alg, SigningKey } from './issuer.ts';
import { createSigningKey, encode, issue, signAs, toJwk } from './issuer.ts';

export interface Forgery {
  readonly name: string;
  /** Value of the Authorization header. */
  readonly authorization: string;
}

export interface ForgeryKit {
  /** The issuer's keys, published, one of each algorithm. */
  readonly keys: Readonly<Record<Alg, SigningKey>>;
  /** A key that the issuer has withdrawn. */
  readonly withdrawn: SigningKey;
  /** Claims that hold. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Seconds since the epoch. */
  readonly now: number;
  readonly random: Random;
  /** Tokens with one letter changed, at places that chance picks. */
  readonly mutants: number;
}

export function makeForgeries(kit: ForgeryKit): readonly Forgery[] {
  const tokens = [
    ...ofTheKey(kit),
    ...ofTheHeader(kit),
    ...ofTheClaims(kit),
    ...ofTheForm(kit),
    ...mutants(kit),
  ];
  return tokens.map(([name, token]) => ({
    name,
    authorization: /^(Basic|DPoP|Bearer) /.test(token) ? token : `Bearer ${token}`,
  }));
}

type Named = readonly [name: string, token: string];

/** Signed with something that is no key of the issuer's, or by an algorithm that is not the key's. */
function ofTheKey({ keys, withdrawn, claims }: ForgeryKit): readonly Named[] {
  const foreign = { ...keys.EdDSA, key: generateKeyPairSync('ed25519').privateKey };
  const hs = (alg: string, kid: string, secret: string | Buffer) => {
    const input = `${encode({ alg, kid })}.${encode(claims)}`;
    const hash = alg === 'HS512' ? 'sha512' : alg === 'HS384' ? 'sha384' : 'sha256';
    return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
  };
  const publicKeyOf = ({ key }: SigningKey) => createPublicKey(key);
  const pem = (key: SigningKey) => publicKeyOf(key).export({ type: 'spki', format: 'pem' });
  const der = (key: SigningKey) => publicKeyOf(key).export({ type: 'spki', format: 'der' });
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey;
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
  return [
    ...Object.values(keys).flatMap((key): Named[] => [
      [`HS256 keyed with our ${key.alg} key as PEM`, hs('HS256', key.kid, pem(key))],
      [`HS256 keyed with our ${key.alg} key as DER`, hs('HS256', key.kid, der(key))],
      [`HS256 keyed with our ${key.alg} key as JWK`, hs('HS256', key.kid, JSON.stringify(toJwk(key)))],
      [`another issuer’s ${key.alg} key under our kid`, issue(createSigningKey(key.kid, key.alg), claims)],
    ]),
    ['HS384 keyed with our key', hs('HS384', keys.RS256.kid, pem(keys.RS256))],
    ['HS512 keyed with our key', hs('HS512', keys.RS256.kid, pem(keys.RS256))],
    ['HS256 keyed with nothing', hs('HS256', keys.EdDSA.kid, '')],
    ['ES256 under the RSA key’s kid', issue({ ...keys.ES256, kid: keys.RS256.kid }, claims)],
    ['RS256 under the EC key’s kid', issue({ ...keys.RS256, kid: keys.ES256.kid }, claims)],
    ['EdDSA under the RSA key’s kid', issue({ ...foreign, kid: keys.RS256.kid }, claims)],
    ['PS256 with the key that is for RS256', issue({ ...keys.RS256, alg: 'PS256' }, claims)],
    ['RS256 with the key that is for PS256', issue({ ...keys.PS256, alg: 'RS256' }, claims)],
    ['RS256 of 1024 bits', issue({ kid: keys.RS256.kid, alg: 'RS256', key: weak }, claims)],
    ['ES256 on another curve', issue({ kid: keys.ES256.kid, alg: 'ES256', key: p384 }, claims)],
    ['a withdrawn key', issue(withdrawn, claims)],
    ['an unknown kid', issue({ ...foreign, kid: 'nobody' }, claims)],
    ['our key under an unknown kid', issue({ ...keys.EdDSA, kid: 'nobody' }, claims)],
    ['no kid', signAs('EdDSA', keys.EdDSA.key, { alg: 'EdDSA' }, claims)],
    ['an empty kid', issue({ ...keys.EdDSA, kid: '' }, claims)],
    [
      'a kid that is no text',
      signAs('EdDSA', keys.EdDSA.key, { alg: 'EdDSA', kid: [keys.EdDSA.kid] }, claims),
    ],
    ...[
      '../../../../../dev/null',
      "x' UNION SELECT 'key",
      '__proto__',
      'constructor',
      `${keys.EdDSA.kid}\u0000`,
    ].map((kid): Named => [`the kid ${JSON.stringify(kid)}`, issue({ ...foreign, kid }, claims)]),
    ['a key of a gateway', issue({ ...keys.EdDSA, key: sandboxKey('gateway') }, claims)],
    ['the sandbox’s issuer', issue({ ...keys.EdDSA, key: sandboxKey('issuer') }, claims)],
  ];
}

/** A header by which the token would choose how it is checked. */
function ofTheHeader({ keys, claims }: ForgeryKit): readonly Named[] {
  const { key, kid } = keys.EdDSA;
  const own = createSigningKey(kid, 'EdDSA');
  const evil = 'https://evil.invalid/jwks';
  const unsigned = (alg: string) => `${encode({ alg, kid })}.${encode(claims)}.`;
  const held = issue(keys.EdDSA, claims);
  const [, , signature = ''] = held.split('.');
  const twice = (text: string) => signAs('EdDSA', key, text, claims);
  return [
    ...['none', 'None', 'NONE', 'nOnE', 'none ', ''].flatMap((alg): Named[] => [
      [`alg ${JSON.stringify(alg)} without a signature`, unsigned(alg)],
      [`alg ${JSON.stringify(alg)} with the signature of another`, `${unsigned(alg)}${signature}`],
    ]),
    ...['eddsa', 'Ed448', 'ES384', 'ES512', 'RS1', 'A256GCM', 'dir'].map((alg): Named => [
      `alg ${alg}`,
      signAs('EdDSA', key, { alg, kid }, claims),
    ]),
    ['an alg that is a list', signAs('EdDSA', key, { alg: ['EdDSA'], kid }, claims)],
    ['no alg', signAs('EdDSA', key, { kid }, claims)],
    ['its own key (jwk)', issue(own, claims, { jwk: toJwk(own) })],
    ['our key as its own (jwk)', issue(keys.EdDSA, claims, { jwk: toJwk(keys.EdDSA) })],
    ['jku', issue(own, claims, { jku: evil })],
    ['jku, signed by us', issue(keys.EdDSA, claims, { jku: evil })],
    ['x5u', issue(own, claims, { x5u: evil })],
    ['x5c', issue(own, claims, { x5c: ['MIIB'] })],
    ['x5c, signed by us', issue(keys.EdDSA, claims, { x5c: ['MIIB'] })],
    ['crit of an unknown extension', issue(keys.EdDSA, claims, { crit: ['urn:x'], 'urn:x': 1 })],
    ['crit of nothing', issue(keys.EdDSA, claims, { crit: [] })],
    ['crit of a known claim', issue(keys.EdDSA, claims, { crit: ['exp'], exp: 1 })],
    ['b64 false', issue(keys.EdDSA, claims, { crit: ['b64'], b64: false })],
    ['b64 false, not critical', issue(keys.EdDSA, claims, { b64: false })],
    ['b64 true', issue(keys.EdDSA, claims, { crit: ['b64'], b64: true })],
    ['zip', issue(keys.EdDSA, claims, { zip: 'DEF' })],
    ['cty JWT', issue(keys.EdDSA, claims, { cty: 'JWT' })],
    ['alg twice', twice(`{"alg":"EdDSA","kid":"${kid}","alg":"EdDSA"}`)],
    ['alg twice, once escaped', twice(`{"alg":"none","kid":"${kid}","\\u0061lg":"EdDSA"}`)],
    ['kid twice', twice(`{"alg":"EdDSA","kid":"other","kid":"${kid}"}`)],
    ['a header that is a list', twice('[]')],
    ['a header with a mark before it', twice(`\ufeff{"alg":"EdDSA","kid":"${kid}"}`)],
    ...['jinxin-principal+jws', 'logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JOSE', 'id_token'].map(
      (typ): Named => [`typ ${typ}`, issue(keys.EdDSA, claims, { typ })],
    ),
  ];
}

/** Signed by the issuer, and not for us, or not now, or not by one reading only. */
function ofTheClaims({ keys, claims, now }: ForgeryKit): readonly Named[] {
  const having = (change: object) => issue(keys.EdDSA, { ...claims, ...change });
  const without = (name: string) =>
    issue(keys.EdDSA, Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name)));
  const written = (write: (text: string) => string) => issue(keys.EdDSA, write(JSON.stringify(claims)));
  const notUtf8 = Buffer.from(JSON.stringify({ ...claims, sub: 'bank-\u00ff' }), 'latin1');
  const { iss, aud, jinxin } = claims as { iss: string; aud: string; jinxin: object };
  return [
    ...[`${iss}/`, iss.toUpperCase(), ` ${iss}`, `${iss}.evil.invalid`, [iss], null].map((other): Named => [
      `iss ${JSON.stringify(other)}`,
      having({ iss: other }),
    ]),
    ...[
      `${aud}/`,
      aud.toUpperCase(),
      `x${aud}`,
      ['other'],
      [[aud]],
      [aud, 1],
      { 0: aud, length: 1 },
      [],
      '',
    ].map((other): Named => [`aud ${JSON.stringify(other)}`, having({ aud: other })]),
    ...['iss', 'aud', 'exp', 'sub', 'jinxin'].map((name): Named => [`no ${name}`, without(name)]),
    ['expired', having({ exp: now - 31 })],
    ['expired long ago', having({ exp: 1 })],
    ['an exp that is a text', having({ exp: String(now + 600) })],
    ['an exp without end', written((text) => text.replace(/"exp":\d+/, '"exp":1e400'))],
    ['an exp that is null', having({ exp: null })],
    ['not yet valid', having({ nbf: now + 60 })],
    ['an nbf that is a text', having({ nbf: '0' })],
    ['issued in the future', having({ iat: now + 60 })],
    ['an iat that is a text', having({ iat: 'now' })],
    ['sub twice', written((text) => text.replace('{', '{"sub":"bank-b",'))],
    ['sub twice, once escaped', written((text) => text.replace('{', '{"su\\u0062":"bank-b",'))],
    ['aud twice', written((text) => text.replace('{', '{"aud":"other",'))],
    ['kind twice, within', written((text) => text.replace('"kind":', '"kind":"auditor","kind":'))],
    ['exp twice', written((text) => text.replace('{', '{"exp":1,'))],
    ['a kind that there is not', having({ jinxin: { ...jinxin, kind: 'root' } })],
    ['a purpose that there is not', having({ jinxin: { ...jinxin, purposes: ['EVERYTHING'] } })],
    ['no purpose', having({ jinxin: { ...jinxin, purposes: [] } })],
    ['an endless sub', having({ sub: 'x'.repeat(129) })],
    ['a sub that is a list', having({ sub: ['bank-a'] })],
    ['bound to a certificate that is not there', having({ cnf: { 'x5t#S256': 'A'.repeat(43) } })],
    ['bound to a key that nobody has shown', having({ cnf: { jkt: 'A'.repeat(43) } })],
    ['claims that are a list', issue(keys.EdDSA, [claims])],
    ['claims that are no JSON', issue(keys.EdDSA, 'x')],
    ['claims that are no UTF-8', issue(keys.EdDSA, notUtf8)],
  ];
}

/** The right content in another wrapping. */
function ofTheForm({ keys, claims }: ForgeryKit): readonly Named[] {
  const held = issue(keys.EdDSA, claims);
  const [header = '', payload = '', signature = ''] = held.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const es = issue(keys.ES256, claims).split('.');
  const zero = (length: number) => Buffer.alloc(length).toString('base64url');
  const other = encode({ ...claims, sub: 'bank-b' });
  const principal = { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] } as const;
  return [
    ['the signature taken away', `${header}.${payload}.`],
    ['the signature and its point taken away', `${header}.${payload}`],
    ['the signature of other claims', `${header}.${other}.${signature}`],
    ['the signature cut short', `${header}.${payload}.${bytes.subarray(0, 63).toString('base64url')}`],
    [
      'a byte behind the signature',
      `${header}.${payload}.${Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url')}`,
    ],
    ['a signature of zeros', `${header}.${payload}.${zero(64)}`],
    ['an ES256 signature of zeros', `${es[0]}.${es[1]}.${zero(64)}`],
    ['an ES256 signature in DER', `${es[0]}.${es[1]}.MAYCAQACAQA`],
    ['an empty ES256 signature', `${es[0]}.${es[1]}.`],
    ['padding', `${header}=.${payload}.${signature}`],
    ['padding of the signature', `${held}==`],
    ['plain base64', `${header}.${payload}.${bytes.toString('base64')}`],
    ['a stray bit at the end', `${header}.${payload}.${strayBit(signature)}`],
    ['a fourth piece', `${held}.x`],
    ['an empty piece before', `.${held}`],
    ['five pieces (JWE)', `${encode({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
    ['a token in a token', issue(keys.EdDSA, JSON.stringify(held))],
    ['the JSON serialisation', JSON.stringify({ protected: header, payload, signature })],
    ['an endless one', issue(keys.EdDSA, { ...claims, padding: 'x'.repeat(9_000) })],
    ['something behind it', `Bearer ${held} x`],
    ['another scheme', `Basic ${held}`],
    ['the scheme of another proof', `DPoP ${held}`],
    ['two of them', `Bearer ${held}, Bearer ${held}`],
    ['a comma behind it', `Bearer ${held},`],
    [
      'a signed principal of ours',
      signPrincipal(sandboxKey('gateway'), { subgraph: 'tax', principal, items: [] }, '{}', Date.now()),
    ],
    ['nothing but points', '..'],
  ];
}

/** The last letter of 64 bytes in base64url carries two bits; its other four mean nothing, and must be nought. */
function strayBit(signature: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return signature.slice(0, -1) + letters[letters.indexOf(signature.at(-1) ?? 'A') + 1];
}

function mutants({ keys, claims, random, mutants: count }: ForgeryKit): readonly Named[] {
  return Array.from({ length: count }, (_, at): Named => {
    const token = issue(random.pick(Object.values(keys)), claims);
    const place = random.int(0, token.length - 1);
    const letter = random.pick(
      ['A', 'z', '0', '-', '_', '.', '=', '+'].filter((one) => one !== token[place]),
    );
    return [
      `letter ${place} made ${letter} (${at})`,
      token.slice(0, place) + letter + token.slice(place + 1),
    ];
  });
}
