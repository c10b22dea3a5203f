/** Exits 0 when JINXIN_HEALTH_URL answers 2xx within two seconds; the image has neither curl nor wget. */
const url = process.env.JINXIN_HEALTH_URL ?? 'http://127.0.0.1:4000/health/ready';
try {
  const { ok } = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  process.exit(ok ? 0 : 1);
} catch {
  process.exit(1);
}
