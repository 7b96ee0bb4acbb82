/** The same as a CloudFormation template, for those who have no CDK: `cloudformation/monitoring.template.json`. */

import { alarmProperties, alarmRules } from './alarms.ts'
import { dashboardBody } from './dashboard.ts'
import { dimensionsOf, type Monitored } from './monitored.ts'

/** The pools' default. A template cannot calculate, so that the level in its alarm is a parameter of its own. */
const TARGET_PERCENT = 80

const NOBODY = 'none'

/** Stands for the parameter of that name inside the dashboard's text. */
const PARAMETERS: Monitored = {
  namespace: '${Namespace}',
  fleet: '${Fleet}',
  engine: '${Engine}',
  target: '${Target}',
}

export function monitoringTemplate(): object {
  const alarms = alarmRules(TARGET_PERCENT).map((rule) => {
    const properties = alarmProperties(rule)
    const own = rule.id === 'SustainedPressure' ? { Threshold: { Ref: 'TargetPercent' } } : {}
    return [
      rule.id,
      {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: {
          ...properties,
          ...own,
          Namespace: { Ref: 'Namespace' },
          Dimensions: dimensionsOf(PARAMETERS).map(([Name]) => ({ Name, Value: { Ref: Name } })),
          AlarmActions: { 'Fn::If': ['HasTopic', [{ Ref: 'AlarmTopicArn' }], { Ref: 'AWS::NoValue' }] },
          OKActions: { 'Fn::If': ['HasTopic', [{ Ref: 'AlarmTopicArn' }], { Ref: 'AWS::NoValue' }] },
        },
      },
    ] as const
  })
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: 'Dashboard and alarms for the metrics of Leasehold',
    Parameters: {
      Namespace: text(
        'The namespace that the pools send to: `cloudWatch({ namespace })` or `emf({ namespace })`',
      ),
      Fleet: { ...text("The pools' option `fleet`"), Default: 'leasehold' },
      Engine: { ...text('What the server is'), AllowedValues: ['postgresql', 'mysql', 'mariadb'] },
      Target: text('The server: `host:port`, as the pools are given it, in lower case'),
      TargetPercent: {
        Type: 'Number',
        Default: TARGET_PERCENT,
        MinValue: 10,
        MaxValue: 100,
        Description: "The pools' `targetPressure`, in percent",
      },
      AlarmTopicArn: {
        ...text('The ARN of an SNS topic to tell of alarms; `none` tells nobody'),
        Default: NOBODY,
      },
    },
    Conditions: { HasTopic: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'AlarmTopicArn' }, NOBODY] }] } },
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: { DashboardBody: { 'Fn::Sub': dashboardText() } },
      },
      ...Object.fromEntries(alarms),
    },
    Outputs: {
      Dashboard: { Description: "The dashboard's name", Value: { Ref: 'Dashboard' } },
    },
  }
}

function text(Description: string): Record<string, unknown> {
  return { Type: 'String', Description }
}

/** CloudWatch's own `${…}` must not be taken for a parameter; the level is a number, which JSON has no place-holder for. */
function dashboardText(): string {
  const body = JSON.stringify(dashboardBody(PARAMETERS, '${AWS::Region}', TARGET_PERCENT))
  return body
    .replaceAll('${PROP', '${!PROP')
    .replace(`"label":"target","value":${TARGET_PERCENT}`, '"label":"target","value":${TargetPercent}')
}
