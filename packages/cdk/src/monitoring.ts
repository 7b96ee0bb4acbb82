/** Dashboard and alarms as a CDK construct. */

import { Stack } from 'aws-cdk-lib'
import { Alarm, CfnAlarm, CfnDashboard, type IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'

import { alarmProperties, type AlarmRule, alarmRules } from './alarms.ts'
import { dashboardBody } from './dashboard.ts'
import { dimensionsOf, type Monitored } from './monitored.ts'

export interface MonitoringProps {
  /** The namespace that the pools send to: `cloudWatch({ namespace })` or `emf({ namespace })`. */
  readonly namespace: string
  /**
   * The pools' option `fleet`.
   * @defaultValue 'leasehold'
   */
  readonly fleet?: string
  readonly engine: 'postgresql' | 'mysql' | 'mariadb'
  /** The server as the pools are given it, in lower case: `host:port`. */
  readonly target: string
  /**
   * The pools' option `targetPressure`. 0.1 to 1.
   * @defaultValue 0.8
   */
  readonly targetPressure?: number
  /** The dashboard's name. @defaultValue CloudFormation makes one */
  readonly dashboardName?: string
  /** What to do on an alarm, and when it is over: `new SnsAction(topic)`. @defaultValue nothing */
  readonly alarmActions?: readonly IAlarmAction[]
}

/** A dashboard and seven alarms over the metrics of one fleet on one server. */
export class LeaseholdMonitoring extends Construct {
  readonly dashboard: CfnDashboard
  /** By what they are of: `SustainedPressure`, `WaitingTime`, `AuthenticationRetries` and so on. */
  readonly alarms: Readonly<Record<string, CfnAlarm>>

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id)
    const { namespace, fleet = 'leasehold', engine, target, targetPressure = 0.8, dashboardName } = props
    if (!(targetPressure >= 0.1 && targetPressure <= 1)) {
      throw new RangeError(`\`targetPressure\` must be a number from 0.1 to 1, got ${targetPressure}`)
    }
    const of: Monitored = { namespace, fleet, engine, target }
    const stack = Stack.of(this)
    const targetPercent = Math.round(targetPressure * 100)
    this.dashboard = new CfnDashboard(this, 'Dashboard', {
      dashboardBody: stack.toJsonString(dashboardBody(of, stack.region, targetPercent)),
      ...(dashboardName === undefined ? {} : { dashboardName }),
    })
    this.alarms = Object.fromEntries(
      alarmRules(targetPercent).map((rule) => [rule.id, this.#alarm(rule, of, props.alarmActions ?? [])]),
    )
  }

  #alarm(rule: AlarmRule, of: Monitored, actions: readonly IAlarmAction[]): CfnAlarm {
    const alarm = new CfnAlarm(this, rule.id, {
      ...(camelCased(alarmProperties(rule)) as {
        comparisonOperator: string
        evaluationPeriods: number
      }),
      namespace: of.namespace,
      dimensions: dimensionsOf(of).map(([name, value]) => ({ name, value })),
    })
    if (actions.length === 0) return alarm
    const known = Alarm.fromAlarmArn(this, `${rule.id}Known`, alarm.attrArn)
    const arns = actions.map((action) => action.bind(this, known).alarmActionArn)
    alarm.alarmActions = arns
    alarm.okActions = arns
    return alarm
  }
}

/** CDK writes the members of a resource with a small letter. */
function camelCased(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name.charAt(0).toLowerCase() + name.slice(1), value]),
  )
}
