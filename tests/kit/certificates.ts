/** A certificate authority made by the `openssl` command, in a folder of its own. */
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface IssuedCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
  /** SHA-256 in hex, with colons. */
  readonly fingerprint: string;
  /** SHA-256 in base64url: `x5t#S256`. */
  readonly thumbprint: string;
}

export interface TestAuthority {
  readonly caFile: string;
  readonly crlFile: string;
  issue(name: string, dates?: { from: string; to: string }): IssuedCertificate;
  revoke(certificate: IssuedCertificate): void;
}

const CONFIG = `[ca]
default_ca = d
[d]
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = p
unique_subject = no
x509_extensions = leaf
copy_extensions = copy
[p]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
[req]
distinguished_name = n
[n]
`;

export function createTestAuthority(parent: string, name: string): TestAuthority {
  const folder = join(parent, name);
  mkdirSync(folder);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  writeFileSync(join(folder, 'ca.cnf'), CONFIG);
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(join(folder, 'serial'), '01\n');
  writeFileSync(join(folder, 'crlnumber'), '01\n');
  const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', 'ca.cnf'];
  const authority = ['-addext', 'basicConstraints=critical,CA:TRUE', '-days', '30'];
  openssl(
    'req',
    '-x509',
    ...ecKey,
    ...authority,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  );
  const writeCrl = () => openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem');
  writeCrl();

  return {
    caFile: join(folder, 'ca.pem'),
    crlFile: join(folder, 'crl.pem'),
    issue(subject, dates) {
      const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-subj', `/CN=${subject}`];
      openssl('req', ...ecKey, ...names, '-keyout', `${subject}.key`, '-out', `${subject}.csr`);
      const validity = dates ? ['-startdate', dates.from, '-enddate', dates.to] : [];
      const files = ['-in', `${subject}.csr`, '-out', `${subject}.pem`, '-notext'];
      openssl('ca', '-batch', '-config', 'ca.cnf', ...validity, ...files);
      const certFile = join(folder, `${subject}.pem`);
      const keyFile = join(folder, `${subject}.key`);
      const cert = readFileSync(certFile, 'utf8');
      const { raw, fingerprint256 } = new X509Certificate(cert);
      return {
        certFile,
        keyFile,
        cert,
        key: readFileSync(keyFile, 'utf8'),
        fingerprint: fingerprint256,
        thumbprint: createHash('sha256').update(raw).digest('base64url'),
      };
    },
    revoke({ certFile }) {
      openssl('ca', '-config', 'ca.cnf', '-revoke', certFile);
      writeCrl();
    },
  };
}
