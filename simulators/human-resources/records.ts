/** What 人社 holds about a company, in its own columns and codes: made up from (seed, code), the same all day. */
import { legalRepresentativeOf } from '../population/people.ts';
import type { Random } from '../population/random.ts';
import { randomFor } from '../population/random.ts';
import type { Registration } from '../population/registrations.ts';
import type { Row } from './data-faults.ts';

/** 110 养老, 210 失业, 410 工伤; the medical insurances are kept by another bureau. */
const INSURANCES = ['110', '210', '410'];
const ADVERSE_SHARE = 0.06;
const WITHOUT_RECORD_SHARE = 0.1;

/** About 10 % have no record; 6 % owe contributions or are on the wage-arrears list; 2 % only were on it. */
export function humanResourcesRecordsOf(
  registration: Registration,
  seed: string,
  now: number,
): readonly Row[] {
  const random = randomFor(seed, registration.code, 'human resources profile');
  const write = createWriter(registration, seed, now);
  if (random.chance(WITHOUT_RECORD_SHARE)) return [];
  const isAdverse = random.chance(ADVERSE_SHARE / (1 - WITHOUT_RECORD_SHARE));
  const kind = isAdverse ? random.pick(['owes', 'owes', 'listed', 'both'] as const) : 'clean';
  const insurances = write.insurances(
    kind === 'owes' || kind === 'both' ? '1' : random.chance(0.03) ? '2' : '0',
  );
  if (kind === 'listed' || kind === 'both') return [...insurances, write.listing()];
  // Removed after repair, or run out: the row stays in the system for ever, and must not be seen.
  if (random.chance(0.02))
    return [...insurances, random.chance(0.5) ? write.removedListing() : write.pastListing()];
  return insurances;
}

/** The sample company of the guides pays for all its people, and always has. */
export function sampleRecords(registration: Registration, seed: string, now: number): readonly Row[] {
  return createWriter(registration, seed, now).insurances('0', { people: 86, months: 60 });
}

/** A listing of somebody who is not `code`: the row that must never be shown. */
export function strangerRecord(code: string, seed: string, now: number): Row {
  const stranger = code === '91120116MA9TYN024H' ? '92120104MA9TYN032W' : '91120116MA9TYN024H';
  const nothing = { registeredOn: '', kind: '', capital: '', district: '' };
  return createWriter({ name: '天津津信测试外来有限公司', code: stranger, ...nothing }, seed, now).listing();
}

function createWriter({ code, name }: Registration, seed: string, now: number) {
  const random = randomFor(seed, code, 'human resources rows');
  const unit = { AAB001: String(random.int(10_000_000, 99_999_999)), AAB003: code, AAB004: name };

  /** 欠缴标志 AAE114: 0 足额缴纳, 1 欠缴, 2 经批准缓缴. */
  function insurances(owes: '0' | '1' | '2', fixed?: { people: number; months: number }): readonly Row[] {
    const people = fixed?.people ?? peopleOf(random);
    const months = fixed?.months ?? (owes === '1' ? 0 : random.int(1, 120));
    const paidThrough = monthBefore(now, owes === '0' ? 1 : random.int(2, 9));
    return INSURANCES.map((kind) => ({
      YWLB: '1',
      ...unit,
      AAE140: kind,
      AAC008: '1',
      AAB119: String(people),
      AAE003: paidThrough,
      AAE202: String(months),
      AAE114: owes,
    }));
  }

  function listed(daysAgo: number, removed: string): Row {
    const on = dayBefore(now, daysAgo);
    return {
      YWLB: '2',
      ...unit,
      LRWH: `津人社监列字〔${on.slice(0, 4)}〕第${String(random.int(1, 9999)).padStart(4, '0')}号`,
      LRJG: '天津市人力资源和社会保障局',
      LRYJ: '保障农民工工资支付条例第四十八条',
      LRRQ: on,
      YCRQ: removed,
      SJRS: String(random.int(5, 200)),
      SJJE: (random.int(5_000_000, 900_000_000) / 100).toFixed(2),
      ZRR: legalRepresentativeOf(code, seed).name,
      YYBZ: random.chance(0.1) ? '1' : '0',
    };
  }

  return {
    insurances,
    listing: () => listed(random.int(30, 900), ''),
    removedListing: () => listed(random.int(300, 900), dayBefore(now, random.int(1, 100))),
    /** Listed for three years, which are over. */
    pastListing: () => listed(random.int(1_100, 2_000), ''),
  };
}

/** Mostly small, a few large. */
const peopleOf = (random: Random): number =>
  random.chance(0.7) ? random.int(1, 30) : random.chance(0.8) ? random.int(31, 300) : random.int(301, 5_000);

/** yyyyMMdd in China. */
const dayBefore = (now: number, days: number): string =>
  new Date(now + 8 * 3_600_000 - days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');

/** yyyyMM in China. */
function monthBefore(now: number, months: number): string {
  const today = new Date(now + 8 * 3_600_000);
  const month = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - months, 1));
  return month.toISOString().slice(0, 7).replace('-', '');
}
