import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceSignatures } from './device.ts';
import { createDeviceSuite } from './device.ts';
import { createSm2Suite, toSm2Key } from './sm2.ts';
import { createEd25519Suite } from './suite.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jinxin-device-'));
});
afterAll(() => rm(folder, { recursive: true }));

const sm2Key = toSm2Key('3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8');
const edKey = generateKeyPairSync('ed25519').privateKey;
const KEYS = {
  'SM2-SM3': { key: sm2Key, verifier: createSm2Suite(createPublicKey(sm2Key)) },
  Ed25519: { key: edKey, verifier: createEd25519Suite(createPublicKey(edKey)) },
};
let count = 0;

/** A bridge in a process of its own, and a suite that holds the public key only. */
async function withBridge<T>(
  algorithm: keyof typeof KEYS,
  mood: string,
  work: (suite: DeviceSignatures, bridge: ChildProcess, restart: () => Promise<ChildProcess>) => Promise<T>,
): Promise<T> {
  const { key, verifier } = KEYS[algorithm];
  const [socket, pem] = [join(folder, `${++count}.sock`), join(folder, `${count}.pem`)];
  await writeFile(pem, key.export({ type: 'pkcs8', format: 'pem' }));
  const bridges: ChildProcess[] = [];
  const start = async () => {
    await rm(socket, { force: true });
    const program = join(import.meta.dirname, '../../tests/kit/signing-bridge.mjs');
    const bridge = spawn(process.execPath, [program, socket, pem, algorithm, mood], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    bridges.push(bridge);
    await once(bridge.stdout, 'data');
    return bridge;
  };
  const suite = createDeviceSuite({ verifier, path: socket, longestMs: mood === 'silent' ? 200 : 10_000 });
  try {
    return await work(suite, await start(), start);
  } finally {
    suite.close();
    for (const bridge of bridges) bridge.kill();
  }
}

describe('a signing device in another process', () => {
  it.each(['SM2-SM3', 'Ed25519'] as const)(
    'signs %s, several texts at once, without this process holding the key',
    async (algorithm) => {
      const texts = ['天津', '津信', '{"a":1}'];
      await withBridge(algorithm, 'sound', async (suite) => {
        const signatures = await Promise.all(texts.map((text) => suite.sign(text)));
        const { verifier } = KEYS[algorithm];
        expect(signatures.map((signature, at) => verifier.verify(texts[at] ?? '', signature))).toEqual([
          true,
          true,
          true,
        ]);
        expect(suite.verify('天津', signatures[1] ?? '')).toBe(false);
        expect([suite.keyId, suite.algorithm]).toEqual([verifier.keyId, algorithm]);
      });
    },
    60_000,
  );

  it.each([
    ['garbled', 'no signature of its key'],
    ['refusing', 'refused'],
    ['silent', 'too long'],
  ])(
    'that is %s gives no signature: %s',
    async (mood, reason) => {
      await withBridge('Ed25519', mood, async (suite) => {
        await expect(suite.sign('x')).rejects.toThrow(reason);
      });
    },
    60_000,
  );

  it('that ends refuses what it was asked, and is asked again when it is back', async () => {
    await withBridge('Ed25519', 'sound', async (suite, bridge, restart) => {
      expect(suite.verify('x', await suite.sign('x'))).toBe(true);
      bridge.kill('SIGKILL');
      await once(bridge, 'exit');
      await expect(suite.sign('y')).rejects.toThrow('signing device');
      await restart();
      expect(suite.verify('z', await suite.sign('z'))).toBe(true);
    });
  }, 60_000);
});
