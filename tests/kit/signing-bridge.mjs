/**
 * A bridge to a cryptographic machine for tests: a process of its own that alone holds a key, and signs with the openssl
 * command. `node signing-bridge.mjs SOCKET KEY.pem <SM2-SM3 | Ed25519> [garbled | refusing | silent]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [path, key, algorithm, mood] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'jinxin-bridge-'));

function sign(text) {
  const file = join(folder, 'text');
  writeFileSync(file, text);
  const how = algorithm === 'SM2-SM3' ? ['-digest', 'sm3', '-pkeyopt', 'distid:1234567812345678'] : [];
  return execFileSync('openssl', ['pkeyutl', '-sign', '-rawin', '-in', file, '-inkey', key, ...how]);
}

createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => {
    const { id, text } = JSON.parse(line);
    if (mood === 'silent') return;
    const answer =
      mood === 'refusing'
        ? { id, error: 'no such key' }
        : { id, signature: sign(mood === 'garbled' ? `${text} ` : text).toString('base64url') };
    socket.write(`${JSON.stringify(answer)}\n`);
  });
  socket.on('error', () => socket.destroy());
}).listen(path, () => process.stdout.write('ready\n'));
