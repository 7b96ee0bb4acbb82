import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { type MetricField, METRICS } from '@leasehold/core'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { App, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include'
import { describe, expect, it } from 'vitest'

import { LeaseholdMonitoring, type MonitoringProps, monitoringTemplate } from '../src/index.ts'

const SCHEMA = new URL('dashboard-schema.json', import.meta.url)
const TEMPLATE = new URL('../cloudformation/monitoring.template.json', import.meta.url)

const validate = new Ajv2020({ strict: false }).compile(JSON.parse(await readFile(SCHEMA, 'utf8')) as object)

const SHOP: MonitoringProps = { namespace: 'Shop', engine: 'postgresql', target: 'db.example:5432' }

interface Body {
  readonly widgets: readonly {
    readonly x: number
    readonly y: number
    readonly width: number
    readonly height: number
    readonly properties: {
      readonly metrics: readonly (readonly unknown[])[]
      readonly annotations?: { readonly horizontal: readonly { readonly value: number }[] }
    }
  }[]
}

function synthesise(props: Partial<MonitoringProps> = {}): Template {
  const stack = new Stack(new App(), 'Shop', { env: { region: 'eu-west-1', account: '123456789012' } })
  void new LeaseholdMonitoring(stack, 'Monitoring', { ...SHOP, ...props })
  return Template.fromStack(stack)
}

/** The dashboard's text with `values` in place of what CloudFormation fills in. */
function bodyOf(template: Template, values: Readonly<Record<string, string>> = {}): Body {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'))
  const given = (dashboard as { Properties: { DashboardBody: unknown } }).Properties.DashboardBody
  const text = typeof given === 'string' ? given : (given as { 'Fn::Sub': string })['Fn::Sub']
  const filled = text
    .replaceAll(/\$\{([A-Z][\w:]*)\}/g, (_, name: string) => values[name] ?? `no ${name}`)
    .replaceAll('${!', '${')
  return JSON.parse(filled) as Body
}

/** Every name that a chart or an alarm reads. */
function expectSound(body: Body): void {
  expect(validate(body), JSON.stringify(validate.errors)).toBe(true)
  for (const { x, width, properties } of body.widgets) {
    expect(x + width).toBeLessThanOrEqual(24)
    for (const [, name] of properties.metrics) {
      if (name !== undefined) expect(METRICS).toHaveProperty(name as string)
    }
  }
}

describe('the construct', () => {
  it('has a dashboard that CloudWatch takes, of metrics that there are', () => {
    const body = bodyOf(synthesise())
    expectSound(body)
    const [first] = body.widgets
    const [highest] = first?.properties.metrics ?? []
    expect(highest?.slice(0, 8)).toEqual([
      'Shop',
      'Pressure',
      'Fleet',
      'leasehold',
      'Engine',
      'postgresql',
      'Target',
      'db.example:5432',
    ])
    expect(first?.properties.annotations?.horizontal[0]?.value).toBe(80)
    expect(JSON.stringify(body)).toContain('SEARCH(')
  })

  it('puts no chart over another', () => {
    const { widgets } = bodyOf(synthesise())
    expect(new Set(widgets.map(({ x, y }) => `${x} ${y}`)).size).toBe(widgets.length)
  })

  it('has alarms of metrics that there are, each silent without data', () => {
    const template = synthesise({ fleet: 'till', targetPressure: 0.6 })
    template.resourceCountIs('AWS::CloudWatch::Alarm', 7)
    template.allResourcesProperties(
      'AWS::CloudWatch::Alarm',
      Match.objectLike({
        Namespace: 'Shop',
        TreatMissingData: 'notBreaching',
        Dimensions: Match.arrayWith([{ Name: 'Fleet', Value: 'till' }]),
      }),
    )
    for (const alarm of Object.values(template.findResources('AWS::CloudWatch::Alarm'))) {
      const { MetricName, Statistic } = (alarm as { Properties: { MetricName: string; Statistic?: string } })
        .Properties
      const field: MetricField | undefined = METRICS[MetricName as keyof typeof METRICS]
      expect(field, MetricName).toBeDefined()
      // A count is summed up; of a distribution a sum means nothing.
      expect(Statistic === 'Sum').toBe(field.kind === 'count')
    }
    template.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName: 'Pressure', Threshold: 60 })
  })

  it('tells whoever is to be told, and when it is over', () => {
    const stack = new Stack(new App(), 'Shop')
    const topic = new Topic(stack, 'Topic')
    void new LeaseholdMonitoring(stack, 'Monitoring', { ...SHOP, alarmActions: [new SnsAction(topic)] })
    const arn = [{ Ref: Match.stringLikeRegexp('^Topic') }]
    Template.fromStack(stack).allResourcesProperties(
      'AWS::CloudWatch::Alarm',
      Match.objectLike({ AlarmActions: arn, OKActions: arn }),
    )
  })

  it('takes values that are known only when it is deployed', () => {
    const stack = new Stack(new App(), 'Shop')
    const target = `${stack.resolve('db')}-${stack.stackId}:5432`
    void new LeaseholdMonitoring(stack, 'Monitoring', { ...SHOP, target })
    const dashboards = Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard')
    expect(JSON.stringify(dashboards)).toContain('AWS::StackId')
  })

  it('refuses a target that is none', () => {
    expect(() => synthesise({ targetPressure: 80 })).toThrow('from 0.1 to 1, got 80')
  })
})

describe('the template', () => {
  it('is the one in the package (rewritten when LEASEHOLD_WRITE_DOCS is set)', async () => {
    const text = `${JSON.stringify(monitoringTemplate(), undefined, 2)}\n`
    if (process.env['LEASEHOLD_WRITE_DOCS'] !== undefined) await writeFile(TEMPLATE, text)
    else expect(JSON.parse(await readFile(TEMPLATE, 'utf8'))).toEqual(JSON.parse(text))
  })

  it('is read by CloudFormation’s own resource types, and has the construct’s dashboard and alarms', () => {
    const stack = new Stack(new App(), 'Shop')
    void new CfnInclude(stack, 'Template', { templateFile: fileURLToPath(TEMPLATE) })
    const template = Template.fromStack(stack)
    const values = {
      Namespace: 'Shop',
      Fleet: 'leasehold',
      Engine: 'postgresql',
      Target: 'db.example:5432',
      TargetPercent: '80',
      'AWS::Region': 'eu-west-1',
    }
    const body = bodyOf(template, values)
    expectSound(body)
    expect(body).toEqual(bodyOf(synthesise()))
    const alarmsOf = (from: Template): unknown[] =>
      Object.values(from.findResources('AWS::CloudWatch::Alarm')).map((alarm) => {
        const { MetricName, Statistic, ExtendedStatistic, Period, EvaluationPeriods, DatapointsToAlarm } = (
          alarm as { Properties: Record<string, unknown> }
        ).Properties
        return { MetricName, Statistic, ExtendedStatistic, Period, EvaluationPeriods, DatapointsToAlarm }
      })
    expect(alarmsOf(template)).toEqual(alarmsOf(synthesise()))
  })

  it('refers to parameters that it has, and uses all of them', () => {
    const template = monitoringTemplate() as { Parameters: object }
    const text = JSON.stringify(template)
    const used = new Set(
      [...text.matchAll(/"Ref":"(\w+)"|\$\{(\w+)\}/g)].flatMap(([, ref, sub]) => ref ?? sub ?? []),
    )
    used.delete('Dashboard')
    expect([...used].toSorted()).toEqual(Object.keys(template.Parameters).toSorted())
  })
})
