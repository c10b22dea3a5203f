/** A server as a child process that neither a Ctrl-C stops before we do, nor our own sudden death leaves behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface GuardedProcess {
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory of the server. */
  readonly home: string;
  /** Removed when the server has ended, however it and we ended. */
  readonly removeAfterwards?: string;
  /** The signal that asks the server to stop; after four seconds more it is killed. */
  readonly stopSignal: 'INT' | 'TERM';
  readonly env: Readonly<Record<string, string | undefined>>;
  /** User and group that the server runs as; our own by default. */
  readonly identity?: { readonly uid?: number; readonly gid?: number };
}

export interface RunningProcess {
  /** Rejects, with what the server last complained about, when it ends; never resolves. */
  readonly exited: Promise<never>;
  /** Resolves when the server has ended. May be called again. */
  stop(): Promise<void>;
}

/**
 * The shell leads a session of its own, so a terminal's SIGINT reaches us only. It holds the read end of a pipe from us: when
 * we close it, or when the kernel does because we are dead, the shell stops the server and clears up.
 */
const GUARD = `
exec 3<&0 0</dev/null
"$@" 3<&- &
server=$!
(
  read -r _ <&3
  kill -"$GUARD_SIGNAL" "$server" 2>/dev/null
  waited=0
  while [ "$waited" -lt 40 ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; waited=$((waited + 1)); done
  kill -KILL "$server" 2>/dev/null
) 2>/dev/null &
guard=$!
exec 3<&-
wait "$server"
code=$?
kill -KILL "$guard" 2>/dev/null
cd /
if [ -n "$GUARD_REMOVE" ]; then rm -rf "$GUARD_REMOVE"; fi
exit "$code"
`;

export function startGuarded(options: GuardedProcess): RunningProcess {
  const { command, args, home, env, stopSignal, removeAfterwards, identity = {} } = options;
  if (process.platform === 'win32')
    throw new Error('servers are started through /bin/sh: on Windows use WSL');
  const shell = spawn('/bin/sh', ['-c', GUARD, 'sh', command, ...args], {
    ...identity,
    env: {
      PATH: process.env['PATH'],
      ...env,
      GUARD_SIGNAL: stopSignal,
      GUARD_REMOVE: removeAfterwards ?? '',
    },
    cwd: home,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let complaints = '';
  shell.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2_000)));
  // The pipe breaks when the server ended by itself; `exited` tells of that.
  shell.stdin.on('error', () => {});
  const ended = once(shell, 'exit');
  const exited = ended.then(([code]) => {
    throw new Error(`${command} ended (${String(code)}): ${complaints.trim()}`);
  });
  exited.catch(() => {});
  return {
    exited,
    async stop() {
      shell.stdin.end();
      await ended;
    },
  };
}
