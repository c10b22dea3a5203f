/**
 * The slot for a cryptographic machine (密码机, 签名验签服务器; GB/T 39786 asks for a certified one): the private key stays in
 * it, and a bridge beside it is asked over a local socket. What the machine speaks (GM/T 0018, GM/T 0029, PKCS#11) is the
 * bridge's affair.
 *
 * One JSON object a line each way: `{"id", "algorithm", "keyId", "text"}` → `{"id", "signature"}` or `{"id", "error"}`; the
 * signature in base64url, of SM2 in DER under the default signer id. Answers may come in any order.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { SignatureSuite, Signatures } from './suite.ts';

/** The machine could not be asked, did not answer in time, refused, or answered with what is no signature of its key. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
}

export interface DeviceSignatures extends Signatures {
  sign(text: string): Promise<string>;
  close(): void;
}

const answerSchema = z.union([
  z.object({ id: z.int(), signature: z.string() }),
  z.object({ id: z.int(), error: z.string() }),
]);

interface Waiting {
  readonly resolve: (signature: string) => void;
  readonly reject: (error: DeviceError) => void;
}

/**
 * `verifier` holds the public key: each signature is verified before it is given out, so that a machine that was set up
 * wrongly issues nothing that would not hold. `path`: the bridge's Unix socket. Connects when first asked, and anew after a
 * connection broke. `longestMs` bounds a signature; 2,000.
 */
export function createDeviceSuite(options: {
  verifier: Pick<SignatureSuite, 'algorithm' | 'keyId' | 'verify'>;
  path: string;
  longestMs?: number;
}): DeviceSignatures {
  const { verifier, path, longestMs = 2_000 } = options;
  const { algorithm, keyId } = verifier;
  const waiting = new Map<number, Waiting>();
  let socket: Socket | null = null;
  let count = 0;

  function open(): Socket {
    const opened = connect(path);
    opened.unref();
    const end = (reason: string) => {
      if (socket !== opened) return;
      socket = null;
      for (const { reject } of waiting.values()) reject(new DeviceError(reason));
      waiting.clear();
    };
    opened.on('error', () => end('the signing device cannot be reached'));
    opened.on('close', () => end('the signing device closed the connection'));
    const lines = createInterface({ input: opened });
    // It passes on what the socket says, which is heard above.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const answer = readAnswer(line);
      if (answer === null) return void opened.destroy();
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('signature' in answer) asked?.resolve(answer.signature);
      else asked?.reject(new DeviceError('the signing device refused'));
    });
    return opened;
  }

  return {
    algorithm,
    keyId,
    async sign(text) {
      const id = ++count;
      let timer: NodeJS.Timeout | undefined;
      try {
        const signature = await new Promise<string>((resolve, reject) => {
          timer = setTimeout(() => reject(new DeviceError('the signing device took too long')), longestMs);
          waiting.set(id, { resolve, reject });
          socket ??= open();
          socket.write(`${JSON.stringify({ id, algorithm, keyId, text })}\n`);
        });
        if (!verifier.verify(text, signature))
          throw new DeviceError('the signing device gave what is no signature of its key');
        return signature;
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
    },
    verify: (text, signature) => verifier.verify(text, signature),
    close() {
      socket?.destroy();
    },
  };
}

function readAnswer(line: string): z.infer<typeof answerSchema> | null {
  try {
    return answerSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
