/**
 * `npm run cache:invalidate -- <code or SubjectId> [department]`: what gateways keep of a subject is used no more, in every
 * gateway, within a second. Exit code 1: the subject or the department is none; 2: it could not be announced.
 */
import { Command } from 'commander';
import { pino } from 'pino';
import { parseCreditCode } from '../schema/identifiers/unified-social-credit-code.ts';
import { loadPlatformKeys } from '../schema/keys.ts';
import { toOrganisationId } from '../schema/subject-id.ts';
import { openAnnouncements } from '../subgraphs/announcements.ts';
import { departmentNames } from '../subgraphs/discover.ts';
import { findRunningAudit } from './running-audit.ts';

const command = new Command('cache:invalidate')
  .description(
    'What gateways keep of a subject is asked for anew. 网关不再使用已缓存的该主体信息，改为重新查询。',
  )
  .argument('<subject>', '统一社会信用代码 unified social credit code, or a SubjectId of the platform')
  .argument('[department]', 'one department; left out: all of them')
  .option(
    '--url <postgres>',
    'the platform’s PostgreSQL; left out: JINXIN_PLATFORM_URL, or that of npm start',
  )
  .showHelpAfterError()
  .parse();
const [subject = '', department = null] = command.args;

class RefusedError extends Error {}

/** Never repeats what was typed: it may be somebody's ID number. */
function toSubjectId(text: string): string {
  const code = parseCreditCode(text);
  if (code.ok) return toOrganisationId(code.value);
  const id = loadPlatformKeys(process.env).subjectIds.open(text);
  if (id) return id.id;
  throw new RefusedError(
    `${code.messageZh} ${code.message}\n自然人请给出平台的 SubjectId，不要使用身份证号码。 Of a person give the platform’s SubjectId, never the ID number.`,
  );
}

function toDepartment(name: string | null): string | null {
  const names = departmentNames();
  if (name === null || names.includes(name)) return name;
  throw new RefusedError(`没有部门 there is no department ${name}: ${names.join(', ')}`);
}

async function invalidate(): Promise<void> {
  const change = { subject: toSubjectId(subject), department: toDepartment(department) };
  const url =
    command.opts<{ url?: string }>().url ??
    process.env['JINXIN_PLATFORM_URL'] ??
    findRunningAudit(process.env)?.platformUrl;
  if (url === undefined)
    throw new Error('未找到平台数据库。 Set JINXIN_PLATFORM_URL, give --url, or run npm start.');
  const announcements = openAnnouncements({
    platformUrl: url,
    redisUrl: process.env['REDIS_URL'] ?? null,
    log: pino({ level: 'silent' }),
  });
  try {
    await announcements.announce([change]);
  } catch (error) {
    throw new Error(
      '未能写入平台数据库，缓存未作废。 The platform’s database could not be written: nothing was invalidated.',
      { cause: error },
    );
  } finally {
    await announcements.close();
  }
  console.log(
    `已作废 invalidated: ${change.subject} · ${change.department ?? '全部部门 every department'}\n各网关一秒内生效。 Every gateway holds to it within a second.`,
  );
}

try {
  await invalidate();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof RefusedError ? 1 : 2;
}
