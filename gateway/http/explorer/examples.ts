/** The queries that the explorer opens as tabs. Every code here is synthetic (its middle reads TYN). */
export interface ExampleQuery {
  readonly title: string;
  readonly query: string;
  readonly variables?: object;
}

const SAMPLE = '91120101MA9TYN016Y';

export const EXAMPLES: readonly ExampleQuery[] = [
  {
    title: '信用核查 · Credit check',
    query: `# 银行「信易贷」信用核查：一次提问，各部门作答。
# 每个部门一行。TIMEOUT、UNAVAILABLE 即情况不明，
# 绝不等于「无失信记录」。
# One question, one row per department.
# Unknown is never shown as clean.
query CreditCheck($subject: CreditCode!) {
  creditCheck(input: {
    subject: $subject
    product: "xyd-standard"
    purpose: LOAN_ORIGINATION
  }) {
    subject { code name }
    # asOf：数据所述时点；ms：耗时（毫秒）
    sources { department status asOf ms findings }
    # 应答部门所占比例，0 至 1
    completeness
    assessment {
      conclusion
      score
      reasons { zh en }
    }
  }
}
`,
    variables: { subject: SAMPLE },
  },
  {
    title: '信用主体 · One subject',
    query: `# 一个信用主体在各部门的情况。
# 无权查看的字段为 null，errors 中逐项说明。
# One subject, department by department. What may
# not be seen is null, with one error per path.
query SubjectWithBlocks($code: CreditCode!) {
  creditSubject(code: $code) {
    code
    name
    # 市场监管
    marketRegulation { status source { asOf } }
    # 税务
    tax { status source { asOf } }
    # 法院
    courts { status source { asOf } }
    # 人力社保
    humanResources { status source { asOf } }
    # 公安：只答一致、不一致、库中无此号
    publicSecurity { status source { asOf } }
  }
}
`,
    variables: { code: SAMPLE },
  },
  {
    title: '按名称查找 · Search by name',
    query: `# 按名称查找：括号全角半角、空格、曾用名均可。
# score 为相似度，1 为完全一致。
# By name: any brackets, spaces, former names.
query SearchByName($name: String!) {
  searchCreditSubjects(name: $name, first: 5) {
    score
    subject { code name }
  }
}
`,
    variables: { name: '天津' },
  },
  {
    title: '企业列表 · Several companies',
    query: `# 三个主体，税务部门只查询一次。
# 顺序与所问相同，查无此主体者为 null。
# Three subjects, one call to the tax department;
# in the order asked, null where there is none.
query SeveralCompanies($codes: [CreditCode!]!) {
  creditSubjects(codes: $codes) {
    code
    name
    tax { status source { asOf } }
  }
}
`,
    variables: { codes: [SAMPLE, '93120102MA9TYN0242', '91120110MA9TYN032M'] },
  },
];
