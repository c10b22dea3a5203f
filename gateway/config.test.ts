import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig, toPrintable } from './config.ts';

const read = (environment: Record<string, string>) =>
  readConfig(environment, { supergraph: 'x.graphql', listen: '127.0.0.1:0' });
const TLS = { JINXIN_TLS_CERTIFICATE: 'server.pem', JINXIN_TLS_KEY: 'server.key' };
const OIDC = { JINXIN_ISSUER: 'https://issuer.invalid', JINXIN_JWKS_URI: 'http://127.0.0.1/jwks' };

describe('the configuration of the edge', () => {
  it('reads the rates of consumers, with a default', () => {
    expect(read({ JINXIN_CONSUMER_RATES: 'bank-a=200,default=50' }).consumerRates).toEqual({
      fallback: 50,
      of: new Map([['bank-a', 200]]),
    });
    expect(read({ JINXIN_REQUESTS_PER_SECOND: '7' }).consumerRates.fallback).toBe(7);
    expect(toPrintable(read({ JINXIN_CONSUMER_RATES: 'bank-a=200' }))['consumerRates']).toEqual({
      fallback: 1_000,
      of: { 'bank-a': 200 },
    });
  });

  it('reads TLS and whose certificates are taken', () => {
    expect(read({}).tls).toBeNull();
    expect(read(TLS).tls).toMatchObject({ certificate: 'server.pem', key: 'server.key', clientCa: null });
    const all = { JINXIN_TLS_CLIENT_CA: 'ca', JINXIN_TLS_CLIENT_CRL: 'crl', JINXIN_TLS_CLIENTS: 'clients' };
    expect(read({ ...TLS, ...all }).tls).toMatchObject({
      clientCa: 'ca',
      clientCrl: 'crl',
      clients: 'clients',
    });
  });

  it.each([
    [{ JINXIN_CONSUMER_RATES: 'bank-a' }, 'JINXIN_CONSUMER_RATES'],
    [{ JINXIN_CONSUMER_RATES: 'bank-a=1,bank-a=2' }, 'JINXIN_CONSUMER_RATES'],
    [{ JINXIN_TLS_CERTIFICATE: 'server.pem' }, 'JINXIN_TLS_KEY'],
    [{ JINXIN_TLS_KEY: 'server.key' }, 'JINXIN_TLS_CERTIFICATE'],
    // Asked for, and there would be nobody to ask: not to be passed over in silence.
    [{ JINXIN_TLS_CLIENT_CA: 'ca' }, 'JINXIN_TLS_CERTIFICATE'],
    [{ ...TLS, JINXIN_TLS_CLIENTS: 'clients' }, 'JINXIN_TLS_CLIENT_CA'],
    [{ ...TLS, JINXIN_TLS_CLIENT_CRL: 'crl' }, 'JINXIN_TLS_CLIENT_CA'],
    [{ JINXIN_ISSUER: 'https://issuer.invalid' }, 'JINXIN_JWKS_URI'],
    [{ ...OIDC, JINXIN_ENVIRONMENT: 'production' }, 'https'],
  ])('refuses %j', (environment, named) => {
    const reading = () => read(environment);
    expect(reading).toThrow(ConfigError);
    expect(reading).toThrow(named);
  });

  it('takes keys over plain HTTP outside of production only', () => {
    expect(read(OIDC).issuer.kind).toBe('oidc');
  });
});
