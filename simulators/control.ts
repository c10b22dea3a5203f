/** The switchboard of the simulators on loopback: faults on and off, calls counted. */
import Fastify from 'fastify';
import { z } from 'zod';
import { FAULTS } from './simulator.ts';
import type { RunningSimulators } from './start.ts';

const orderSchema = z.object({
  department: z.string(),
  /** null heals. */
  fault: z.enum(FAULTS).nullable(),
  forMs: z.number().positive().optional(),
});

export interface ControlServer {
  readonly url: string;
  close(): Promise<void>;
}

/** POST /faults {department, fault, forMs?} · GET /departments · GET /calls. */
export async function serveControl(simulators: RunningSimulators, port: number): Promise<ControlServer> {
  const app = Fastify({ forceCloseConnections: true });
  app.get('/health', () => ({ status: 'ready' }));
  app.get('/calls', () => simulators.calls());
  app.get('/departments', () =>
    Object.fromEntries(simulators.departments.map((name) => [name, simulators.get(name).faults])),
  );
  app.post('/faults', async (request, reply) => {
    const order = orderSchema.safeParse(request.body);
    if (!order.success) return reply.code(400).send({ problem: `faults are: ${FAULTS.join(', ')}` });
    const { department, fault, forMs } = order.data;
    if (!simulators.departments.includes(department))
      return reply.code(404).send({ problem: `departments are: ${simulators.departments.join(', ')}` });
    const possible = simulators.get(department).faults;
    if (fault !== null && !possible.includes(fault))
      return reply.code(400).send({ problem: `${department} can have these faults: ${possible.join(', ')}` });
    await simulators.setFault(department, fault, forMs);
    return { department, fault, forMs: forMs ?? null };
  });
  await app.listen({ host: '127.0.0.1', port });
  const address = app.server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`,
    close: () => app.close(),
  };
}
