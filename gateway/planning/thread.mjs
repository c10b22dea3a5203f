/** Where the planning thread begins: a thread is not under tsx by itself, whatever runs the process that started it. */
import { register } from 'tsx/esm/api';

register();
await import('./thread.ts');
