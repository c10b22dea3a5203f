/** The token that every call needs: got once, shared by all, renewed by one caller for everybody. */
import type { Clock } from '../clock.ts';

export interface Session {
  readonly token: string;
  readonly serviceId: string;
  /** A time of the clock; from here on it is not used any more. */
  readonly validUntil: number;
}

export interface Sessions {
  /** Rejects with the signal's reason, or as the login did. */
  get(signal: AbortSignal): Promise<Session>;
  /** The system does not take this one any more. What another caller has renewed meanwhile stays. */
  forget(session: Session): void;
}

interface Login {
  readonly session: Promise<Session>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * A login belongs to all who wait for it: one that leaves does not spoil it for the others, and when the last one has
 * left it is taken back from the wire.
 */
export function createSessions(logIn: (signal: AbortSignal) => Promise<Session>, clock: Clock): Sessions {
  let current: Session | null = null;
  let pending: Login | null = null;

  function start(): Login {
    const controller = new AbortController();
    const login: Login = { session: logIn(controller.signal), controller, waiting: 0 };
    login.session.then(
      (session) => {
        if (pending === login) [current, pending] = [session, null];
      },
      // The callers are told by the promise itself; here only the place is made free.
      () => {
        if (pending === login) pending = null;
      },
    );
    return login;
  }

  return {
    async get(signal) {
      signal.throwIfAborted();
      if (current && clock.now() < current.validUntil) return current;
      const login = (pending ??= start());
      login.waiting += 1;
      let onAbort = () => {};
      const left = new Promise<never>((_, reject) => {
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', onAbort, { once: true });
      });
      try {
        return await Promise.race([login.session, left]);
      } finally {
        signal.removeEventListener('abort', onAbort);
        login.waiting -= 1;
        if (login.waiting === 0 && pending === login && signal.aborted) {
          pending = null;
          login.controller.abort(signal.reason);
        }
      }
    },
    forget(session) {
      if (current === session) current = null;
    },
  };
}
