import m from './bench/privacy/stall.ts';
console.log(await m({seed: process.argv[3] ?? 's', size: (process.argv[2] ?? 'test') as any, print: console.log}));
