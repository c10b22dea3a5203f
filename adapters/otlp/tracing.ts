/** OpenTelemetry traces over OTLP, when an endpoint is configured; spans cost next to nothing when none is. */
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

/** `endpoint`: base address of an OTLP/HTTP collector. The result flushes and stops. */
export function startTracing(service: string, endpoint: string | null): () => Promise<void> {
  if (endpoint === null) return () => Promise.resolve();
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: new URL('/v1/traces', endpoint).href })),
    ],
  });
  provider.register();
  return async () => {
    await provider.shutdown();
    trace.disable();
  };
}
